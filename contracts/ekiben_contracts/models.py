"""What is said about models in more than one event: signature, calibration, combination."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from ekiben_contracts.event import FeatureValue, ModelName, Part, Version
from ekiben_contracts.expecting import Expecting
from ekiben_contracts.sensitive import SENSITIVE_BY_FEATURE


class ProblemType(StrEnum):
    """What a model answers."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    CAUSAL = "causal"


class DType(StrEnum):
    """The type of one feature, by MLflow's names."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"


class FeatureSpec(Part):
    """One input column of a model."""

    name: str = Field(min_length=1, description="Of the column.")
    dtype: DType = Field(description="Of its values.")
    required: bool = Field(
        default=True, description="Whether a request without it, or with null, cannot be answered."
    )
    sensitive: bool = Field(default=False, description="Its values are shown to nobody who has not asked.")


class Calibration(Part):
    """What a split-conformal interval needs: the quantile of the absolute residual for each coverage.

    Source: Lei et al., "Distribution-Free Predictive Inference for Regression" (2018).
    """

    id: str = Field(description="Pinned by what was scored with it.")
    quantiles: dict[Annotated[str, Field(pattern=r"^0\.[0-9]+$")], float] = Field(
        description="The half width of an interval, by its coverage."
    )


class InputExample(Part):
    """One row of features and what the model answered to it when it was logged."""

    features: dict[str, FeatureValue] = Field(json_schema_extra=SENSITIVE_BY_FEATURE, description="One row.")
    expected: float = Field(description="What the model answered to it.")


class Method(StrEnum):
    """How several models become one answer."""

    SINGLE = "single"
    AVERAGE = "average"
    WEIGHTED = "weighted"
    VOTING = "voting"
    STACKING = "stacking"


class Quorum(Part):
    """At least `n` members must have answered."""

    quorum: int = Field(ge=1, description="How many.")


MissingPolicy = Annotated[Literal["all", "any"] | Quorum, Expecting('"all", "any" or {"quorum": n}')]
"""Which members of an ensemble must answer for a result."""


class Role(StrEnum):
    """What a version is to its model."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    SHADOW = "shadow"
    RETIRED = "retired"


class ModelVersion(Part):
    """A model and one of its versions."""

    model: ModelName
    version: Version
