"""The flights as a Feast repository: entities, feature views and the service that both models take.

python -m ekiben_flights.feature_repository DIRECTORY --count 32400

It writes feature_store.yaml with SQLite where there is none: put one with another online_store there to have
Redis or PostgreSQL. Then it applies the definitions, and writes the features of the replay's flights.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.feast_object import FeastObject
from feast.types import Float64, Int64, PrimitiveFeastType, String

from ekiben_contracts.models import DType
from ekiben_flights.data import load
from ekiben_flights.feature_rows import ENTITY_ID, EVENT_TIME, VIEWS, view_rows
from ekiben_flights.features import SIGNATURE
from ekiben_flights.plan import FEATURE_SERVICE
from ekiben_flights.replay import chosen

_TYPES: Final[Mapping[DType, PrimitiveFeastType]] = {
    DType.STRING: String,
    DType.LONG: Int64,
    DType.DOUBLE: Float64,
}
_SQLITE: Final = """\
project: flights
provider: local
registry: {path: registry.db, cache_ttl_seconds: 60}
online_store: {type: sqlite, path: online.db}
entity_key_serialization_version: 3
"""


def definitions(directory: Path) -> list[FeastObject]:
    """What is applied. The views' own files lie in `directory`, for whoever trains from the store."""
    types = {spec.name: _TYPES[spec.dtype] for spec in SIGNATURE}
    keys = dict.fromkeys(key for plan in VIEWS.values() for key in plan.keys)
    entities = {key: Entity(name=key, join_keys=[key], value_type=ValueType.STRING) for key in keys}
    views = [
        FeatureView(
            name=name,
            entities=[entities[key] for key in plan.keys],
            schema=[
                *(Field(name=key, dtype=String) for key in plan.keys),
                *(Field(name=feature, dtype=types[feature]) for feature in plan.features),
            ],
            ttl=plan.ttl,
            source=FileSource(path=str(_file(directory, name)), timestamp_field=EVENT_TIME),
        )
        for name, plan in VIEWS.items()
    ]
    service = FeatureService(name=FEATURE_SERVICE, features=list(views), tags={"entity_id": ENTITY_ID})
    return [*entities.values(), *views, service]


def materialize(directory: Path, rows: Mapping[str, pd.DataFrame]) -> FeatureStore:
    """Apply the definitions and write these rows, to the files of the views and to the online store."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = directory / "feature_store.yaml"
    if not settings.exists():
        settings.write_text(_SQLITE, encoding="utf-8")
    for name, frame in rows.items():
        frame.to_parquet(_file(directory, name), index=False)
    store = FeatureStore(repo_path=str(directory))
    store.apply(definitions(directory))
    for name, frame in rows.items():
        store.write_to_online_store(name, frame)
    return store


def _file(directory: Path, view: str) -> Path:
    return directory.absolute() / f"{view}.parquet"


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m ekiben_flights.feature_repository", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=30_000, help="of flights that will be asked about")
    options = parser.parse_args()
    os.environ["FEAST_USAGE"] = "False"
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    year = load()
    try:
        flights = chosen(year, options.count)
    except ValueError as error:
        parser.error(str(error))
    materialize(options.directory, view_rows(flights, year, datetime.now(UTC)))


if __name__ == "__main__":
    main()
