"""Who is told what comes of the calls to an endpoint: for metrics, and for what is reported of its health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from ekiben_contracts.health import BreakerState
from ekiben_serving.clock import Clock, SystemClock
from ekiben_serving.errors import ModelClientError
from ekiben_serving.model_client import EndpointHealth, Explanation, Features, ModelClient, ModelOutput
from ekiben_serving.validation import RowError

ANSWERED: Final = "answered"
NO_ROW_ERRORS: Mapping[str, int] = MappingProxyType({})


class EndpointWatch(Protocol):
    """Told once a call, and once a turn of the breaker; whoever watches must be quick."""

    def called(self, rows: int, seconds: float, outcome: str, row_errors: Mapping[str, int]) -> None:
        """A call ended: `outcome` is ANSWERED, or the kind of its error. Rows that failed alone, by code."""
        ...

    def breaker_turned(self, state: BreakerState) -> None: ...
    def closed(self) -> None:
        """The client is closed: nothing more will be told."""
        ...


OpenWatch = Callable[[str, str, str], EndpointWatch]
"""The watch of a new client, by its model, version and address."""


class WatchedModelClient:
    """A ModelClient that tells a watch what came of each call to another one.

    A call that is cancelled, or ends in a bug, is told nobody: it says nothing of the endpoint.
    """

    def __init__(self, client: ModelClient, watch: EndpointWatch, *, clock: Clock | None = None) -> None:
        self._client = client
        self._watch = watch
        self._clock = clock or SystemClock()

    async def predict(
        self, entity_id: str, features: Features, time_horizon: str = "short_term"
    ) -> ModelOutput:
        """See ModelClient.predict."""
        began = self._clock.monotonic()
        try:
            output = await self._client.predict(entity_id, features, time_horizon)
        except ModelClientError as error:
            self._tell(1, began, error.kind)
            raise
        self._tell(1, began, ANSWERED)
        return output

    async def predict_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[ModelOutput | RowError]:
        """See ModelClient.predict_batch."""
        began = self._clock.monotonic()
        try:
            answers = await self._client.predict_batch(rows, budget_s=budget_s, traceparent=traceparent)
        except ModelClientError as error:
            self._tell(len(rows), began, error.kind)
            raise
        self._tell(len(rows), began, ANSWERED, _row_errors(answers))
        return answers

    async def explain_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[Explanation | RowError]:
        """See ModelClient.explain_batch. Told nobody: gates judge a version by how it predicts."""
        return await self._client.explain_batch(rows, budget_s=budget_s, traceparent=traceparent)

    async def health(self) -> EndpointHealth:
        """See ModelClient.health."""
        return await self._client.health()

    async def close(self) -> None:
        """See ModelClient.close."""
        await self._client.close()
        self._watch.closed()

    def _tell(
        self, rows: int, began: float, outcome: str, row_errors: Mapping[str, int] = NO_ROW_ERRORS
    ) -> None:
        self._watch.called(rows, self._clock.monotonic() - began, outcome, row_errors)


def _row_errors(answers: Sequence[ModelOutput | RowError]) -> Mapping[str, int]:
    if set(map(type, answers)) <= {ModelOutput}:  # a microsecond for forty rows: every row passes here
        return NO_ROW_ERRORS
    return Counter(answer.code for answer in answers if isinstance(answer, RowError))
