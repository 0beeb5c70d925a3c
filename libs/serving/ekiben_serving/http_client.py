"""A model behind HTTP: one of our Bentos, asked in columns."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from ekiben_contracts.models import FeatureSpec
from ekiben_serving.model_client import EndpointHealth, Features, ModelDescription, ModelOutput
from ekiben_serving.validation import RowError


class HTTPModelClient:
    """A ModelClient over pooled connections, with retries and a circuit breaker of its own.

    `timeout` bounds one attempt in seconds; `max_retries` are the attempts after the first. Given
    neither `version` nor `signature`, it asks the endpoint for them before the first row. Given a
    `version`, an answer of another one is a BadResponseError: a port may be taken over.
    """

    def __init__(
        self,
        model_name: str,
        endpoint_url: str,
        timeout: float = 5.0,
        max_retries: int = 3,
        *,
        version: str | None = None,
        signature: Sequence[FeatureSpec] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        raise NotImplementedError

    async def predict(
        self, entity_id: str, features: Features, time_horizon: str = "short_term"
    ) -> ModelOutput:
        """See ModelClient.predict."""
        raise NotImplementedError

    async def predict_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[ModelOutput | RowError]:
        """See ModelClient.predict_batch. More rows than one call may carry are sent in several, one after the other."""
        raise NotImplementedError

    async def describe(self) -> ModelDescription:
        """Ask the endpoint which model it serves (GET /model_info)."""
        raise NotImplementedError

    async def health(self) -> EndpointHealth:
        """See ModelClient.health (GET /readyz)."""
        raise NotImplementedError

    async def close(self) -> None:
        """See ModelClient.close."""
        raise NotImplementedError
