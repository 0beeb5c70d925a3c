"""Events to and from JSON by msgspec, in less than half of pydantic's time. Pydantic stays the judge.

Whatever msgspec refuses, to read or to write, is left to pydantic: it takes it, or says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, Union, cast, get_args, get_origin

import msgspec
from pydantic import BaseModel

from ekiben_contracts.twins import NoTwinError, pattern_of, twin

if TYPE_CHECKING:
    import re

    from ekiben_contracts.event import Part

P = TypeVar("P", bound="Part")

REFUSED: Final = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
"""What msgspec raises where pydantic has to judge."""
_MOST_TEXTS: Final = 1024


def _fields_of(part: object) -> object:
    if isinstance(part, BaseModel):
        return part.__dict__
    raise TypeError(f"expected a part of an event, found {type(part).__name__}")


dump: Final = msgspec.json.Encoder(enc_hook=_fields_of).encode
"""The JSON of a part, its fields as they are. It raises one of `REFUSED` for what it cannot write."""


def reader(part: type[P]) -> Callable[[bytes], P]:
    """What reads a part, and raises one of `REFUSED` for what it cannot judge.

    Raises:
        NoTwinError: only pydantic can read this part.
    """
    decode, revive = msgspec.json.Decoder(twin(part)).decode, _reviver(part)
    return lambda data: revive(decode(data))


class Fitting(set[str]):
    """Texts that were found to match a pattern. Models and versions are few; when they are many, all go."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        super().__init__()
        self._matches = pattern.search

    def learn(self, text: str) -> None:
        if not self._matches(text):
            raise msgspec.ValidationError("this is for pydantic to tell")
        if len(self) >= _MOST_TEXTS:
            self.clear()
        self.add(text)


def _reviver(part: type[P]) -> Callable[[msgspec.Struct], P]:
    """From a twin to the part itself, and so with the parts inside."""
    fields_of, assemble, fields = msgspec.structs.asdict, part.assemble, part.model_fields.items()
    texts = [(name, Fitting(pattern)) for name, info in fields if (pattern := pattern_of(info)) is not None]
    inside = [(name, within) for name, info in fields if (within := _inside(info.annotation)) is not None]

    def revive(twin: msgspec.Struct) -> P:
        found = fields_of(twin)
        for name, fitting in texts:
            if found[name] not in fitting:
                fitting.learn(found[name])
        for name, within in inside:
            if found[name]:
                found[name] = within(found[name])
        return assemble(found)

    return revive


def _inside(annotation: Any) -> Callable[[Any], object] | None:
    """How the parts in a field are revived; None where it has none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _reviver(cast("type[Part]", annotation))
    origin, arguments = get_origin(annotation), get_args(annotation)
    found = [within for argument in arguments if (within := _inside(argument)) is not None]
    match found:
        case []:
            return None
        case [one] if origin is list:
            return lambda twins: list(map(one, twins))
        case [one] if origin in (Union, UnionType):
            return one
        case _:
            raise NoTwinError(f"expected parts alone, optional or in a list, found {annotation!r}")
