"""The msgspec type that reads what a pydantic model reads, derived from the model's own fields.

A twin takes less than its model, never more: no field that the model does not have, no other way to write a
time. What it takes, it reads alike; a part of a microsecond is rounded where pydantic cuts it off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, cast, get_args, get_origin

import annotated_types as at
import msgspec
from pydantic import AwareDatetime, BaseModel, Strict
from pydantic.fields import FieldInfo

from ekiben_contracts.expecting import Expecting
from ekiben_contracts.sensitive import REDACTED, marks
from ekiben_contracts.writing import dump

_SAME = (str, int, float, bool, NoneType)
_BOUNDS: Mapping[type, str] = {at.Ge: "ge", at.Gt: "gt", at.Le: "le", at.Lt: "lt"}


class NoTwinError(TypeError):
    """A field is of a type that msgspec would not read as pydantic does."""


class Twin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What every twin is. It is written as its model is."""

    sensitive: ClassVar[frozenset[str]] = frozenset()

    def to_json(self) -> bytes:
        """The data as UTF-8 JSON."""
        return dump(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Every field, but for what is marked sensitive in the model."""
        fields = [(name, getattr(self, name)) for name in self.__struct_fields__]
        return [
            (name, REDACTED if name in self.sensitive and value is not None else value)
            for name, value in fields
        ]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"
        )


@cache
def twin(model: type[BaseModel]) -> type[Twin]:
    """Its fields, but for the pattern of a field that is one text: see `pattern_of`.

    Raises:
        NoTwinError: it can have none.
    """
    return _define(model, {name: _field(info) for name, info in model.model_fields.items()})


@cache
def unread_twin(model: type[BaseModel]) -> type[Twin]:
    """A twin that is written alone, so whatever its fields are."""
    return _define(model, dict.fromkeys(model.model_fields, Any))


def _define(model: type[BaseModel], types: Mapping[str, Any]) -> type[Twin]:
    fields = [(name, types[name], _default(info)) for name, info in model.model_fields.items()]
    made = msgspec.defstruct(
        f"Lean{model.__name__}",
        fields,
        bases=(Twin,),
        namespace={"type": getattr(model, "type", None), "sensitive": marks(model)},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
    )
    return cast("type[Twin]", made)


def pattern_of(info: FieldInfo) -> re.Pattern[str] | None:
    """The pattern of a field that is one text, to be looked at once it was read.

    Such texts repeat: to remember them costs a tenth of matching each.
    """
    patterns = [pattern for one in info.metadata if (pattern := _pattern(one))]
    return re.compile(patterns[0]) if info.annotation is str and patterns else None


def _field(info: FieldInfo) -> Any:
    apart = pattern_of(info) is not None
    return _constrained(
        _type(info.annotation), [one for one in info.metadata if not (apart and _pattern(one))]
    )


def _default(info: FieldInfo) -> Any:
    if info.is_required():
        return msgspec.field()
    if info.default_factory is not None:
        return msgspec.field(default_factory=cast("Callable[[], object]", info.default_factory))
    return msgspec.field(default=info.default)


def _type(annotation: Any) -> Any:
    arguments = get_args(annotation)
    if arguments:
        return _generic(annotation, get_origin(annotation), arguments)
    if annotation in _SAME:
        return annotation
    if annotation is AwareDatetime:
        return Annotated[datetime, msgspec.Meta(tz=True)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return twin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation
    raise NoTwinError(f"expected a type that both read alike, found {annotation!r}")


def _generic(annotation: Any, origin: Any, arguments: Sequence[Any]) -> Any:
    if origin is Annotated:
        return _constrained(_type(arguments[0]), arguments[1:])
    if origin in (Union, UnionType):
        return Union[tuple(map(_type, arguments))]  # noqa: UP007 - of types that are known only here
    if origin in (list, dict):
        return GenericAlias(origin, tuple(map(_type, arguments)))
    if origin is Literal:
        return annotation
    raise NoTwinError(f"expected a type that both read alike, found {annotation!r}")


def _constrained(kind: Any, metadata: Iterable[object]) -> Any:
    bounds: dict[str, Any] = {}
    for one in _flat(metadata):
        match one:
            case at.MinLen(least):
                bounds["min_length"] = least
            case at.MaxLen(most):
                bounds["max_length"] = most
            case at.Ge() | at.Gt() | at.Le() | at.Lt():
                name = _BOUNDS[type(one)]
                bounds[name] = getattr(one, name)
            case Strict() | Expecting():
                pass
            case _ if pattern := _pattern(one):
                bounds["pattern"] = pattern
            case at.BaseMetadata() if getattr(one, "__dict__", {}).keys() == {"union_mode"}:
                pass
            case _:
                raise NoTwinError(f"expected a constraint that both know, found {one!r}")
    return Annotated[kind, msgspec.Meta(**bounds)] if bounds else kind


def _flat(metadata: Iterable[object]) -> Iterable[object]:
    for one in metadata:
        if isinstance(one, FieldInfo):
            yield from one.metadata
        else:
            yield one


def _pattern(constraint: object) -> str | None:
    """A pattern in Python's words, whose $ would let a newline follow."""
    pattern: str | None = getattr(constraint, "pattern", None)
    return pattern and re.sub(r"\$\Z", r"\\Z", pattern)
