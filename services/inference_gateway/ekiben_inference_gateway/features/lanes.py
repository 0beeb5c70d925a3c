"""The feature store of a gateway: one thread that reads it, and how each lane of requests asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from ekiben_contracts.routing import ModelRouted
from ekiben_inference_gateway.features.asking import ReadLimits, StoreAsker
from ekiben_inference_gateway.features.filling import Fill, Filler
from ekiben_inference_gateway.features.metrics import FeatureMetrics
from ekiben_inference_gateway.features.reading import StoreReader
from ekiben_inference_gateway.features.settings import FeatureSettings
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.routing import RouteTable
from ekiben_serving.features.feast_store import FeastStore
from ekiben_serving.features.store import FeatureStore

OpenRepository = Callable[[Path], FeatureStore]


@dataclass(frozen=True, slots=True)
class FeatureLanes:
    """`main` leaves a store that is away alone for a while; `parked` has time, and asks it always."""

    reader: StoreReader
    main: Fill
    parked: Fill


def feature_lanes(
    settings: FeatureSettings,
    repository: Path,
    registry: CollectorRegistry,
    clock: Callable[[], datetime],
    open_repository: OpenRepository = FeastStore,
) -> FeatureLanes:
    """The lanes of a repository, which is opened when it is first needed."""
    reader = StoreReader(lambda: open_repository(repository), clock)
    outages, metrics = Outages(settings.outage_patience_s), FeatureMetrics(registry)

    def lane(probe_after_s: float | None) -> Fill:
        limits = ReadLimits(settings.rows_per_read, settings.timeout_s, probe_after_s)
        return Filler(StoreAsker(str(repository), reader, limits, outages, metrics)).fill

    return FeatureLanes(reader, lane(settings.probe_after_s), lane(None))


def is_routed(routes: RouteTable) -> bool:
    """Whether any model has a feature service."""
    return any(isinstance(route, ModelRouted) and route.feature_service for route in routes.values())
