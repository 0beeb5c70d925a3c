"""A model in this very process: no network, no other process to be down, and the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import Final, Protocol, TypeVar

from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec
from ekiben_serving.answers import outputs_of
from ekiben_serving.batches import Batch, batches_of
from ekiben_serving.clock import Clock, SystemClock
from ekiben_serving.columnar import ColumnarError, decode_answer
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from ekiben_serving.model_client import EndpointHealth, Features, ModelOutput
from ekiben_serving.single import predict_one
from ekiben_serving.validation import RowError, Signature

LOADERS: Final = "ekiben.model_loaders"
"""Entry points that load models, by the scheme of their URI: `models` is the MLflow registry's."""
_MOST_ROWS: Final = 1024
_MOST_BYTES: Final = 16 * 1024 * 1024


class LoadedModel(Protocol):
    """A model that takes and gives the bodies of a model server (see ekiben_serving.columnar)."""

    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def signature(self) -> Sequence[FeatureSpec]: ...
    def answer_columns(self, body: bytes) -> bytes:
        """The answer to a body.

        Raises:
            ValueError: its columns are not those of the signature.
        """
        ...


T = TypeVar("T")
Load = Callable[[str], LoadedModel]


def load_registered(model_uri: str) -> LoadedModel:
    """Load a model by its URI, such as models:/delay/3, with what is installed for that.

    Raises:
        ModelUnavailableError: nothing that is installed loads such a URI.
    """
    scheme = model_uri.partition(":")[0]
    for found in entry_points(group=LOADERS, name=scheme):
        load: Load = found.load()
        return load(model_uri)
    raise ModelUnavailableError(
        model_uri,
        "this process",
        f"expected something that loads {scheme}:/… here, found nothing installed; "
        "install ekiben-mlops beside this, or serve the model over HTTP",
    )


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
        outputs: list[ModelOutput | RowError] = []
        try:
            async with asyncio.timeout(budget_s):
                loaded, signature = self._loaded or await self._run(self._load_once)
                for batch in batches_of(rows, signature, _MOST_ROWS, _MOST_BYTES):
                    outputs += await self._ask(loaded, batch)
        except TimeoutError:
            raise ModelTimeoutError(
                self._model,
                self._uri,
                f"expected an answer within {budget_s:.3g} s, found none. "
                "Send fewer rows, or serve it over HTTP.",
            ) from None
        return outputs

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

    async def _ask(self, loaded: LoadedModel, batch: Batch) -> list[ModelOutput | RowError]:
        if batch.body is None:
            return batch.merge([])
        started, body = self._clock.monotonic(), batch.body
        found = await self._run(lambda: self._answer(loaded, body))
        try:
            answer = decode_answer(found, batch.size)
        except ColumnarError as error:
            raise BadResponseError(self._model, self._uri, str(error)) from error
        return batch.merge(outputs_of(answer, (self._clock.monotonic() - started) * 1000))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _answer(self, loaded: LoadedModel, body: bytes) -> bytes:
        try:
            return loaded.answer_columns(body)
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
