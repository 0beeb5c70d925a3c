"""Each row of an answer is one output, or one error."""

from __future__ import annotations

import numpy as np

from ekiben_serving.answers import outputs_of
from ekiben_serving.columnar import Answer
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.validation import RowError


def test_a_classifier_s_outputs_have_their_class_and_all_probabilities() -> None:
    answer = Answer(
        "late",
        "3",
        np.array([0.75, np.nan]),
        {1: ("internal", "the model failed")},
        ("no", "yes"),
        np.array([1, -1]),
        np.array([[0.25, 0.75], [np.nan, np.nan]]),
    )

    assert outputs_of(answer, 1.5) == [
        ModelOutput("late", "3", 0.75, "yes", {"no": 0.25, "yes": 0.75}, 1.5),
        RowError("internal", "the model failed"),
    ]


def test_a_regression_s_outputs_are_values_alone() -> None:
    assert outputs_of(Answer("minutes", "1", np.array([3.0, 4.0])), 2.0) == [
        ModelOutput("minutes", "1", 3.0, None, None, 2.0),
        ModelOutput("minutes", "1", 4.0, None, None, 2.0),
    ]


def test_an_error_of_a_code_that_nobody_knows_is_internal() -> None:
    answer = Answer("minutes", "1", np.array([np.nan]), {0: ("tea_time", "later")})

    assert outputs_of(answer, 1.0) == [RowError("internal", "later")]
