"""One read for all entities of a batch that want features of one service: what is known, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ekiben_contracts.event import FeatureValue
from ekiben_serving.features.errors import FeatureStoreError
from ekiben_serving.features.judging import Keys, Lack, Why, judge, judge_fit
from ekiben_serving.features.keys import keys_of, untold
from ekiben_serving.features.store import Column, FeatureStore, Key, Service
from ekiben_serving.specs import ColumnSpec


class Entity(NamedTuple):
    """Whom a request is about (None: it does not say), what it brings, and the names that it lacks.

    What is found for it must fit `specs`.
    """

    entity_id: str | None
    brought: Mapping[str, FeatureValue]
    wanted: frozenset[str]
    specs: Sequence[ColumnSpec] = ()


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
    _expect_all(described, columns, len(entities))
    return [_found(described, columns, row, entity, keys[row], now) for row, entity in enumerate(entities)]


def _expect_all(service: Service, columns: Mapping[str, Column], rows: int) -> None:
    """A service that was defined anew between describing and reading, or a store that cuts answers short."""
    for name in service.view_of.keys() - service.join_keys.keys():
        column = columns.get(name, Column((), ()))
        if not len(column.values) == len(column.known_at) == rows:
            raise FeatureStoreError(
                f"expected {name} of {rows} entities from {service.name}, found {len(column.values)} values "
                f"and {len(column.known_at)} times; ask again, and see whether it is defined anew"
            )


def _in_columns(service: Service, keys: Sequence[Keys]) -> dict[str, list[Key]]:
    """A key that is not known is asked as nothing at all; what comes of that is never used."""
    columns: dict[str, list[Key]] = {}
    for name, kind in service.join_keys.items():
        told = [row[name] for row in keys]
        columns[name] = [kind() if key is None else key for key in told]
    return columns


def _found(
    service: Service, columns: Mapping[str, Column], row: int, entity: Entity, keys: Keys, now: float
) -> Found:
    wanted, why = entity.wanted, untold(service, keys, entity.brought)
    values: dict[str, FeatureValue] = {}
    lacking: dict[str, Lack] = {}
    for name in wanted & keys.keys():  # a model may take a join key as a feature
        key = keys[name]
        if key is None:
            lacking[name] = Lack(Why.UNKEYED, why[name])
        else:
            values[name] = key
    for view in service.views:
        of_view = [name for name in view.features if name in wanted and name not in keys]
        values |= {name: columns[name].values[row] for name in of_view}
        judged = {name: judge(view, keys, why, columns[name].known_at[row], now) for name in of_view}
        lacking |= {name: lack for name, lack in judged.items() if lack is not None}
    lacking |= _unfit(service, keys, entity.specs, values, lacking)
    return Found({name: value for name, value in values.items() if name not in lacking}, lacking)


def _unfit(
    service: Service,
    keys: Keys,
    specs: Sequence[ColumnSpec],
    values: Mapping[str, FeatureValue],
    lacking: Mapping[str, Lack],
) -> dict[str, Lack]:
    """A join key is the request's own, and judged with what it brings."""
    found: dict[str, Lack] = {}
    for spec in specs:
        name = spec.name
        if name in values and name not in keys and name not in lacking:
            unfit = judge_fit(service.view_of[name], keys, values[name], spec)
            if unfit is not None:
                found[name] = unfit
    return found
