"""Events from JSON by msgspec, in less than half of pydantic's time. Pydantic stays the judge.

Whatever msgspec refuses is left to pydantic: it takes it, or says what is wrong.
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

_MOST_TEXTS: Final = 1024


def lean_reader(part: type[P]) -> Callable[[bytes], P]:
    """What reads the lean form of a part, and raises one of `REFUSED` for what it cannot judge.

    Raises:
        NoTwinError: only pydantic can read this part.
    """
    decode, check = msgspec.json.Decoder(twin(part)).decode, _checker(part)

    def read(data: bytes) -> P:
        lean = decode(data)
        check(lean)
        return cast("P", lean)

    return read


def reader(part: type[P]) -> Callable[[bytes], P]:
    """What reads a part itself, and raises one of `REFUSED` for what it cannot judge.

    Raises:
        NoTwinError: only pydantic can read this part.
    """
    read, revive = lean_reader(part), _reviver(part)
    return lambda data: revive(cast("msgspec.Struct", read(data)))


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


def _checker(part: type[BaseModel]) -> Callable[[object], None]:
    """What looks at the texts that have to match a pattern, also in the parts inside."""
    fields = part.model_fields.items()
    texts = [(name, Fitting(pattern)) for name, info in fields if (pattern := pattern_of(info)) is not None]
    inside = [
        (name, _checker(within), is_many)
        for name, info in fields
        for within, is_many in _inside(info.annotation)
    ]

    if len(texts) == 1 and not inside:  # as in a request: half of what the loops take
        [(only, known)] = texts

        def check_one(lean: object) -> None:
            text = getattr(lean, only)
            if text not in known:
                known.learn(text)

        return check_one

    def check(lean: object) -> None:
        for name, fitting in texts:
            text = getattr(lean, name)
            if text not in fitting:
                fitting.learn(text)
        for name, within, is_many in inside:
            found = getattr(lean, name)
            if found:
                for one in found if is_many else (found,):
                    within(one)

    return check


def _reviver(part: type[P]) -> Callable[[msgspec.Struct], P]:
    """From a twin to the part itself, and so with the parts inside."""
    fields_of, assemble = msgspec.structs.asdict, part.assemble
    inside = [
        (name, _reviver(within), is_many)
        for name, info in part.model_fields.items()
        for within, is_many in _inside(info.annotation)
    ]

    def revive(twin: msgspec.Struct) -> P:
        found = fields_of(twin)
        for name, within, is_many in inside:
            if found[name]:
                found[name] = list(map(within, found[name])) if is_many else within(found[name])
        return assemble(found)

    return revive


def _inside(annotation: Any) -> list[tuple[type[Part], bool]]:
    """The part in a field, and whether the field is a list of them. Empty where it has none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(cast("type[Part]", annotation), False)]
    origin, arguments = get_origin(annotation), get_args(annotation)
    found = [within for argument in arguments for within in _inside(argument)]
    match found:
        case []:
            return []
        case [(part, False)] if origin is list:
            return [(part, True)]
        case [one] if origin in (Union, UnionType):
            return [one]
        case _:
            raise NoTwinError(f"expected parts alone, optional or in a list, found {annotation!r}")
