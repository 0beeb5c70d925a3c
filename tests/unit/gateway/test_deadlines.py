"""What deadlines allow."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_inference_gateway.deadlines import LEAST_BUDGET_S, budget_s, is_past
from unit.gateway.building import NOW

SKEW = timedelta(seconds=1)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("deadline", "past"),
    [(None, False), (at(5), False), (at(-0.9), False), (at(-1), False), (at(-1.1), True)],
)
def test_a_deadline_is_past_only_beyond_the_clock_skew(deadline, past):
    assert is_past(deadline, NOW, SKEW) is past


def test_a_body_may_take_no_longer_than_its_last_deadline():
    assert budget_s([at(-0.5), at(-0.2)], NOW, SKEW, 5.0) == pytest.approx(0.8)
    assert budget_s([at(0.25), at(0.5)], NOW, SKEW, 5.0) == pytest.approx(1.5)


def test_a_body_has_time_enough_to_say_something_of_its_model():
    assert budget_s([at(-0.999)], NOW, SKEW, 5.0) == LEAST_BUDGET_S


def test_one_row_without_a_deadline_gives_the_body_its_whole_budget():
    assert budget_s([at(0.1), None], NOW, SKEW, 5.0) == 5.0


@pytest.mark.parametrize("east", [-23, 0, 23])
def test_a_deadline_at_the_end_of_all_time_is_not_past(east):
    deadline = datetime.max.replace(tzinfo=timezone(timedelta(hours=east)))
    assert not is_past(deadline, NOW, SKEW)
    assert budget_s([deadline], NOW, SKEW, 5.0) == 5.0


@pytest.mark.parametrize("east", [-23, 0, 23])
def test_a_deadline_at_the_beginning_of_all_time_is_past(east):
    deadline = datetime.min.replace(tzinfo=timezone(timedelta(hours=east)))
    assert is_past(deadline, NOW, SKEW)
    assert budget_s([deadline], NOW, SKEW, 5.0) == LEAST_BUDGET_S


@given(st.lists(st.none() | st.floats(-0.999, 1e6).map(at), min_size=1), st.floats(0.001, 60))
def test_the_budget_is_positive_and_never_above_the_setting(deadlines, most):
    assert min(most, LEAST_BUDGET_S) <= budget_s(deadlines, NOW, SKEW, most) <= most
