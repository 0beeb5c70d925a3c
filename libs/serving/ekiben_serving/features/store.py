"""The port behind which features are kept: many entities in one read, with the time of what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from ekiben_contracts.event import FeatureValue

Key = int | str
"""The value of one join key."""


class Int32(int):
    """The type of a join key of 32 bits: a larger one costs its whole read the answer."""


class Column(NamedTuple):
    """One feature of many entities. `known_at` is in Unix seconds; None: the entity was never seen."""

    values: Sequence[FeatureValue]
    known_at: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class View:
    """Features that are kept together, by which join keys, and for how long a value may be used."""

    name: str
    join_keys: tuple[str, ...]
    features: tuple[str, ...]
    ttl_s: float | None = None


@dataclass(frozen=True)
class Service:
    """A named set of views. `entity_id` writes how an entity_id holds the join keys: `{carrier}-{flight}`.

    `join_keys` are the types by name: str, int (of 64 bits) or Int32.
    """

    name: str
    views: tuple[View, ...]
    join_keys: Mapping[str, type[Key]]
    entity_id: str | None = None

    @cached_property
    def view_of(self) -> Mapping[str, View]:
        """The view of each feature."""
        return {feature: view for view in self.views for feature in view.features}


class FeatureStore(Protocol):
    """Asked from one thread at a time; every method may wait for a disk or a network."""

    def describe(self, service: str) -> Service:
        """What a service holds.

        Raises:
            FeatureStoreError: it cannot be told, or there is no such service.
        """
        ...

    def read(self, service: str, keys: Mapping[str, Sequence[Key]]) -> Mapping[str, Column]:
        """Every feature of a service, of the entities whose join keys stand in the same row of `keys`.

        Raises:
            FeatureStoreError: there is no answer.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
