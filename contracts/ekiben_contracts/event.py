"""What every event is: a frozen pydantic model that knows its CloudEvents type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Annotated, Any, ClassVar, Self, TypeVar

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

from ekiben_contracts.evolution.upcasting import Upcaster
from ekiben_contracts.expecting import Expecting
from ekiben_contracts.quick import lean_reader, reader
from ekiben_contracts.sensitive import REDACTED, marks
from ekiben_contracts.writing import REFUSED, dump

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
    # A whole number beyond 64 bits is a float, as JavaScript writes 1e20, and finite or refused.
    StrictStr | _Int64 | StrictFloat | StrictBool | None,
    Field(union_mode="left_to_right"),
    Expecting("a finite number, text, true/false or null"),
]
"""One feature as it stands in JSON."""


def _refuse_nan(value: JsonValue) -> JsonValue:
    """Let through what is JSON: when it reads bytes, pydantic's own JsonValue takes NaN."""
    json.dumps(value, allow_nan=False)
    return value


Json = Annotated[JsonValue, AfterValidator(_refuse_nan), Expecting("JSON without NaN and infinity")]
"""Any JSON."""


E = TypeVar("E", bound="Event")
_new = object.__new__
_set_dict, _set_fields_set, _set_extra, _set_private = (
    # the slots of a pydantic model, written straight: a third of what object.__setattr__ takes
    vars(BaseModel)[f"__{name}__"].__set__
    for name in ("dict", "pydantic_fields_set", "pydantic_extra", "pydantic_private")
)


class Part(BaseModel):
    """A frozen value inside an event. Unknown fields are ignored; NaN and infinity are refused.

    Neither its repr nor an error about it holds what is marked sensitive.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """See pydantic."""
        sensitive = marks(type(self))
        for name, value in super().__repr_args__():
            yield name, REDACTED if name in sensitive and value is not None else value

    @classmethod
    def assemble(cls, fields: dict[str, object]) -> Self:
        """Put one together from every field, each validated where it came from: nothing is looked at again.

        For the path of an event only. The caller names every field: none is filled in. A dict and not
        keywords: twenty of those cost as much as all the rest.
        """
        assembled = _new(cls)
        _set_dict(assembled, fields)
        _set_fields_set(assembled, _every_field(cls))
        _set_extra(assembled, None)
        _set_private(assembled, None)
        return assembled


@cache
def _every_field(part: type[Part]) -> set[str]:
    return set(part.model_fields)


class Event(Part):
    """The data of one CloudEvent. `type` ends in the version; a changed meaning is a new version."""

    type: ClassVar[str]
    is_quick: ClassVar[bool] = False
    """It is on the path of a prediction, where every microsecond counts."""
    upcaster: ClassVar[Upcaster[Any, Any] | None] = None
    """From the version before this one. The first version has none."""

    attempt: int = Field(
        default=1, ge=1, le=2**31 - 1, description="1, and one more for each replay of a dead letter."
    )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the data, its types exactly as they stand.

        Raises:
            ValidationError: a field is wrong, or it is no JSON.
        """
        return _reader(cls)(data)

    @classmethod
    def lean_from_json(cls, data: bytes) -> Self:
        """As `from_json`; of an event on a prediction's path the lean form, wherever msgspec takes it.

        Raises:
            ValidationError: a field is wrong, or it is no JSON.
        """
        return _lean_reader(cls)(data)

    def to_json(self) -> bytes:
        """The data as UTF-8 JSON."""
        try:
            return dump(self.__dict__)
        except REFUSED:
            return self.__pydantic_serializer__.to_json(self)


@cache
def _reader(event: type[E]) -> Callable[[bytes], E]:
    return _judged(event, reader)


@cache
def _lean_reader(event: type[E]) -> Callable[[bytes], E]:
    return _judged(event, lean_reader)


def _judged(event: type[E], reader_of: Callable[[type[E]], Callable[[bytes], E]]) -> Callable[[bytes], E]:
    """Pydantic judges whatever nothing quicker takes."""
    judge = partial(event.__pydantic_validator__.validate_json, strict=True)
    if not event.is_quick:
        return judge
    quick = reader_of(event)

    def read(data: bytes) -> E:
        try:
            return quick(data)
        except REFUSED:
            return judge(data)

    return read
