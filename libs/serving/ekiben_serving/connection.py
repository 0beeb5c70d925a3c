"""What every client over HTTP has of its endpoint, whatever it sends there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import httpx

from ekiben_contracts.health import BreakerState
from ekiben_serving.attempts import Attempts
from ekiben_serving.breaker import EndpointBreaker
from ekiben_serving.clock import Clock, SystemClock
from ekiben_serving.errors import ModelClientError
from ekiben_serving.exchange import Endpoint
from ekiben_serving.model_client import EndpointHealth
from ekiben_serving.retrying import RetryPolicy
from ekiben_serving.slots import CallSlots
from ekiben_serving.transport import PooledTransport


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What a client sends, holds and endures at the most. More than 1,024 rows a call gain nothing."""

    rows_per_call: int = 1024
    request_bytes: int = 16 * 1024 * 1024
    response_bytes: int = 16 * 1024 * 1024
    concurrent_calls: int = 8
    breaker_failures: int = 5
    breaker_reset_s: float = 2.0


DEFAULT_LIMITS = ClientLimits()
PACKAGED_HINT = "Is it a Bento that Ekiben packaged?"


class Connection:
    """Pooled connections to one endpoint, with call slots, a circuit breaker and attempts of their own.

    `timeout` bounds one attempt in seconds; `max_retries` are the attempts after the first. `hint` ends the
    message about a refusal. `on_breaker` is told each turn.
    """

    def __init__(
        self,
        model: str,
        url: str,
        timeout: float,
        max_retries: int,
        limits: ClientLimits,
        *,
        jitter: Callable[[], float],
        transport: httpx.AsyncBaseTransport | None,
        clock: Clock | None,
        on_breaker: Callable[[BreakerState], None] | None,
        hint: str = PACKAGED_HINT,
    ) -> None:
        self.url = url.rstrip("/")
        self.clock = clock or SystemClock()
        # one more connection than calls: whether it is ready is asked beside them
        self._pool = transport or PooledTransport(max_connections=limits.concurrent_calls + 1)
        self.endpoint = Endpoint(model, self.url, limits.response_bytes, self.clock, self._pool, hint)
        breaker = partial(
            EndpointBreaker,
            model,
            self.url,
            clock=self.clock,
            fail_max=limits.breaker_failures,
            reset_timeout_s=limits.breaker_reset_s,
        )
        self._breaker = breaker(on_turn=on_breaker)
        slots = CallSlots(model, self.url, limits.concurrent_calls)
        policy = RetryPolicy(max_retries)
        self.attempts = Attempts(model, self.url, timeout, policy, self._breaker, slots, self.clock, jitter)
        # what hangs when it explains may predict well: nothing asked aside keeps anybody from asking
        self.aside = replace(self.attempts, breaker=breaker())

    def deadline(self, budget_s: float | None) -> float:
        """When a call with this budget, made now, has to be over, by the clock of this connection."""
        return math.inf if budget_s is None else self.clock.monotonic() + budget_s

    async def health(self) -> EndpointHealth:
        """Ask GET /readyz, as every BentoML service answers; neither heeds nor moves the breaker."""
        timeout_s = self.attempts.timeout_s
        try:
            await self.endpoint.exchange("GET", "/readyz", timeout_s=timeout_s, expected_type="text/plain")
        except ModelClientError as error:
            return EndpointHealth(False, self._breaker.state, str(error))
        return EndpointHealth(True, self._breaker.state)

    async def close(self) -> None:
        """Close every connection; calls in flight fail."""
        await self._pool.aclose()


def headers_of(content_type: str, traceparent: str | None) -> dict[str, str]:
    """What goes with a body of rows."""
    headers = {"content-type": content_type}
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return headers
