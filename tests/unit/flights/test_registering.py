from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV

from ekiben_contracts.models import ProblemType
from ekiben_flights.data import Year, label, landed, was_late
from ekiben_flights.features import SIGNATURE, features
from ekiben_flights.models import MODELS
from ekiben_flights.train import register
from ekiben_flights.training import Trained, typical
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    home: Path = tmp_path_factory.mktemp("home")
    return Registry(MlopsSettings(home=home, tracking_uri_override=None))


@pytest.mark.parametrize("name", MODELS)
def test_a_registered_model_tells_what_it_takes_and_answers(
    name: str, year: Year, registry: Registry
) -> None:
    flights = landed(year.flights).iloc[20_000:22_000]
    rows, late = features(flights, year), label(was_late(flights))
    model = CalibratedClassifierCV(MODELS[name](), cv=2).fit(rows, late)
    trained = Trained(name, model, {"auc": 0.75}, {"rows_fit": "2000"}, typical(rows))

    event = trained_event(registry, name, register(registry, trained))

    assert event.signature == list(SIGNATURE)
    assert (event.problem_type, event.classes) == (ProblemType.CLASSIFICATION, ["in_time", "late"])
    assert event.metrics == {"auc": 0.75}
    example = pd.DataFrame([event.input_example.features]).astype(rows.dtypes)
    assert event.input_example.expected == pytest.approx(model.predict_proba(example)[0, 1])
