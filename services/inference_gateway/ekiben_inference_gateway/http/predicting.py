"""The port that every HTTP route stands on: requests in, outputs or refusals out. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from ekiben_contracts.models import ProblemType
from ekiben_contracts.prediction import PredictionRequested
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.routing import Choice, Endpoint
from ekiben_inference_gateway.scoring import Scored
from ekiben_serving.model_client import EndpointHealth


class BusyError(Exception):
    """More is waiting than may wait: ask again after `retry_after_s`. Nothing was asked of any model."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServedModel(NamedTuple):
    """A single model that takes traffic. One that a file routes has no problem type."""

    name: str
    choices: tuple[Choice, ...]
    problem_type: ProblemType | None = None
    classes: tuple[str, ...] = ()


class Predictor(Protocol):
    """Asks models as the bus does: same versions drawn, same paces, outages and gaps."""

    async def predict(
        self,
        asked: Sequence[PredictionRequested],
        *,
        version: str | None = None,
        names_entity: bool = True,
    ) -> Sequence[Scored | Refusal]:
        """One for each request, in their order. One without a request_id is given one.

        An ensemble is refused with the bus named. With a `version` that one is asked; it must take traffic.
        Without `names_entity` their entity_ids are made up, and no feature store is asked about them.

        Raises:
            BusyError: too much is waiting already.
        """
        ...

    def models(self) -> Mapping[str, ServedModel]:
        """Every single model that can be asked now, by name."""
        ...

    async def find(self, name: str, version: str | None = None) -> ServedModel | Refusal:
        """One of them, with that version alone if one is named; before it is unknown the routes are read."""
        ...

    async def health(self, model: ServedModel) -> Mapping[Endpoint, EndpointHealth]:
        """Each endpoint behind a model, asked now, all at the same time."""
        ...
