"""A Feast repository of flights, and how rows are written to its online store."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Bool, Float64, Int32, Int64, String

_PANDAS = {"seats": "Int64", "late": "boolean"}


def apply(folder: Path, online_store: str, ttl: timedelta, entity_id: str) -> None:
    """Define `flights`, `crews` with a key of 32 bits, and two services that nobody can ask row by row."""
    (folder / "feature_store.yaml").write_text(
        f"project: t{uuid.uuid4().hex[:8]}\nprovider: local\nregistry: registry.db\n"
        f"online_store: {online_store}\nentity_key_serialization_version: 3\n"
    )
    origin, tail = (
        Entity(name=name, join_keys=[name], value_type=ValueType.STRING) for name in ("origin", "tail")
    )
    number = Entity(name="number", join_keys=["number"], value_type=ValueType.INT64)
    crew = Entity(name="crew", join_keys=["crew"], value_type=ValueType.INT32)
    routes = _view("routes", [origin, number], ttl, origin=String, number=Int64, distance=Float64, late=Bool)
    planes = _view("planes", [tail], None, tail=String, seats=Int64, maker=String)
    lists = _view("lists", [tail], None, tail=String, weights=Array(Float64))
    crews = _view("crews", [crew], None, crew=Int32, score=Float64)
    services = [
        FeatureService(name="flights", features=[routes, planes], tags={"entity_id": entity_id}),
        FeatureService(name="lists", features=[lists]),
        FeatureService(name="crews", features=[crews]),
        FeatureService(name="nothing", features=[]),
    ]
    FeatureStore(repo_path=str(folder)).apply(
        [origin, number, tail, crew, routes, planes, lists, crews, *services]
    )


def writer(
    folder: Path, keys: Mapping[str, Sequence[str]]
) -> Callable[[str, Sequence[int | str], Mapping[str, object], float], None]:
    """Writes what is known of one entity of a view, by its join keys, since when."""
    store = FeatureStore(repo_path=str(folder))

    def write(view: str, entity: Sequence[int | str], values: Mapping[str, object], known_at: float) -> None:
        key = dict(zip(keys[view], entity, strict=True))
        row = {**key, **values, "known_at": datetime.fromtimestamp(known_at, UTC)}
        types = {name: kind for name, kind in _PANDAS.items() if name in row}
        store.write_to_online_store(view, pd.DataFrame([row]).astype(types))

    return write


def _view(name, entities, ttl, **fields):
    return FeatureView(
        name=name,
        entities=entities,
        ttl=ttl,
        schema=[Field(name=field, dtype=kind) for field, kind in fields.items()],
        source=FileSource(path="nowhere.parquet", timestamp_field="known_at"),
    )
