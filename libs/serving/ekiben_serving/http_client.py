"""A model behind HTTP: one of our Bentos, asked in columns."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import partial

import httpx
from pydantic import ValidationError

from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec
from ekiben_serving.answers import outputs_of
from ekiben_serving.batches import Batch, batches_of
from ekiben_serving.clock import Clock
from ekiben_serving.columnar import (
    ANSWER_TYPE,
    COLUMNS_TYPE,
    Answer,
    ColumnarError,
    CutOffError,
    decode_answer,
)
from ekiben_serving.connection import DEFAULT_LIMITS, ClientLimits, Connection, headers_of
from ekiben_serving.errors import (
    BadResponseError,
    ModelProtocolError,
    ModelTransientError,
)
from ekiben_serving.model_client import EndpointHealth, Features, ModelDescription, ModelOutput
from ekiben_serving.single import predict_one
from ekiben_serving.validation import RowError, Signature


class HTTPModelClient:
    """A ModelClient over pooled connections, with retries, a circuit breaker and call slots of its own.

    Everybody who asks this endpoint shares one client, and so its slots: `limits.concurrent_calls`.

    `timeout` bounds one attempt in seconds; `max_retries` are the attempts after the first. Without a
    `signature` the endpoint is asked for it before the first row. With a `version`, an answer of
    another one is a BadResponseError: a port may have been taken over. `on_breaker` is told each turn.
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
        limits: ClientLimits = DEFAULT_LIMITS,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        on_breaker: Callable[[BreakerState], None] | None = None,
    ) -> None:
        self._model = model_name
        self._version = version
        self._given = None if signature is None else Signature(signature)
        self._learned: Signature | None = None
        self._limits = limits
        self._connection = Connection(
            model_name,
            endpoint_url,
            timeout,
            max_retries,
            limits,
            jitter=jitter,
            transport=transport,
            clock=clock,
            on_breaker=on_breaker,
        )
        self._url = self._connection.url

    async def predict(
        self, entity_id: str, features: Features, time_horizon: str = "short_term"
    ) -> ModelOutput:
        """See ModelClient.predict."""
        return await predict_one(self, self._model, self._url, entity_id, features, time_horizon)

    async def predict_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[ModelOutput | RowError]:
        """See ModelClient.predict_batch. What exceeds one call is sent in several, one after the other."""
        deadline, headers = self._connection.deadline(budget_s), headers_of(COLUMNS_TYPE, traceparent)
        outputs: list[ModelOutput | RowError] = []
        try:
            signature = self._given or self._learned or await self._learn(deadline)
            for batch in batches_of(rows, signature, self._limits.rows_per_call, self._limits.request_bytes):
                outputs += await self._ask(batch, headers, deadline)
        except ModelProtocolError:
            self._learned = None  # the endpoint may serve another version by now
            raise
        return outputs

    async def describe(self) -> ModelDescription:
        """Ask the endpoint which model it serves (GET /model_info)."""
        return await self._connection.attempts.make(self._describe_once, math.inf)

    async def health(self) -> EndpointHealth:
        """See ModelClient.health. It asks GET /readyz, and neither heeds nor moves the breaker."""
        return await self._connection.health()

    async def close(self) -> None:
        """See ModelClient.close."""
        await self._connection.close()

    async def _learn(self, deadline: float) -> Signature:
        description = await self._connection.attempts.make(self._describe_once, deadline)
        self._learned = Signature(description.signature)
        return self._learned

    async def _ask(
        self, batch: Batch, headers: dict[str, str], deadline: float
    ) -> list[ModelOutput | RowError]:
        if batch.body is None:
            return batch.merge([])
        started = self._connection.clock.monotonic()
        answer = await self._connection.attempts.make(
            partial(self._ask_once, batch.body, batch.size, headers), deadline
        )
        return batch.merge(outputs_of(answer, (self._connection.clock.monotonic() - started) * 1000))

    async def _ask_once(self, body: bytes, rows: int, headers: dict[str, str], timeout_s: float) -> Answer:
        found = await self._connection.endpoint.exchange(
            "POST", "/columns", timeout_s=timeout_s, expected_type=ANSWER_TYPE, content=body, headers=headers
        )
        try:
            answer = decode_answer(found, rows)
        except CutOffError as error:
            raise ModelTransientError(self._model, self._url, str(error)) from error
        except ColumnarError as error:
            raise BadResponseError(self._model, self._url, str(error)) from error
        self._check_identity(answer.model, answer.version)
        return answer

    async def _describe_once(self, timeout_s: float) -> ModelDescription:
        found = await self._connection.endpoint.exchange(
            "GET", "/model_info", timeout_s=timeout_s, expected_type="application/json"
        )
        try:
            description = ModelDescription.model_validate_json(found)
        except ValidationError as error:
            raise BadResponseError(
                self._model, self._url, f"expected a description of a model: {error}"
            ) from error
        self._check_identity(description.model, description.version)
        return description

    def _check_identity(self, model: str, version: str) -> None:
        if model != self._model or self._version not in (None, version):
            raise BadResponseError(
                self._model,
                self._url,
                f"expected {self._model} {self._version or 'of any version'}, found {model} {version}. "
                "Was the port taken over by another model?",
            )
