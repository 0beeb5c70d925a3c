"""MLflow on SQLite: runs, versions, aliases, and what may be loaded."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ekiben_contracts.models import DType, FeatureSpec, ProblemType
from ekiben_mlops.errors import UnknownModelError, UnservableModelError, UntrustedModelError
from ekiben_mlops.logged_model import read_logged_model
from ekiben_mlops.registry import Registry
from ekiben_mlops.trained import trained_event
from integration.served import Logged, flights


def test_the_event_of_a_model_says_all_that_serving_needs(classifier: Logged) -> None:
    event = classifier.event

    assert event.model_uri == "models:/late/1"
    assert event.problem_type is ProblemType.CLASSIFICATION
    assert event.classes == ["late", "on time"]
    assert event.metrics == {"auc": 0.75}
    assert event.signature == [
        FeatureSpec(name="distance", dtype=DType.DOUBLE),
        FeatureSpec(name="wind", dtype=DType.DOUBLE, required=False),
        FeatureSpec(name="temperature", dtype=DType.FLOAT),
        FeatureSpec(name="seats", dtype=DType.LONG),
        FeatureSpec(name="hour", dtype=DType.INTEGER),
        FeatureSpec(name="night", dtype=DType.BOOLEAN),
        FeatureSpec(name="carrier", dtype=DType.STRING),
    ]
    example = flights(600).head(1)
    assert event.input_example.expected == pytest.approx(classifier.fitted.predict_proba(example)[0, 1])


def test_a_loaded_model_answers_as_the_one_that_was_logged(
    classifier: Logged, registry: Registry, tmp_path: Path
) -> None:
    logged = read_logged_model(registry.download("models:/late/1", tmp_path))
    rows = flights(50, seed=1)

    assert np.array_equal(logged.load().predict_proba(rows), classifier.fitted.predict_proba(rows))
    assert any(line.startswith("scikit-learn==") for line in logged.requirements)


def test_a_run_that_raises_is_marked_failed(registry: Registry) -> None:
    with pytest.raises(ZeroDivisionError), registry.run("flights") as run:
        raise ZeroDivisionError

    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_an_experiment_is_made_once_and_found_again(registry: Registry) -> None:
    with registry.run("again") as first:
        pass
    with registry.run("again") as second:
        pass

    assert first.info.experiment_id == second.info.experiment_id
    assert first.info.run_id != second.info.run_id


def test_an_alias_names_a_version_and_can_be_resolved(classifier: Logged, registry: Registry) -> None:
    assert registry.alias("late", "champion") is None

    registry.set_alias("late", "1", "champion")

    assert registry.alias("late", "champion") == "1"
    assert registry.resolve("models:/late@champion").version == 1
    assert registry.version("late", "1").tags["stage"] == "Staging"


@pytest.mark.parametrize(
    "uri",
    [
        "/etc",
        "file:///tmp/model",
        "runs:/0123456789abcdef/model",
        "s3://bucket/model",
        "models:/late/Production",
        "models:/m-0b199af8c23f40e784468a92d7989efa",
        "models:/late/1/../2",
        "models://elsewhere/late/1",
        "",
    ],
)
def test_what_is_not_of_the_registry_is_not_loaded(registry: Registry, uri: str, tmp_path: Path) -> None:
    with pytest.raises(UntrustedModelError, match="expected models:/NAME/VERSION"):
        registry.download(uri, tmp_path)


@pytest.mark.parametrize("uri", ["models:/late/99", "models:/nobody/1", "models:/late@nobody"])
def test_what_the_registry_does_not_have_is_told(
    classifier: Logged, registry: Registry, uri: str, tmp_path: Path
) -> None:
    with pytest.raises(UnknownModelError, match="found none"):
        registry.download(uri, tmp_path)


def _add_one(values: np.ndarray) -> np.ndarray:
    return values + 1


def test_a_model_with_code_of_its_own_is_refused(registry: Registry) -> None:
    rows = flights(20)[["distance"]]
    model = make_pipeline(FunctionTransformer(_add_one), LinearRegression()).fit(rows, rows["distance"])

    with pytest.raises(UnservableModelError, match="_add_one"), registry.run("flights"):
        registry.log_model(model, "own-code", rows)


def test_a_column_that_is_marked_sensitive_is_so_in_what_is_known_of_the_version(registry: Registry) -> None:
    rows = flights(20)[["distance", "hour"]]
    model = LinearRegression().fit(rows, rows["distance"])
    with registry.run("flights"):
        version = registry.log_model(model, "marked", rows, sensitive=["hour"])

    signature = trained_event(registry, "marked", version).signature

    assert {spec.name: spec.sensitive for spec in signature} == {"distance": False, "hour": True}
    with pytest.raises(UnservableModelError, match="found hours"), registry.run("flights"):
        registry.log_model(model, "marked", rows, sensitive=["hours"])
