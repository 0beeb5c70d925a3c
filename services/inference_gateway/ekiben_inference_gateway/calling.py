"""One body of rows to one model: its answers as outputs and gaps, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from ekiben_contracts.models import Role
from ekiben_contracts.prediction import FailureCode, Output
from ekiben_inference_gateway.metrics import GatewayMetrics
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.routing import Choice
from ekiben_serving.errors import ModelClientError, ModelUnavailableError
from ekiben_serving.model_client import Features, ModelClient, ModelOutput
from ekiben_serving.validation import RowError

ANSWERED = "answered"


class Clients(Protocol):
    """Where the client of a routed version comes from."""

    def of(self, choice: Choice, /) -> ModelClient: ...


class Caller:
    """Asks models, and keeps count of their calls and outages."""

    def __init__(
        self,
        clients: Clients,
        outages: Outages,
        metrics: GatewayMetrics,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        self._clients = clients
        self._outages = outages
        self._metrics = metrics
        self._timer = timer

    async def ask(self, choice: Choice, rows: Sequence[Features], budget_s: float) -> Sequence[Output | Gap]:
        """One output or gap for each row, in their order."""
        began = self._timer()
        try:
            answers = await self._clients.of(choice).predict_batch(rows, budget_s=budget_s)
        except ModelClientError as error:
            self._count(choice, rows, began, type(error).__name__)
            return [self._failed(choice, error)] * len(rows)
        self._count(choice, rows, began, ANSWERED)
        self._outages.up(choice.endpoint)
        if len(answers) != len(rows):
            raise ValueError(
                f"expected {len(rows)} answers of model {choice.endpoint.model}, found {len(answers)}"
            )
        return [_answer(choice, answer) for answer in answers]

    def _failed(self, choice: Choice, error: ModelClientError) -> Gap:
        if not isinstance(error, ModelUnavailableError):
            return Gap(choice.endpoint.model, FailureCode.INTERNAL, str(error), choice.endpoint)
        self._outages.down(choice.endpoint)
        return Gap(choice.endpoint.model, FailureCode.MODEL_UNAVAILABLE, str(error), choice.endpoint)

    def _count(self, choice: Choice, rows: Sequence[Features], began: float, outcome: str) -> None:
        self._metrics.called(choice.endpoint, len(rows), self._timer() - began, outcome)


def _answer(choice: Choice, answer: ModelOutput | RowError) -> Output | Gap:
    if isinstance(answer, RowError):
        return Gap(choice.endpoint.model, FailureCode(answer.code), answer.message, choice.endpoint)
    return Output(
        model=choice.endpoint.model,
        version=choice.endpoint.version,
        role=Role(choice.role),
        value=answer.value,
        label=answer.label,
        probabilities=answer.probabilities,
        latency_ms=answer.latency_ms,
    )
