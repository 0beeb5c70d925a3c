"""How a field is written where pydantic's own way costs more than the field is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class DumpedAs:
    """Annotates a field: dump its value as it is, and look at no schema. It was validated when it came.

    `any` for a union, whose branches would be tried one after the other for each value; `str` for a
    StrEnum, which would be asked for its value in Python.
    """

    kind: Literal["any", "str"]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the annotated type, with this in place of its serializer."""
        schema = handler(source)
        schema["serialization"] = core_schema.simple_ser_schema(self.kind)
        return schema
