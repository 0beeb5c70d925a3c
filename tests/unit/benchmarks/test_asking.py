"""The harness knows a right answer from a wrong one, and asks everybody the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.asking import Asking, rows_of
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS

ROWS = [{"hour": 7.0, "distance": 39.02}, {"hour": 8.0, "distance": 1000.0}]


@pytest.fixture
def asking() -> Asking:
    return Asking("delay", ROWS, ["UA-1", "AA-2"], np.array([0.25, 0.75]))


def test_a_request_is_one_that_ekiben_s_own_client_could_have_written(asking: Asking) -> None:
    (ask,) = asking.asks(3, 4)

    event = decode(ask.value, [(name, bytes(value)) for name, value in ask.headers], PREDICTION_REQUESTS)

    assert event.id == "r3"
    assert isinstance(event.data, PredictionRequested)
    assert (event.data.request_id, event.data.entity_id, event.data.features) == ("r3", "AA-2", ROWS[1])
    assert ask.key == b"AA-2"


@pytest.mark.parametrize(("request_id", "prediction"), [("r0", 0.25), ("r1", 0.75), ("r2", 0.250001)])
def test_the_model_s_own_answer_is_right(asking: Asking, request_id: str, prediction: float) -> None:
    assert asking.is_right(request_id, prediction)


@pytest.mark.parametrize(
    ("request_id", "prediction"), [("r1", 0.25), ("r0", 0.26), ("r0", float("nan")), ("x0", 0.25)]
)
def test_another_row_s_answer_is_wrong(asking: Asking, request_id: str, prediction: float) -> None:
    assert not asking.is_right(request_id, prediction)


def test_without_a_known_answer_any_number_is_right() -> None:
    asking = Asking("delay", ROWS)

    assert asking.is_right("r1", 0.9)
    assert not asking.is_right("r1", float("inf"))


def test_rows_come_from_a_file_of_json_lines(tmp_path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")

    assert rows_of(file) == ROWS


def test_a_file_without_rows_is_refused(tmp_path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n")

    with pytest.raises(ValueError, match="found none"):
        rows_of(file)
