"""One body of rows to one model: its answers as outputs and gaps, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from ekiben_contracts.lean import LeanOutput
from ekiben_contracts.prediction import FailureCode, Output
from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.metrics import GatewayMetrics
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.pacing import Paces
from ekiben_inference_gateway.patience import Patience
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.routing import Choice, Endpoint
from ekiben_serving.errors import ModelClientError, ModelTransientError, ModelUnavailableError
from ekiben_serving.model_client import Features, ModelClient, ModelOutput
from ekiben_serving.splitting import UnresolvedRowError
from ekiben_serving.validation import RowError

ANSWERED = "answered"


class Clients(Protocol):
    """Where the client of a routed version comes from."""

    def of(self, choice: Choice, /) -> ModelClient: ...


class Caller:
    """Asks models for one lane, and keeps count of their calls, latencies and outages."""

    def __init__(
        self,
        clients: Clients,
        patience: Patience,
        outages: Outages,
        latencies: Latencies,
        paces: Paces,
        metrics: GatewayMetrics,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        self._clients = clients
        self._patience = patience
        self._outages = outages
        self._latencies = latencies
        self._paces = paces
        self._metrics = metrics
        self._timer = timer

    async def ask(
        self, choice: Choice, rows: Sequence[Features], budget_s: float, routed: frozenset[Endpoint]
    ) -> Sequence[Output | Gap]:
        """One output or gap for each row, in their order. One that is down is first asked for one row."""
        seconds = self._patience.seconds(choice.endpoint, len(rows), budget_s, routed)
        why_down = self._outages.why_down(choice.endpoint)
        if seconds is None:
            return [_unavailable(choice, why_down or "not asked")] * len(rows)
        if why_down is None or len(rows) == 1:
            return await self._call(choice, rows, seconds)
        first = await self._call(choice, rows[:1], seconds)
        if self._outages.why_down(choice.endpoint) is not None and _is_unavailable(first[0]):
            return [*first] * len(rows)
        return [*first, *await self._call(choice, rows[1:], seconds)]

    async def _call(self, choice: Choice, rows: Sequence[Features], seconds: float) -> Sequence[Output | Gap]:
        began = self._timer()
        try:
            with self._paces.asking(choice.endpoint) as at_a_time:
                answers = await self._clients.of(choice).predict_batch(rows, budget_s=seconds)
        except ModelClientError as error:
            self._count(choice, rows, began, type(error).__name__)
            return [self._failed(choice, error)] * len(rows)
        if len(answers) != len(rows):
            raise ValueError(
                f"expected {len(rows)} answers of model {choice.endpoint.model}, found {len(answers)}"
            )
        took = self._count(choice, rows, began, ANSWERED)
        if any(isinstance(answer, ModelOutput) for answer in answers):  # bad rows never left the client
            self._outages.up(choice.endpoint)
            self._latencies.learn(choice.endpoint, len(rows), took)
            self._paces.of(choice.endpoint).learn(len(rows), took, at_a_time)
        return [_answer(choice, answer) for answer in answers]

    def _failed(self, choice: Choice, error: ModelClientError) -> Gap:
        if isinstance(error, ModelUnavailableError):
            self._outages.down(choice.endpoint, str(error))
            return _unavailable(choice, str(error))
        self._outages.up(choice.endpoint)  # it answers, of whatever use: there is nothing to wait for
        transient = isinstance(error, ModelTransientError)
        return Gap(choice.endpoint.model, FailureCode.INTERNAL, str(error), choice.endpoint, transient)

    def _count(self, choice: Choice, rows: Sequence[Features], began: float, outcome: str) -> float:
        took = self._timer() - began
        self._metrics.called(choice.endpoint, len(rows), took, outcome)
        return took


def _unavailable(choice: Choice, why: str) -> Gap:
    return Gap(choice.endpoint.model, FailureCode.MODEL_UNAVAILABLE, why, choice.endpoint)


def _is_unavailable(answer: Output | Gap) -> bool:
    return isinstance(answer, Gap) and answer.code is FailureCode.MODEL_UNAVAILABLE


def _answer(choice: Choice, answer: ModelOutput | RowError) -> Output | Gap:
    if isinstance(answer, RowError):
        transient = isinstance(answer, UnresolvedRowError)
        return Gap(
            choice.endpoint.model, FailureCode(answer.code), answer.message, choice.endpoint, transient
        )
    # every field is of the type it must have: the client has checked the numbers, the routes the names
    return LeanOutput(
        model=choice.endpoint.model,
        version=choice.endpoint.version,
        role=choice.role,
        value=answer.value,
        label=answer.label,
        probabilities=answer.probabilities,
        latency_ms=answer.latency_ms,
    )
