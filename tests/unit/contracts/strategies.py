"""Any event of any type, drawn from the models themselves: a new type is tested without a new line here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from enum import Enum
from functools import cache
from itertools import chain
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, JsonValue
from pydantic.fields import FieldInfo

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.event import Event
from ekiben_contracts.topics import TOPICS

Arguments = tuple[Any, ...]
Bounds = tuple[Any, ...]

TOPIC_OF = {event: topic for topic in TOPICS for event in topic.types}

unhurried = settings(deadline=None, max_examples=200)
"""The machine that runs the tests may be busy: how long an example takes says nothing."""

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(timezones=st.just(UTC) | offsets).filter(lambda time: 1 < time.year < 9999)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | finite | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def events() -> st.SearchStrategy[Event]:
    """Any event of any type."""
    return st.sampled_from(EVENTS).flatmap(of_model)


@cache
def of_model(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Any value of a model: each field drawn, or left to its default."""
    fields = {name: of(info.annotation, tuple(info.metadata)) for name, info in model.model_fields.items()}
    required = {name: fields[name] for name, info in model.model_fields.items() if info.is_required()}
    optional = {name: drawn for name, drawn in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: model(**values))


def of(annotation: Any, bounds: Bounds = ()) -> st.SearchStrategy[Any]:
    """Any value of a type, within the bounds that are annotated."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in GENERIC:
        return GENERIC[origin](arguments, bounds)
    if annotation in SCALAR:
        return SCALAR[annotation](bounds)
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    return of_model(annotation)


def _annotated(arguments: Arguments, bounds: Bounds) -> st.SearchStrategy[Any]:
    nested = (item.metadata if isinstance(item, FieldInfo) else (item,) for item in arguments[1:])
    return of(arguments[0], (*chain.from_iterable(nested), *bounds))


def _union(arguments: Arguments, bounds: Bounds) -> st.SearchStrategy[Any]:
    return st.one_of(*(of(branch, bounds) for branch in arguments))


def _list(arguments: Arguments, bounds: Bounds) -> st.SearchStrategy[Any]:
    return st.lists(of(arguments[0]), min_size=_bound(bounds, MinLen, "min_length", 0), max_size=3)


def _dict(arguments: Arguments, _: Bounds) -> st.SearchStrategy[Any]:
    return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=3)


def _text(bounds: Bounds) -> st.SearchStrategy[str]:
    shortest, longest = _bound(bounds, MinLen, "min_length", 0), _bound(bounds, MaxLen, "max_length", 30)
    pattern = next((bound.pattern for bound in bounds if getattr(bound, "pattern", None)), None)
    if pattern is None:
        return st.text(min_size=shortest, max_size=longest)
    return st.from_regex(pattern.replace("*$", "{0,9}$").replace("+$", "{1,9}$"), fullmatch=True)


def _whole(bounds: Bounds) -> st.SearchStrategy[int]:
    above = _bound(bounds, Gt, "gt", -(2**63) - 1)
    return st.integers(_bound(bounds, Ge, "ge", above + 1), _bound(bounds, Le, "le", 2**63 - 1))


def _real(bounds: Bounds) -> st.SearchStrategy[float]:
    low, high = _bound(bounds, Ge, "ge", None), _bound(bounds, Le, "le", None)
    above, below = _bound(bounds, Gt, "gt", None), _bound(bounds, Lt, "lt", None)
    return st.floats(
        low if above is None else above,
        high if below is None else below,
        exclude_min=above is not None,
        exclude_max=below is not None,
        allow_nan=False,
        allow_infinity=False,
    )


def _bound(bounds: Bounds, kind: type, name: str, default: Any) -> Any:
    return next((getattr(bound, name) for bound in bounds if isinstance(bound, kind)), default)


GENERIC: dict[Any, Callable[[Arguments, Bounds], st.SearchStrategy[Any]]] = {
    Annotated: _annotated,
    Union: _union,
    UnionType: _union,
    Literal: lambda arguments, _: st.sampled_from(arguments),
    list: _list,
    dict: _dict,
}
SCALAR: dict[Any, Callable[[Bounds], st.SearchStrategy[Any]]] = {
    NoneType: lambda _: st.none(),
    bool: lambda _: st.booleans(),
    int: _whole,
    float: _real,
    str: _text,
    AwareDatetime: lambda _: times,
    JsonValue: lambda _: json_values,
}
