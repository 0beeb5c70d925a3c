"""A second and a third version of a prediction request: the contracts of releases to come."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ekiben_contracts.event import Event, FeatureValue, Identifier, ModelName, Utc
from ekiben_contracts.evolution.upcasting import Upcaster
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.sensitive import SENSITIVE_BY_FEATURE
from ekiben_contracts.topics import PREDICTION_REQUESTS

Hours = Annotated[int, Field(ge=1)]
HOURS = {"short_term": 24, "medium_term": 7 * 24, "long_term": 30 * 24}


def _in_hours(old: PredictionRequested) -> RequestedInHours:
    kept: dict[str, Any] = {**old.__dict__}
    words = kept.pop("time_horizon")
    return RequestedInHours(**kept, horizon_hours=HOURS.get(words))


class RequestedInHours(Event):
    """The horizon is a number of hours, where it was a word that meant something to each model."""

    type: ClassVar[str] = "ekiben.prediction.requested.v2"
    is_quick: ClassVar[bool] = True
    upcaster: ClassVar = Upcaster(PredictionRequested, _in_hours)

    request_id: Identifier | None = None
    model: ModelName
    entity_id: Identifier
    features: dict[str, FeatureValue] | None = Field(
        default=None, description="By name.", json_schema_extra=SENSITIVE_BY_FEATURE
    )
    horizon_hours: Hours | None = Field(default=24, description="How far ahead.")
    explain: bool = Field(default=False, description="Whether to say why.")
    context: bool = Field(default=False, description="Whether to say what surrounds it.")
    requested_at: Utc | None = None
    deadline: Utc | None = None


class Detail(StrEnum):
    """What is told beside the prediction."""

    NOTHING = "nothing"
    FEATURES = "features"


def _with_detail(old: RequestedInHours) -> RequestedInDetail:
    kept: dict[str, Any] = {**old.__dict__}
    del kept["context"]
    return RequestedInDetail(**kept | {"explain": Detail.FEATURES if old.explain else Detail.NOTHING})


class RequestedInDetail(Event):
    """To explain is no longer a yes or no."""

    type: ClassVar[str] = "ekiben.prediction.requested.v3"
    upcaster: ClassVar = Upcaster(RequestedInHours, _with_detail)

    request_id: Identifier | None = None
    model: ModelName
    entity_id: Identifier
    features: dict[str, FeatureValue] | None = Field(
        default=None, description="By name.", json_schema_extra=SENSITIVE_BY_FEATURE
    )
    horizon_hours: Hours | None = Field(default=24, description="How far ahead.")
    explain: Detail = Field(default=Detail.NOTHING, description="How much to say.")
    requested_at: Utc | None = None
    deadline: Utc | None = None


REQUESTS_IN_HOURS = replace(PREDICTION_REQUESTS, types=(RequestedInHours,))
REQUESTS_IN_DETAIL = replace(PREDICTION_REQUESTS, types=(RequestedInDetail,))
