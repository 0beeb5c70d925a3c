"""How far an answer is to be trusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.prediction import Interval
from ekiben_synthesizer.combining import Combined
from ekiben_synthesizer.confidence import LONE_ANSWER_CAP, certainty, confidence

unit = st.floats(0, 1)
counts = st.integers(0, 6)


def interval(low, high):
    return Interval(low=low, high=high, coverage=0.9)


@given(unit, st.none() | unit, st.integers(1, 6), counts, st.booleans())
def test_confidence_is_between_zero_and_one(certain, agreed, answered, missing, of_ensemble):
    assert 0 <= confidence(certain, agreed, answered, missing, of_ensemble=of_ensemble) <= 1


@given(unit, counts)
def test_an_ensemble_that_one_model_answered_is_capped_however_sure_that_model_is(certain, missing):
    assert confidence(certain, None, 1, missing, of_ensemble=True) <= LONE_ANSWER_CAP == 0.30


def test_a_single_model_that_is_no_ensemble_is_not_capped():
    assert confidence(0.9, None, 1, 0, of_ensemble=False) == 0.9


@given(unit, unit, st.integers(2, 6), counts)
def test_disagreement_and_gaps_only_lower_it(certain, agreed, answered, missing):
    found = confidence(certain, agreed, answered, missing, of_ensemble=True)
    assert found <= confidence(certain, 1.0, answered, missing, of_ensemble=True)
    assert found <= confidence(certain, agreed, answered, 0, of_ensemble=True)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_narrower_interval_is_never_less_certain(prediction, one, other):
    narrow, wide = sorted((one, other))
    certain = [
        certainty(Combined(prediction), interval(prediction - half, prediction + half))
        for half in (narrow, wide)
    ]
    assert certain[0] >= certain[1] - 1e-6
    assert all(0 <= c <= 1 for c in certain)


def test_a_classifier_is_as_certain_as_its_winning_class():
    assert certainty(Combined(0.2, "on_time", {"on_time": 0.8, "late": 0.2}), interval(0, 1)) == 0.8


def test_a_regression_without_an_interval_is_neither_sure_nor_unsure():
    assert certainty(Combined(30.0), None) == 0.5


@pytest.mark.parametrize(("half", "certain"), [(0, 1.0), (30, 0.5), (90, 0.25)])
def test_a_regression_is_certain_by_its_interval_beside_its_size(half, certain):
    assert certainty(Combined(30.0), interval(30 - half, 30 + half)) == certain
