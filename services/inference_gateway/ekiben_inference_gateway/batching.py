"""Grouping the rows of a batch into bodies: one model and version each, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from ekiben_inference_gateway.routing import Choice, Endpoint


@dataclass(frozen=True, slots=True)
class Body:
    """Rows for one endpoint. `places` says whose they are: the request's index, and its member's."""

    choice: Choice
    places: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Group:
    choice: Choice
    places: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])


def bodies(drawn: Iterable[tuple[int, int, Choice]], rows_per_call: int) -> Iterator[Body]:
    """One body for each endpoint, several where it has more than `rows_per_call` rows."""
    groups: dict[Endpoint, _Group] = {}
    for request, member, choice in drawn:
        group = groups.get(choice.endpoint)
        if group is None:
            group = groups[choice.endpoint] = _Group(choice)
        group.places.append((request, member))
    for group in groups.values():
        places = iter(group.places)
        while chunk := tuple(islice(places, rows_per_call)):
            yield Body(group.choice, chunk)
