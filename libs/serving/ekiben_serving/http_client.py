"""A model behind HTTP: one of our Bentos, asked in columns."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import httpx
from pydantic import ValidationError

from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec
from ekiben_serving.batches import Batch, batches_of
from ekiben_serving.clock import Clock
from ekiben_serving.columnar import COLUMNS_TYPE, ColumnarError, CutOffError
from ekiben_serving.columnar.explanation import BUDGET_HEADER
from ekiben_serving.columnar_calls import EXPLAIN, PREDICT, ColumnarCall, Identified
from ekiben_serving.connection import DEFAULT_LIMITS, ClientLimits, Connection, headers_of
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    ModelProtocolError,
    ModelTransientError,
    NoExplainerError,
)
from ekiben_serving.model_client import EndpointHealth, Explanation, Features, ModelDescription, ModelOutput
from ekiben_serving.single import predict_one
from ekiben_serving.validation import RowError, Signature

A = TypeVar("A", bound=Identified)
T = TypeVar("T")


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
        return await self._ask_all(PREDICT, rows, budget_s, traceparent)

    async def explain_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[Explanation | RowError]:
        """See ModelClient.explain_batch. What exceeds one call is sent in several, one after the other."""
        try:
            return await self._ask_all(EXPLAIN, rows, budget_s, traceparent)
        except BadRequestError as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise
            raise NoExplainerError(
                self._model,
                self._url,
                f"{error} It explains nothing. Package it again with ekiben-mlops[shap] installed.",
            ) from error

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

    async def _ask_all(
        self,
        call: ColumnarCall[A, T],
        rows: Sequence[Features],
        budget_s: float | None,
        traceparent: str | None,
    ) -> list[T | RowError]:
        deadline, headers = self._connection.deadline(budget_s), headers_of(COLUMNS_TYPE, traceparent)
        most_rows = min(call.most_rows, self._limits.rows_per_call)
        found: list[T | RowError] = []
        try:
            signature = self._given or self._learned or await self._learn(deadline)
            for batch in batches_of(rows, signature, most_rows, self._limits.request_bytes):
                found += await self._ask(call, batch, headers, deadline)
        except ModelProtocolError:
            self._learned = None  # the endpoint may serve another version by now
            raise
        return found

    async def _ask(
        self, call: ColumnarCall[A, T], batch: Batch, headers: Mapping[str, str], deadline: float
    ) -> list[T | RowError]:
        if batch.body is None:
            return batch.merge([])
        started = self._connection.clock.monotonic()
        attempts = self._connection.aside if call.is_aside else self._connection.attempts
        answer = await attempts.make(partial(self._ask_once, call, batch.body, batch.size, headers), deadline)
        return batch.merge(call.of_rows(answer, (self._connection.clock.monotonic() - started) * 1000))

    async def _ask_once(
        self,
        call: ColumnarCall[A, T],
        body: bytes,
        rows: int,
        headers: Mapping[str, str],
        timeout_s: float,
    ) -> A:
        if call.is_aside:
            headers = {**headers, BUDGET_HEADER: f"{timeout_s * 1000:.0f}"}
        found = await self._connection.endpoint.exchange(
            "POST",
            call.path,
            timeout_s=timeout_s,
            expected_type=call.answer_type,
            content=body,
            headers=headers,
        )
        try:
            answer = call.decode(found, rows)
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
