"""Where MLflow and BentoML keep their state."""

from __future__ import annotations

from pathlib import Path

import pytest

from ekiben_mlops.settings import MlopsSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EKIBEN_HOME", "MLFLOW_TRACKING_URI", "MLFLOW_ARTIFACT_ROOT", "BENTOML_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_by_default_all_of_it_lies_under_ekiben_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EKIBEN_HOME", "/state")
    settings = MlopsSettings()

    assert settings.tracking_uri == "sqlite:////state/mlflow.db"
    assert settings.artifact_root == "file:///state/mlartifacts"
    assert settings.bentoml_home == Path("/state/bentoml")


def test_each_place_can_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    monkeypatch.setenv("MLFLOW_ARTIFACT_ROOT", "s3://models")
    monkeypatch.setenv("BENTOML_HOME", "/bentos")
    settings = MlopsSettings()

    assert settings.tracking_uri == "http://mlflow:5000"
    assert settings.artifact_root == "s3://models"
    assert settings.bentoml_home == Path("/bentos")


def test_a_password_is_not_shown() -> None:
    settings = MlopsSettings(tracking_uri_override="postgresql://user:secret@db/mlflow")

    assert settings.shown_tracking_uri == "postgresql://***@db/mlflow"
