"""A feature store of flights in memory, and the lanes of a gateway before it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry

from ekiben_bus.service import now
from ekiben_inference_gateway.features.lanes import FeatureLanes, feature_lanes
from ekiben_inference_gateway.features.settings import FeatureSettings
from ekiben_serving.features.fake_store import FakeFeatureStore
from ekiben_serving.features.store import Service, View

TTL_S = 3600.0
FLIGHTS = Service(
    "flights",
    (
        View("routes", ("entity",), ("distance", "carrier"), ttl_s=TTL_S),
        View("planes", ("entity",), ("seats",)),
    ),
    {"entity": str},
)
KEYED = Service("keyed", FLIGHTS.views, {"entity": str, "day": str}, "{entity}/{day}")
"""The same, by an entity_id that says the day, too."""
KNOWN = {"distance": 1400.0, "carrier": "UA"}


def flights_store() -> FakeFeatureStore:
    """UA1 is known whole, and so is UA2, but for its seats; OLD was known long ago."""
    store, now = FakeFeatureStore(FLIGHTS, KEYED), time.time()
    for entity, known_at in (("UA1", now), ("UA2", now), ("OLD", now - TTL_S - 60)):
        store.write("routes", (entity,), KNOWN, known_at)
    for entity in ("UA1", "OLD"):
        store.write("planes", (entity,), {"seats": 149.0}, 0.0)
    return store


@asynccontextmanager
async def lanes(
    store: FakeFeatureStore,
    registry: CollectorRegistry | None = None,
    opening: Callable[[], object] = lambda: None,
    **settings: object,
) -> AsyncIterator[FeatureLanes]:
    """The lanes, with the thread that reads the store; `opening` is what opening it takes."""

    def opened(_: Path) -> FakeFeatureStore:
        opening()
        return store

    given = FeatureSettings(**settings)  # type: ignore[arg-type]
    found = feature_lanes(given, Path("flights"), registry or CollectorRegistry(), now, opened)
    async with found.reader.lifespan():
        yield found
