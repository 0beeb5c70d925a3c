"""The checked-in documents, each a pure function of the catalog and the topics."""

from ekiben_contracts.documents.asyncapi import asyncapi
from ekiben_contracts.documents.reference import reference
from ekiben_contracts.documents.rendering import parse, render
from ekiben_contracts.documents.schema import schema, without_wording
from ekiben_contracts.documents.servers import NOWHERE, Servers
from ekiben_contracts.documents.table import replace_table, table, table_of

__all__ = [
    "NOWHERE",
    "Servers",
    "asyncapi",
    "parse",
    "reference",
    "render",
    "replace_table",
    "schema",
    "table",
    "table_of",
    "without_wording",
]
