"""A model behind a BentoML API that somebody wrote: rows in JSON, and no errors by row."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import httpx

from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec
from ekiben_serving.clock import Clock
from ekiben_serving.connection import DEFAULT_LIMITS, ClientLimits, Connection, headers_of
from ekiben_serving.errors import (
    BadResponseError,
    ModelClientError,
    ModelTimeoutError,
    ModelUnavailableError,
    NoExplainerError,
)
from ekiben_serving.json_bodies import (
    JSON_TYPE,
    JSONBodyError,
    check_finite,
    decode_answers,
    encode_body,
)
from ekiben_serving.model_client import EndpointHealth, Explanation, Features, ModelOutput
from ekiben_serving.single import predict_one
from ekiben_serving.splitting import Splitting
from ekiben_serving.validation import RowError, Signature


class JSONModelClient:
    """A ModelClient of an API such as `def predict(self, rows: list[dict]) -> list[float]`.

    `api` is its path, `parameter` the name of its argument. What it answers says neither model nor version:
    they are the ones given here. Without a `signature` it is sent the features as they are. A body that
    fails is split to find its bad rows; see ekiben_serving.splitting. What it says of a row is passed on to
    that row alone, and to none where a column of the signature is sensitive.
    """

    def __init__(
        self,
        model_name: str,
        endpoint_url: str,
        timeout: float = 5.0,
        max_retries: int = 3,
        *,
        version: str,
        api: str = "/predict",
        parameter: str = "rows",
        signature: Sequence[FeatureSpec] | None = None,
        limits: ClientLimits = DEFAULT_LIMITS,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        on_breaker: Callable[[BreakerState], None] | None = None,
    ) -> None:
        self._model = model_name
        self._version = version
        self._api = api
        self._parameter = parameter
        self._signature = Signature(signature or ())
        self._is_sensitive = any(spec.sensitive for spec in self._signature.specs)
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
            hint=f"Does {api} take a list of rows named {parameter}?",
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
        """See ModelClient.predict_batch. An UnresolvedRowError is of a row that may not be the bad one."""
        deadline, headers = self._connection.deadline(budget_s), headers_of(JSON_TYPE, traceparent)
        checked = [self._signature.check(row) or check_finite(row) for row in rows]
        fitting = [row for row, error in zip(rows, checked, strict=True) if error is None]
        answers: list[ModelOutput | RowError] = []
        for start in range(0, len(fitting), self._limits.rows_per_call):
            body = fitting[start : start + self._limits.rows_per_call]
            answers += await self._ask(body, headers, deadline, is_for_all=len(rows) > 1)
        answer: Iterator[ModelOutput | RowError] = iter(answers)
        return [next(answer) if error is None else error for error in checked]

    async def explain_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[Explanation | RowError]:
        """See ModelClient.explain_batch: nobody agreed with it on how it would explain anything."""
        del rows, budget_s, traceparent
        raise NoExplainerError(
            self._model,
            self._url,
            f"expected a Bento that Ekiben packaged, found an API of somebody's own, {self._api}, which "
            "gives predictions alone. Register the model and let Ekiben package it.",
        )

    async def health(self) -> EndpointHealth:
        """See ModelClient.health. It asks GET /readyz, and neither heeds nor moves the breaker."""
        return await self._connection.health()

    async def close(self) -> None:
        """See ModelClient.close."""
        await self._connection.close()

    async def _ask(
        self, rows: Sequence[Features], headers: dict[str, str], deadline: float, *, is_for_all: bool
    ) -> list[ModelOutput | RowError]:
        """One body, in parts once it fails. The error of the whole may be `is_for_all`, other rows too."""
        splitting = Splitting(len(rows))
        while (part := splitting.next_part()) is not None:
            asked = rows[part]
            is_quotable = len(asked) == 1 and (len(rows) > 1 or not is_for_all)
            try:
                self._check_time_left(splitting, deadline)
                ask = partial(self._ask_once, asked, headers, is_quotable and not self._is_sensitive)
                splitting.answered(part, await self._connection.attempts.make(ask, deadline))
            except ModelUnavailableError as error:
                splitting.away(part, error)
            except ModelClientError as error:
                splitting.failed(part, error)
        return splitting.outcomes()

    def _check_time_left(self, splitting: Splitting, deadline: float) -> None:
        """Splitting uses the budget up by itself: that must not count against the endpoint in its breaker."""
        if splitting.first_error is not None and self._connection.clock.monotonic() >= deadline:
            raise ModelTimeoutError(self._model, self._url, str(splitting.first_error))

    async def _ask_once(
        self, rows: Sequence[Features], headers: dict[str, str], is_quotable: bool, timeout_s: float
    ) -> list[ModelOutput | RowError]:
        body = encode_body(self._parameter, rows, self._signature.specs)
        started = self._connection.clock.monotonic()
        found = await self._connection.endpoint.exchange(
            "POST",
            self._api,
            timeout_s=timeout_s,
            expected_type=JSON_TYPE,
            content=body,
            headers=headers,
            is_quotable=is_quotable,
        )
        latency_ms = (self._connection.clock.monotonic() - started) * 1000
        try:
            return decode_answers(
                found,
                len(rows),
                model=self._model,
                version=self._version,
                latency_ms=latency_ms,
                is_quotable=is_quotable,
                is_sensitive=self._is_sensitive,
            )
        except JSONBodyError as error:
            raise BadResponseError(self._model, self._url, f"{error}. Does {self._api} take rows?") from error
