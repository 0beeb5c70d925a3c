from __future__ import annotations

import math

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ekiben_flights.history import Happened, trailing_mean

FACTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(-50, 500)), max_size=40)
QUESTIONS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 90)), min_size=1, max_size=10)


def _mean(
    facts: list[tuple[int, int, int]], questions: list[tuple[int, int]], seconds: int, at_least: int = 1
) -> list[float]:
    columns = np.array(facts, np.int64).reshape(-1, 3).T
    group, asked_at = np.array(questions, np.int64).T
    window = pd.Timedelta(seconds=seconds)
    return trailing_mean(Happened(*columns), group, asked_at, window, at_least=at_least).tolist()


def _by_hand(
    facts: list[tuple[int, int, int]], question: tuple[int, int], seconds: int, at_least: int
) -> float:
    group, asked_at = question
    values = [value for g, at, value in facts if g == group and asked_at - seconds < at < asked_at]
    return sum(values) / len(values) if len(values) >= at_least else math.nan


@given(FACTS, QUESTIONS, st.integers(1, 100), st.integers(1, 3))
def test_it_is_the_mean_of_the_group_within_the_window(
    facts: list[tuple[int, int, int]], questions: list[tuple[int, int]], seconds: int, at_least: int
) -> None:
    expected = [_by_hand(facts, question, seconds, at_least) for question in questions]

    np.testing.assert_array_equal(_mean(facts, questions, seconds, at_least), expected)


def test_a_fact_of_the_very_second_of_asking_is_not_known_yet() -> None:
    assert _mean([(0, 9, 30), (0, 10, 500)], [(0, 10)], seconds=60) == [30.0]


def test_without_facts_there_is_no_mean() -> None:
    assert np.isnan(_mean([], [(0, 10)], seconds=60)).all()
