"""One read for all entities of a batch that want features of one service: what is known, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ekiben_contracts.event import FeatureValue
from ekiben_serving.features.judging import Lack, Why, judge
from ekiben_serving.features.keys import keys_of
from ekiben_serving.features.store import Column, FeatureStore, Key, Service, View

Keys = Mapping[str, Key | None]


class Entity(NamedTuple):
    """Whom a request is about (None: it does not say), what it brings, and the names that it lacks."""

    entity_id: str | None
    brought: Mapping[str, FeatureValue]
    wanted: frozenset[str]


class Found(NamedTuple):
    """What the store says of one entity: the values it has, and why it has no other of its features."""

    values: dict[str, FeatureValue]
    lacking: dict[str, Lack]


def look_up(store: FeatureStore, service: str, entities: Sequence[Entity], now: float) -> list[Found]:
    """What the store knows of each entity, in their order. Names that the service does not have are left out.

    `now` is in Unix seconds: what is older than its view allows is lacking, whatever the store gives.

    Raises:
        FeatureStoreError: there is no answer.
    """
    described = store.describe(service)
    keys = [keys_of(described, entity.entity_id, entity.brought) for entity in entities]
    columns = store.read(service, _in_columns(described, keys))
    return [
        _found(described, columns, row, entity.wanted, keys[row], now) for row, entity in enumerate(entities)
    ]


def _in_columns(service: Service, keys: Sequence[Keys]) -> dict[str, list[Key]]:
    """A key that is not known is asked as nothing at all; what comes of that is never used."""
    columns: dict[str, list[Key]] = {}
    for name, kind in service.join_keys.items():
        told = [row[name] for row in keys]
        columns[name] = [kind() if key is None else key for key in told]
    return columns


def _found(
    service: Service, columns: Mapping[str, Column], row: int, wanted: frozenset[str], keys: Keys, now: float
) -> Found:
    values: dict[str, FeatureValue] = {}
    lacking: dict[str, Lack] = {}
    for name in wanted & keys.keys():  # a model may take a join key as a feature
        key = keys[name]
        if key is None:
            lacking[name] = Lack(Why.UNKEYED, "neither the features nor the entity_id of the request tell it")
        else:
            values[name] = key
    for view in service.views:
        of_view = [name for name in view.features if name in wanted and name not in keys]
        values |= {name: columns[name].values[row] for name in of_view}
        lacking |= _lacking(view, of_view, columns, row, keys, now)
    return Found({name: value for name, value in values.items() if name not in lacking}, lacking)


def _lacking(
    view: View, names: Sequence[str], columns: Mapping[str, Column], row: int, keys: Keys, now: float
) -> dict[str, Lack]:
    judged = {name: judge(view, keys, columns[name].known_at[row], now) for name in names}
    return {name: lack for name, lack in judged.items() if lack is not None}
