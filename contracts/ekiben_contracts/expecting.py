"""One error for a field that may be several things, instead of one for each thing it is not."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Expecting:
    """Annotates a union: whatever branch refused, the error says `Input should be {what}`."""

    what: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Wrap the schema of the annotated type; it costs nothing where the value is right."""
        return core_schema.custom_error_schema(
            handler(source),
            custom_error_type="unexpected",
            custom_error_message=f"Input should be {self.what}",
        )
