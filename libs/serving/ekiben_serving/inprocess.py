"""A model in this very process: no network, no other process to be down, and the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from ekiben_contracts.health import BreakerState
from ekiben_serving.batches import Batch, batches_of
from ekiben_serving.clock import Clock, SystemClock
from ekiben_serving.columnar import ColumnarError
from ekiben_serving.columnar_calls import EXPLAIN, PREDICT, ColumnarCall, Identified
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    ModelTimeoutError,
    ModelUnavailableError,
    NoExplainerError,
)
from ekiben_serving.loading import ExplainingModel, Load, LoadedModel, load_registered
from ekiben_serving.model_client import EndpointHealth, Explanation, Features, ModelOutput
from ekiben_serving.single import predict_one
from ekiben_serving.validation import RowError, Signature

_MOST_BYTES: Final = 16 * 1024 * 1024


A = TypeVar("A", bound=Identified)
T = TypeVar("T")


class InProcessModelClient:
    """A ModelClient that loads its model when it is first asked, and computes in a thread of its own.

    One body at a time: a call that finds the thread busy beyond its budget is given up, as with an endpoint
    that is too slow. A model that cannot be loaded is unavailable, and loaded again at the next call; so is
    another model, or with a `version` another one than that: where this stands in for an endpoint that is
    away, its requests had better wait for that than be answered by something else.
    """

    def __init__(
        self,
        model_name: str,
        model_uri: str,
        *,
        version: str | None = None,
        load: Load = load_registered,
        clock: Clock | None = None,
    ) -> None:
        self._model = model_name
        self._uri = model_uri
        self._version = version
        self._load = load
        self._clock = clock or SystemClock()
        self._thread = ThreadPoolExecutor(1, f"model {model_name}")
        self._loaded: tuple[LoadedModel, Signature] | None = None

    async def predict(
        self, entity_id: str, features: Features, time_horizon: str = "short_term"
    ) -> ModelOutput:
        """See ModelClient.predict."""
        return await predict_one(self, self._model, self._uri, entity_id, features, time_horizon)

    async def predict_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[ModelOutput | RowError]:
        """See ModelClient.predict_batch."""
        del traceparent  # nothing leaves this process
        return await self._ask_all(PREDICT, _predict, rows, budget_s)

    async def explain_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[Explanation | RowError]:
        """See ModelClient.explain_batch."""
        del traceparent
        return await self._ask_all(EXPLAIN, partial(self._explain, budget_s), rows, budget_s)

    async def _ask_all(
        self,
        call: ColumnarCall[A, T],
        of: Callable[[LoadedModel, bytes], bytes],
        rows: Sequence[Features],
        budget_s: float | None,
    ) -> list[T | RowError]:
        found: list[T | RowError] = []
        try:
            async with asyncio.timeout(budget_s):
                loaded, signature = self._loaded or await self._run(self._load_once)
                for batch in batches_of(rows, signature, call.most_rows, _MOST_BYTES):
                    found += await self._ask(call, partial(of, loaded), batch)
        except TimeoutError:
            raise ModelTimeoutError(
                self._model,
                self._uri,
                f"expected an answer within {budget_s:.3g} s, found none. "
                "Send fewer rows, or serve it over HTTP.",
            ) from None
        return found

    async def health(self) -> EndpointHealth:
        """See ModelClient.health. It is ready once it could be loaded."""
        try:
            if self._loaded is None:
                await self._run(self._load_once)
        except ModelUnavailableError as error:
            return EndpointHealth(False, BreakerState.OPEN, str(error))
        return EndpointHealth(True, BreakerState.CLOSED)

    async def close(self) -> None:
        """See ModelClient.close."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _ask(
        self, call: ColumnarCall[A, T], answer: Callable[[bytes], bytes], batch: Batch
    ) -> list[T | RowError]:
        if batch.body is None:
            return batch.merge([])
        started = self._clock.monotonic()
        found = await self._run(partial(self._answer, answer, batch.body))
        try:
            answered = call.decode(found, batch.size)
        except ColumnarError as error:
            raise BadResponseError(self._model, self._uri, str(error)) from error
        return batch.merge(call.of_rows(answered, (self._clock.monotonic() - started) * 1000))

    def _explain(self, budget_s: float | None, loaded: LoadedModel, body: bytes) -> bytes:
        if not isinstance(loaded, ExplainingModel):
            raise self._no_explainer(f"found {type(loaded).__name__}, which only predicts.")
        try:
            return loaded.explain_columns(body, budget_s)
        except LookupError as error:
            raise self._no_explainer(f"found none: {error}") from error

    def _no_explainer(self, found: str) -> NoExplainerError:
        return NoExplainerError(self._model, self._uri, f"expected a model that explains itself, {found}")

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _answer(self, answer: Callable[[bytes], bytes], body: bytes) -> bytes:
        try:
            return answer(body)
        except NoExplainerError:
            raise
        except ValueError as error:
            raise BadRequestError(self._model, self._uri, str(error)) from error
        except Exception as error:
            raise BadResponseError(
                self._model, self._uri, f"expected an answer, found {type(error).__name__}: {error}"
            ) from error

    def _load_once(self) -> tuple[LoadedModel, Signature]:
        if self._loaded is None:
            try:
                loaded = self._load(self._uri)
            except ModelUnavailableError:
                raise
            except Exception as error:
                raise ModelUnavailableError(
                    self._model, self._uri, f"expected to load it here, found {type(error).__name__}: {error}"
                ) from error
            if loaded.model != self._model or self._version not in (None, loaded.version):
                raise ModelUnavailableError(
                    self._model,
                    self._uri,
                    f"expected {self._model} {self._version or 'of any version'}, "
                    f"found {loaded.model} {loaded.version}. Is its URI right?",
                )
            self._loaded = loaded, Signature(loaded.signature)
        return self._loaded


def _predict(loaded: LoadedModel, body: bytes) -> bytes:
    return loaded.answer_columns(body)
