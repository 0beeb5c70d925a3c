"""The watches of every endpoint that this gateway asks, and the reports that become of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ekiben_contracts.health import BreakerState, EndpointHealthReported
from ekiben_contracts.latencies import quantiles_ms
from ekiben_inference_gateway.endpoint_health.metrics import EndpointMetrics
from ekiben_inference_gateway.endpoint_health.windows import Tally, Window
from ekiben_inference_gateway.routing import Endpoint


class Watches:
    """One watch for each endpoint. What it counts between two reports is of the window that ends then."""

    def __init__(self, gateway: str, heartbeat: timedelta, metrics: EndpointMetrics) -> None:
        self._gateway = gateway
        self._heartbeat = heartbeat
        self._metrics = metrics
        self._watches: dict[Endpoint, _Watch] = {}

    def open(self, model: str, version: str, url: str) -> _Watch:
        """The watch of a client. Two clients of one endpoint, the old one about to close, have the same."""
        endpoint = Endpoint(model, version, url)
        watch = self._watches.get(endpoint)
        if watch is None:
            watch = self._watches[endpoint] = _Watch(endpoint, self._metrics)
        watch.clients += 1
        watch.breaker_turned(BreakerState.CLOSED)
        return watch

    def report(self, window: Window) -> Iterable[EndpointHealthReported]:
        """What there is to say at the end of a window: traffic, turns of breakers, or a heartbeat."""
        for endpoint, watch in list(self._watches.items()):
            if watch.is_due(window.end, self._heartbeat):
                yield watch.report(self._gateway, window)
            if watch.clients == 0:
                del self._watches[endpoint]


class _Watch:
    """An EndpointWatch that counts."""

    def __init__(self, endpoint: Endpoint, metrics: EndpointMetrics) -> None:
        self.clients = 0
        self._endpoint = endpoint
        self._metrics = metrics
        self._state = BreakerState.CLOSED
        self._tally = Tally()
        self._reported: tuple[datetime, BreakerState] | None = None

    def called(self, rows: int, seconds: float, outcome: str, row_errors: Mapping[str, int]) -> None:
        """See EndpointWatch."""
        self._tally.add(rows, seconds, outcome, row_errors)
        if self.clients == 0:
            return  # a call that outlived its client: nothing would take its labels away again
        self._metrics.called(self._endpoint, outcome, seconds)
        self._metrics.ended(self._endpoint, outcome, rows - sum(row_errors.values()))
        for code, failed in row_errors.items():
            self._metrics.ended(self._endpoint, code, failed)

    def breaker_turned(self, state: BreakerState) -> None:
        """See EndpointWatch."""
        self._state = state
        if self.clients:
            self._metrics.breaker_is(self._endpoint, state)

    def closed(self) -> None:
        """See EndpointWatch."""
        self.clients -= 1
        if self.clients == 0:
            self._metrics.forget(self._endpoint)

    def is_due(self, now: datetime, heartbeat: timedelta) -> bool:
        """Whether there is something to say that was not said."""
        if self._tally.requests or self._reported is None:
            return True
        reported_at, state = self._reported
        return state is not self._state or now - reported_at >= heartbeat

    def report(self, gateway: str, window: Window) -> EndpointHealthReported:
        """What was seen since the last report."""
        tally, self._tally = self._tally, Tally()
        self._reported = window.end, self._state
        return EndpointHealthReported(
            model=self._endpoint.model,
            version=self._endpoint.version,
            url=self._endpoint.url,
            gateway=gateway,
            window_start=window.start,
            window_end=window.end,
            breaker=self._state,
            requests=tally.requests,
            errors=dict(tally.errors),
            latency_ms=quantiles_ms(tally.latencies),
            latency_buckets=dict(tally.latencies),
        )
