"""What the gateway's feature store has cost so far, by the gateway's own metrics."""

from __future__ import annotations

import asyncio
from http.client import HTTPConnection
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

_PATIENCE_S = 10.0


class StoreCosts(NamedTuple):
    """Of reads that were answered."""

    entities: float
    seconds: float

    @property
    def us_per_entity(self) -> float | None:
        """Microseconds of one entity; None where none was read."""
        return self.seconds / self.entities * 1e6 if self.entities else None


async def store_costs(health_port: int) -> StoreCosts:
    """Ask the gateway, by the port where its /metrics answers.

    Raises:
        OSError: it does not answer.
    """
    return read_costs(await asyncio.to_thread(_metrics, health_port))


def read_costs(metrics: str) -> StoreCosts:
    """The costs in Prometheus text."""
    found = {"ekiben_feature_entities_total": 0.0, "ekiben_feature_read_seconds_sum": 0.0}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name in found and sample.labels.get("outcome") == "answered":
                found[sample.name] += sample.value
    return StoreCosts(*found.values())


def _metrics(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()
