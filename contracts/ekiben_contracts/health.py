"""How the endpoints of models do: what gateways report of them, and several reports as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from ekiben_contracts.event import Event, ModelName, Utc, Version
from ekiben_contracts.identity import health_id
from ekiben_contracts.latencies import added, quantiles_ms

SILENT_AFTER_S = 180
"""A gateway that has reported nothing of an endpoint for so long has left it, or is gone."""
LONGEST_HEARTBEAT_S = 60
"""Seconds: without traffic, a gateway repeats itself at least so often."""
LONGEST_GATEWAY = 128

Count = Annotated[int, Field(ge=0)]


class BreakerState(StrEnum):
    """Of a circuit breaker: calls go through, none does, or one that probes."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


class EndpointHealthReported(Event):
    """What one gateway saw of one endpoint of one version in a window of time.

    Windows are aligned: each starts at a multiple of its length since 1970, whatever the gateway. Those
    of several gateways, and of several windows, add up: see `summarize`.
    """

    type: ClassVar[str] = "ekiben.endpoint.health-reported.v1"

    model: ModelName
    version: Version
    url: str = Field(description="Where it answers: as routed, or the URI of a model in the gateway itself.")
    gateway: str = Field(
        min_length=1,
        max_length=LONGEST_GATEWAY,
        description="The process that saw it; a restarted one is another.",
    )
    window_start: Utc
    window_end: Utc
    breaker: BreakerState = Field(description="At the end of the window.")
    requests: int = Field(ge=0, description="Rows it was asked for, however they ended.")
    errors: dict[str, int] = Field(
        default_factory=dict,
        description="Requests without an answer, by kind: timeout, unavailable, busy, breaker_open, "
        "transient, bad_request, bad_response; of single rows invalid_request, missing_features, internal.",
    )
    latency_ms: dict[str, float] = Field(
        default_factory=dict, description="Of the requests that were answered, by quantile: p50, p95, p99."
    )
    latency_buckets: dict[int, Count] = Field(
        default_factory=dict[int, Count],
        description="The same as counts that add up: bucket k holds the requests answered in more than "
        "2^(k/8) ms, and at most 2^((k+1)/8) ms.",
    )

    @property
    def id(self) -> str:
        """Its ce_id: of one gateway, endpoint and window there is one report."""
        return health_id(self.gateway, self.model, self.version, self.url, self.window_start)


class HealthSummary(NamedTuple):
    """Several reports as one. `breakers` are the latest states by gateway, `seen_at` the latest end."""

    requests: int
    errors: Mapping[str, int]
    latency_ms: Mapping[str, float]
    breakers: Mapping[str, BreakerState]
    seen_at: Utc | None

    @property
    def breaker(self) -> BreakerState | None:
        """The worst of the gateways'; None where there was no report."""
        worst = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)
        return next((state for state in worst if state in self.breakers.values()), None)

    @property
    def failed(self) -> int:
        """Requests without an answer, of whatever kind."""
        return sum(self.errors.values())


def summarize(reports: Iterable[EndpointHealthReported]) -> HealthSummary:
    """What gateways saw together over their windows. Of equal ids the first stands: delivery may repeat."""
    by_id: dict[str, EndpointHealthReported] = {}
    for report in reports:
        by_id.setdefault(report.id, report)
    kept = sorted(by_id.values(), key=lambda report: report.window_end)
    errors: Counter[str] = Counter()
    for report in kept:
        errors.update(report.errors)
    return HealthSummary(
        requests=sum(report.requests for report in kept),
        errors=dict(errors),
        latency_ms=quantiles_ms(added(report.latency_buckets for report in kept)),
        breakers={report.gateway: report.breaker for report in kept},
        seen_at=kept[-1].window_end if kept else None,
    )
