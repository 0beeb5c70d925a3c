"""The model.trained event of a registered version, read back from what was logged with it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sklearn.base import is_classifier, is_regressor

from ekiben_contracts.models import Calibration, InputExample, ProblemType
from ekiben_contracts.training import ModelTrained
from ekiben_mlops.causal_models import is_causal
from ekiben_mlops.errors import UnservableModelError
from ekiben_mlops.logged_model import LoggedModel, read_logged_model
from ekiben_mlops.registry import Registry
from ekiben_mlops.templates import causal, classification, regression
from ekiben_mlops.templates.scoring import Scorer

_TEMPLATES: Final[Mapping[ProblemType, ModuleType]] = {
    ProblemType.CLASSIFICATION: classification,
    ProblemType.REGRESSION: regression,
    ProblemType.CAUSAL: causal,
}


def trained_event(
    registry: Registry,
    model: str,
    version: str,
    *,
    calibration: Calibration | None = None,
    feature_service: str | None = None,
) -> ModelTrained:
    """Signature, classes, metrics and the input example with what the model answers to it.

    Raises:
        UnknownModelError: the registry does not have the version.
        UnservableModelError: our templates cannot serve it; the message says why.
    """
    registered = registry.version(model, version)
    uri = f"models:/{model}/{version}"
    with tempfile.TemporaryDirectory() as directory:
        logged = read_logged_model(registry.download(uri, Path(directory)))
        fitted = logged.load()
    problem_type = problem_type_of(fitted)
    return ModelTrained(
        model=model,
        version=str(version),
        model_uri=uri,
        problem_type=problem_type,
        signature=list(logged.signature),
        classes=[str(name) for name in fitted.classes_]
        if problem_type is ProblemType.CLASSIFICATION
        else None,
        metrics=registry.run_metrics(str(registered.run_id)),
        calibration=calibration,
        feature_service=feature_service,
        input_example=InputExample(
            features=dict(logged.example), expected=_expected(fitted, problem_type, logged)
        ),
        run_id=str(registered.run_id),
        trained_at=datetime.fromtimestamp(registered.creation_timestamp / 1000, UTC),
    )


def problem_type_of(model: Any) -> ProblemType:
    """What a fitted model answers.

    Raises:
        UnservableModelError: it is no causal model, classifier with probabilities, or regressor.
    """
    if is_causal(model):
        return ProblemType.CAUSAL
    if is_classifier(model) and hasattr(model, "predict_proba"):
        return ProblemType.CLASSIFICATION
    if is_regressor(model):
        return ProblemType.REGRESSION
    raise UnservableModelError(
        f"expected a regressor or a classifier with predict_proba, found {type(model).__name__}. "
        "A classifier without probabilities can be wrapped in CalibratedClassifierCV."
    )


def _expected(model: Any, problem_type: ProblemType, logged: LoggedModel) -> float:
    """What the service template will answer to the example, by the code of the template itself."""
    scorer = Scorer("", "", logged.signature, (), _TEMPLATES[problem_type].predictor(model))
    answer = scorer.score_rows([logged.example])
    if answer.errors:
        raise UnservableModelError(
            f"expected the model to answer its input example, found {answer.errors[0][1]}"
        )
    return float(answer.values[0])
