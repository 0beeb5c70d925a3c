"""One prediction for many rows, and a bad row costs only itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_mlops.templates import classification, regression
from ekiben_mlops.templates.predicting import MOST_PREDICTIONS, Scores, predict_each, withholding


class Doubling:
    """Doubles x, fails on a frame with a negative x, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, frame: pd.DataFrame) -> Scores:
        self.calls += 1
        if (frame["x"] < 0).any():
            raise ValueError(f"cannot take {frame['x'].min()}")
        return Scores(frame["x"].to_numpy() * 2.0)


def _frame(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"x": values})


def test_good_rows_are_predicted_in_one_call() -> None:
    model = Doubling()

    scores, errors = predict_each(model, _frame([1, 2, 3]))

    assert scores.values.tolist() == [2.0, 4.0, 6.0]
    assert errors == {}
    assert model.calls == 1


@given(st.lists(st.floats(0, 10), max_size=60), st.sets(st.integers(0, 59), max_size=3))
def test_a_few_bad_rows_are_singled_out_and_all_others_are_answered(
    values: list[float], bad: set[int]
) -> None:
    bad = {row for row in bad if row < len(values)}
    values = [-1.0 if row in bad else value for row, value in enumerate(values)] + [5.0]

    scores, errors = predict_each(Doubling(), _frame(values))

    assert set(errors) == bad
    assert all(code == "internal" and "cannot take -1.0" in message for code, message in errors.values())
    assert all(
        np.isnan(scores.values[row]) if row in bad else scores.values[row] == 2 * values[row]
        for row in range(len(values))
    )


def test_a_model_that_fails_on_every_row_is_not_called_without_end() -> None:
    model = Doubling()

    scores, errors = predict_each(model, _frame([-1.0] * 1024))

    assert set(errors) == set(range(1024))
    assert np.isnan(scores.values).all()
    assert model.calls <= 2 * MOST_PREDICTIONS


def test_what_is_not_finite_is_an_error_of_its_row() -> None:
    scores, errors = predict_each(lambda frame: Scores(np.array([1.0, np.nan, np.inf])), _frame([1, 2, 3]))

    assert scores.values[0] == 1.0
    assert {row: message for row, (_, message) in errors.items()} == dict.fromkeys(
        (1, 2), "expected a finite prediction, found NaN or infinity"
    )


def test_a_model_that_answers_another_number_of_rows_is_not_believed() -> None:
    _, errors = predict_each(lambda frame: Scores(np.zeros(7)), _frame([1]))

    assert (
        errors[0][1] == "expected a prediction, found that the model failed: "
        "ValueError: expected 1 predictions, found an array of shape (7,)"
    )


class Probabilities:
    """Answers what it is given."""

    def __init__(self, *rows: list[float]) -> None:
        self.rows = np.array(rows)

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        return self.rows[: len(frame)]

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return self.rows[: len(frame)]


def test_of_two_classes_the_value_is_the_probability_of_the_second() -> None:
    scores = classification.predictor(Probabilities([0.9, 0.1], [0.2, 0.8]))(_frame([1, 2]))

    assert scores.values.tolist() == [0.1, 0.8]
    assert np.array_equal(scores.labels, [0, 1])  # type: ignore[arg-type]


def test_of_more_classes_the_value_is_the_probability_of_the_winning_one() -> None:
    scores = classification.predictor(Probabilities([0.5, 0.2, 0.3], [0.1, 0.2, 0.7]))(_frame([1, 2]))

    assert scores.values.tolist() == [0.5, 0.7]
    assert np.array_equal(scores.labels, [0, 2])  # type: ignore[arg-type]


def test_a_regression_of_one_column_counts_as_the_column() -> None:
    assert regression.predictor(Probabilities([0.5], [1.5]))(_frame([1, 2])).values.tolist() == [0.5, 1.5]


def test_what_a_model_says_of_its_failure_stays_with_it_where_a_column_is_sensitive() -> None:
    spec = FeatureSpec(name="x", dtype=DType.DOUBLE, sensitive=True)

    _, told = predict_each(withholding(Doubling(), [spec]), _frame([-48_250.0]))
    _, quoted = predict_each(withholding(Doubling(), []), _frame([-48_250.0]))

    assert "ValueError, whose words may quote a sensitive column" in told[0][1]
    assert "48250" not in told[0][1]
    assert "48250" in quoted[0][1]
