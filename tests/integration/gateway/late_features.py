"""A Feast repository on SQLite with what the classifier of tests/integration/served.py takes, by flight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float32, Float64, Int32, Int64, String

TTL = timedelta(hours=1)
KNOWN = {
    "distance": 500.0,
    "wind": 3.5,
    "temperature": 3.0,
    "seats": 100,
    "hour": 7,
    "night": False,
    "carrier": "UA",
}
_SETTINGS = """\
project: late
provider: local
registry: registry.db
online_store: {type: sqlite, path: online.db}
entity_key_serialization_version: 3
"""


def write_repository(folder: Path) -> None:
    """UA1 is known now, UA2 was known longer ago than the view allows."""
    (folder / "feature_store.yaml").write_text(_SETTINGS)
    flight = Entity(name="flight", join_keys=["flight"], value_type=ValueType.STRING)
    types = [Float64, Float64, Float32, Int64, Int32, Bool, String]
    view = FeatureView(
        name="flights_today",
        entities=[flight],
        ttl=TTL,
        schema=[
            Field(name="flight", dtype=String),
            *(Field(name=name, dtype=kind) for name, kind in zip(KNOWN, types, strict=True)),
        ],
        source=FileSource(path="nowhere.parquet", timestamp_field="known_at"),
    )
    store = FeatureStore(repo_path=str(folder))
    store.apply([flight, view, FeatureService(name="late", features=[view])])
    now = datetime.now(UTC)
    rows = [
        {"flight": "UA1", **KNOWN, "known_at": now},
        {"flight": "UA2", **KNOWN, "known_at": now - 2 * TTL},
    ]
    store.write_to_online_store("flights_today", pd.DataFrame(rows))
