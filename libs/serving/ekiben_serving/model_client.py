"""The port behind which a model answers, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from ekiben_contracts.event import FeatureValue, ModelName, Part
from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec, ProblemType
from ekiben_serving.validation import RowError

Features = Mapping[str, FeatureValue]
"""One row: values by feature name. Names that the signature does not have are ignored."""


class ModelOutput(Struct, frozen=True, gc=False):
    """What one version of a model answered to one row.

    `value` is the prediction, or of a classifier the probability of the positive (two classes) or
    winning class. `latency_ms` is that of the whole call. Thousands are made a second.
    """

    model: str
    version: str
    value: float
    label: str | None = None
    probabilities: dict[str, float] | None = None
    latency_ms: float = 0.0


class Explanation(NamedTuple):
    """How much each feature of one row moved the answer of one version of a model.

    `value` is the ModelOutput's own: the attributions and `expected` add up to it, in its units, which of
    a classifier are those of the probability of `label`: the positive (two classes) or winning class.
    `expected` is what the model answers where nothing is known of the row.
    """

    model: str
    version: str
    value: float
    expected: float
    attributions: dict[str, float]
    label: str | None = None
    latency_ms: float = 0.0


class ModelDescription(Part):
    """What an endpoint says it serves. `classes` are in the order of the probabilities."""

    model: ModelName
    version: str
    problem_type: ProblemType
    signature: tuple[FeatureSpec, ...]
    classes: tuple[str, ...] = ()


class EndpointHealth(NamedTuple):
    """Whether an endpoint would answer now, and if not, why."""

    ready: bool
    breaker: BreakerState
    detail: str = ""


class ModelClient(Protocol):
    """One model at one endpoint. Safe to share between tasks of one event loop."""

    async def predict(
        self, entity_id: str, features: Features, time_horizon: str = "short_term"
    ) -> ModelOutput:
        """Ask for one row. A signature may have columns named entity_id and time_horizon.

        Raises:
            BadRequestError: the row breaks the signature.
            ModelClientError: see its tree for what to do.
        """
        ...

    async def predict_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[ModelOutput | RowError]:
        """Ask for many rows at once; the answers stand in the order of the rows.

        Rows are checked against the signature here: a bad one gets its RowError and the others are
        answered. `budget_s` bounds the whole call, retries included.

        Raises:
            ModelClientError: nothing could be answered; see its tree for what to do.
        """
        ...

    async def explain_batch(
        self, rows: Sequence[Features], *, budget_s: float | None = None, traceparent: str | None = None
    ) -> Sequence[Explanation | RowError]:
        """Ask what moved the answers to some rows: one attribution for each column of the signature.

        As predict_batch in all else. It costs the model many predictions a row: a row that there was no
        time for has its RowError.

        Raises:
            NoExplainerError: the model has no attributions to give.
            ModelClientError: nothing could be answered; see its tree for what to do.
        """
        ...

    async def health(self) -> EndpointHealth:
        """Ask whether the model is ready. Never raises for an endpoint that is away."""
        ...

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        ...
