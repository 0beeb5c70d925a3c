"""A model in memory, for the tests of whoever asks models: it checks rows and keeps order as real ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec
from ekiben_serving.errors import ModelClientError, ModelTimeoutError, NoExplainerError
from ekiben_serving.model_client import EndpointHealth, Explanation, Features, ModelOutput
from ekiben_serving.single import predict_one
from ekiben_serving.validation import RowError, Signature

Answer = Callable[[Features], ModelOutput | RowError]
Explain = Callable[[Features], Explanation | RowError]


class FakeModelClient:
    """Answers by a function of the row. Set `failure` to be down; see what was asked in `calls`.

    Without `explain` it has no explainer; what was to be explained is in `explained`.
    """

    def __init__(
        self, signature: Sequence[FeatureSpec], answer: Answer, explain: Explain | None = None
    ) -> None:
        self.failure: ModelClientError | None = None
        self.explain = explain
        self.explained: list[list[Features]] = []
        self.calls: list[list[Features]] = []
        self.budgets_s: list[float | None] = []
        self.traceparents: list[str | None] = []
        self.closed = False
        self._signature = Signature(signature)
        self._answer = answer

    async def predict(
        self, entity_id: str, features: Features, time_horizon: str = "short_term"
    ) -> ModelOutput:
        """See ModelClient.predict."""
        return await predict_one(self, "fake", "memory", entity_id, features, time_horizon)

    async def predict_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[ModelOutput | RowError]:
        """See ModelClient.predict_batch."""
        self.calls.append(list(rows))
        self._begin(budget_s, traceparent)
        return [self._signature.check(row) or self._answer(row) for row in rows]

    async def explain_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[Explanation | RowError]:
        """See ModelClient.explain_batch."""
        self.explained.append(list(rows))
        self._begin(budget_s, traceparent)
        if self.explain is None:
            raise NoExplainerError("fake", "memory", "expected a function that explains, found none")
        return [self._signature.check(row) or self.explain(row) for row in rows]

    def _begin(self, budget_s: float | None, traceparent: str | None) -> None:
        self.budgets_s.append(budget_s)
        self.traceparents.append(traceparent)
        if self.failure is not None:
            raise self.failure
        if budget_s is not None and budget_s <= 0:
            raise ModelTimeoutError("fake", "memory", "expected time left in the budget, found none")

    async def health(self) -> EndpointHealth:
        """See ModelClient.health."""
        return EndpointHealth(self.failure is None, BreakerState.CLOSED, str(self.failure or ""))

    async def close(self) -> None:
        """See ModelClient.close."""
        self.closed = True
