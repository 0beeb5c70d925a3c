"""From a version of an event to the newest: handlers know one version, topics may still hold many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from ekiben_contracts.event import Event

Old = TypeVar("Old", bound="Event")
New = TypeVar("New", bound="Event")


@dataclass(frozen=True, slots=True)
class Upcaster(Generic[Old, New]):
    """What the version before said, in the words of the version that declares this.

    `convert` is pure. Its result has the key and the identity of what it was given; `attempt` is carried
    by whoever calls it.
    """

    old: type[Old]
    convert: Callable[[Old], New]


def older_versions(event: type[Event]) -> tuple[type[Event], ...]:
    """Every version that can become this one, the newest of them first."""
    upcaster = event.upcaster
    return () if upcaster is None else (upcaster.old, *older_versions(upcaster.old))


def upcast(event: Event, to: type[New]) -> New:
    """The same event in a later version, by way of each version between.

    Raises:
        TypeError: it is no earlier version of that, or an upcaster made something else.
        Exception: whatever an upcaster raises.
    """
    if isinstance(event, to):
        return event
    upcaster: Upcaster[Any, New] | None = to.upcaster
    if upcaster is None:
        raise TypeError(f"expected an earlier version of {to.type}, found {event.type}")
    converted = upcaster.convert(upcast(event, upcaster.old))
    if not isinstance(converted, to):
        raise TypeError(f"expected {to.__name__} from its upcaster, found {type(converted).__name__}")
    if converted.attempt == event.attempt:
        return converted
    return converted.model_copy(update={"attempt": event.attempt})
