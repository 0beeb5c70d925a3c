"""One model behind several clients: the first that can answer does, in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ekiben_serving.clock import Clock, SystemClock
from ekiben_serving.errors import ModelUnavailableError, NoExplainerError
from ekiben_serving.model_client import EndpointHealth, Explanation, Features, ModelClient, ModelOutput
from ekiben_serving.single import predict_one
from ekiben_serving.validation import RowError

T = TypeVar("T")


class FailoverModelClient:
    """A ModelClient of ModelClients, such as HTTP first and then the same model in this process.

    Only what cannot answer now is passed over: an answer that cannot be used is the model's, wherever
    it runs. While the circuit breaker of the first is open it costs nothing to pass it over; its probe,
    once it succeeds, brings the traffic back. One that hangs gets half of what is left of the budget, so
    that the next one has time.
    """

    def __init__(
        self, model_name: str, clients: Sequence[ModelClient], *, clock: Clock | None = None
    ) -> None:
        if not clients:
            raise ValueError("expected at least one client, found none")
        self._model = model_name
        self._clients = tuple(clients)
        self._clock = clock or SystemClock()

    async def predict(
        self, entity_id: str, features: Features, time_horizon: str = "short_term"
    ) -> ModelOutput:
        """See ModelClient.predict."""
        return await predict_one(self, self._model, "every endpoint", entity_id, features, time_horizon)

    async def predict_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[ModelOutput | RowError]:
        """See ModelClient.predict_batch. If nobody can answer, what the last one raised is raised."""

        async def ask(client: ModelClient, seconds: float | None) -> Sequence[ModelOutput | RowError]:
            return await client.predict_batch(rows, budget_s=seconds, traceparent=traceparent)

        return await self._first(ask, budget_s)

    async def explain_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[Explanation | RowError]:
        """See ModelClient.explain_batch. One that only predicts is passed over too."""

        async def ask(client: ModelClient, seconds: float | None) -> Sequence[Explanation | RowError]:
            return await client.explain_batch(rows, budget_s=seconds, traceparent=traceparent)

        return await self._first(ask, budget_s)

    async def _first(
        self, ask: Callable[[ModelClient, float | None], Awaitable[T]], budget_s: float | None
    ) -> T:
        deadline = None if budget_s is None else self._clock.monotonic() + budget_s
        *others, last = self._clients
        for client in others:
            share = None if deadline is None else max(0.0, deadline - self._clock.monotonic()) / 2
            try:
                return await ask(client, share)
            except (ModelUnavailableError, NoExplainerError):
                continue
        left = None if deadline is None else max(0.0, deadline - self._clock.monotonic())
        return await ask(last, left)

    async def health(self) -> EndpointHealth:
        """See ModelClient.health: ready where any of them is. The breaker is the first one's."""
        found = [await client.health() for client in self._clients]
        detail = "; ".join(each.detail for each in found if each.detail)
        return EndpointHealth(any(each.ready for each in found), found[0].breaker, detail)

    async def close(self) -> None:
        """See ModelClient.close."""
        await asyncio.gather(*(client.close() for client in self._clients))
