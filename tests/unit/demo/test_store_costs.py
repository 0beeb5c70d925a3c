from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from ekiben.demo.store_costs import StoreCosts, read_costs
from ekiben_inference_gateway.features.metrics import FeatureMetrics


def test_the_gateway_s_own_metrics_tell_what_an_entity_costs() -> None:
    registry = CollectorRegistry()
    metrics = FeatureMetrics(registry)
    metrics.read("flights", 256, 0.032, "answered")
    metrics.read("hotels", 744, 0.068, "answered")
    metrics.read("flights", 256, 1.0, "away")
    found = read_costs(generate_latest(registry).decode())
    assert found.entities == 1_000
    assert found.us_per_entity is not None
    assert round(found.us_per_entity, 6) == 100.0


def test_where_nothing_was_read_nothing_is_known() -> None:
    assert read_costs("") == StoreCosts(0.0, 0.0)
    assert read_costs("").us_per_entity is None
