"""What every event is: a frozen pydantic model that knows its CloudEvents type."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, ClassVar, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from ekiben_contracts.dumping import DumpedAs
from ekiben_contracts.expecting import Expecting

LONGEST_IDENTIFIER = 256

Identifier = Annotated[str, Field(min_length=1, max_length=LONGEST_IDENTIFIER)]
"""A request, entity or deployment id: any non-empty text of at most 256 characters."""

ModelName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A model or an ensemble: safe in a topic key, a Bento tag and a URL."""

Version = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
"""A version of a model, as its registry names it: safe in an event id and a URL."""

Utc = AwareDatetime
"""A point in time as ISO 8601 with its offset; a time without one is refused."""

_Int64 = Annotated[StrictInt, Field(ge=-(2**63), le=2**63 - 1)]

FeatureValue = Annotated[
    # Strict branches tried in this order are what pydantic's smart mode would choose, in 0.8 of its
    # time. A whole number beyond 64 bits is a float, as JavaScript writes 1e20, and finite or refused.
    StrictStr | _Int64 | StrictFloat | StrictBool | None,
    Field(union_mode="left_to_right"),
    DumpedAs("any"),
    Expecting("a finite number, text, true/false or null"),
]
"""One feature as it stands in JSON."""


def _refuse_nan(value: JsonValue) -> JsonValue:
    """Let through what is JSON: when it reads bytes, pydantic's own JsonValue takes NaN."""
    json.dumps(value, allow_nan=False)
    return value


Json = Annotated[JsonValue, AfterValidator(_refuse_nan), Expecting("JSON without NaN and infinity")]
"""Any JSON."""


_set = object.__setattr__


class Part(BaseModel):
    """A frozen value inside an event. Unknown fields are ignored; NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    @classmethod
    def assemble(cls, fields: dict[str, object]) -> Self:
        """Put one together from every field, each validated where it came from: nothing is looked at again.

        For the path of an event only. The caller names every field: none is filled in. A dict and not
        keywords: twenty of those cost as much as all the rest.
        """
        assembled = cls.__new__(cls)
        _set(assembled, "__dict__", fields)
        _set(assembled, "__pydantic_fields_set__", _every_field(cls))
        _set(assembled, "__pydantic_extra__", None)
        _set(assembled, "__pydantic_private__", None)
        return assembled


@cache
def _every_field(part: type[Part]) -> set[str]:
    return set(part.model_fields)


class Event(Part):
    """The data of one CloudEvent. `type` ends in the version; a changed meaning is a new version."""

    type: ClassVar[str]

    attempt: int = Field(
        default=1, ge=1, le=2**31 - 1, description="1, and one more for each replay of a dead letter."
    )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the data, its types exactly as they stand, straight by the pydantic validator.

        Raises:
            ValidationError: a field is wrong, or it is no JSON.
        """
        return cls.__pydantic_validator__.validate_json(data, strict=True)

    def to_json(self) -> bytes:
        """The data as UTF-8 JSON, straight from the pydantic serializer."""
        return self.__pydantic_serializer__.to_json(self)
