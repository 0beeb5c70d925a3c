"""What the controller of body sizes and calls learns, against endpoints whose behaviour is known."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_inference_gateway.pacing import Bounds, Pace, Paces
from ekiben_inference_gateway.routing import Endpoint

ENDPOINT = Endpoint("delay", "1", "http://127.0.0.1:3000")
BOUNDS = Bounds(rows=1024, calls=4, target_s=0.05)


def settled(pace, seconds, calls=60, at_a_time=1):
    for _ in range(calls):
        pace.learn(pace.rows, seconds(pace.rows), at_a_time)
    return pace


def test_a_fast_model_is_soon_given_the_most_rows():
    pace = settled(Pace(BOUNDS), lambda rows: 1e-5 * rows, calls=4)
    assert pace.rows == 1024


@pytest.mark.parametrize("row_s", [0.0002, 0.001, 0.01])
def test_a_slow_model_is_given_what_it_answers_within_the_target(row_s):
    pace = settled(Pace(BOUNDS), lambda rows: row_s * rows)
    fitting = BOUNDS.target_s / row_s
    assert pace.rows <= fitting + 64
    sizes = []
    for _ in range(30):
        pace.learn(pace.rows, row_s * pace.rows, 1)
        sizes.append(pace.rows)
    assert fitting / 2 <= max(sizes), "it does not starve either"
    assert min(sizes) >= 1


@pytest.mark.parametrize("call_s", [0.06, 0.5])
def test_where_the_call_itself_is_slow_bodies_do_not_shrink(call_s):
    pace = settled(Pace(BOUNDS), lambda rows: call_s + 1e-5 * rows)
    assert pace.rows == 1024


@pytest.mark.parametrize("seed", range(20))
def test_where_the_time_has_nothing_to_do_with_the_rows_bodies_are_large(seed):
    draw, pace, sizes = random.Random(seed), Pace(BOUNDS), []
    for _ in range(300):
        pace.learn(pace.rows, draw.uniform(0.02, 0.3), 1)
        sizes.append(pace.rows)
    assert statistics.mean(sizes[100:]) > 256


@pytest.mark.parametrize("row_s", [0.0005, 0.01])
def test_of_a_slow_model_on_a_busy_machine_the_rows_alone_keep_the_target(row_s):
    pace = settled(Pace(BOUNDS), lambda rows: 0.08 + row_s * rows)
    fitting = BOUNDS.target_s / row_s
    assert fitting / 2 <= pace.rows <= fitting * 1.5


def test_one_hiccup_is_soon_forgotten():
    pace = settled(Pace(BOUNDS), lambda rows: 0.005 + 1e-5 * rows)
    pace.learn(1024, 5.0, 1)
    assert settled(pace, lambda rows: 0.005 + 1e-5 * rows, calls=60).rows == 1024


def test_one_that_gets_faster_is_given_more_again():
    pace = settled(Pace(BOUNDS), lambda rows: 0.01 * rows)
    assert settled(pace, lambda rows: 1e-5 * rows).rows == 1024


def test_small_bodies_say_nothing_of_larger_ones():
    pace = Pace(BOUNDS)
    before = pace.rows
    pace.learn(1, 0.001, 1)
    assert pace.rows == before


def test_at_a_model_that_answers_one_call_at_a_time_no_more_than_two_wait():
    pace = Pace(BOUNDS)
    pace.learn(1024, 0.01, 1)
    for _ in range(200):
        pace.learn(1024, 0.01 * pace.calls, pace.calls)
    assert 2 <= pace.calls <= 3


def test_a_model_with_workers_enough_is_given_the_most_calls():
    pace = Pace(BOUNDS)
    for at_a_time in (1, *range(2, 20)):
        pace.learn(1024, 0.01, at_a_time)
    assert pace.calls == 4


def test_one_that_got_slower_is_asked_alone_until_that_is_known():
    pace = Pace(BOUNDS)
    pace.learn(1024, 0.001, 1)
    seen = []
    for _ in range(100):
        pace.learn(1024, 0.01, pace.calls)
        seen.append(pace.calls)
    assert 1 in seen[:10]
    assert set(seen[50:]) == {2}, "and then it is not starved"


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0, 100), st.integers(1, 20)), max_size=200))
def test_whatever_happens_both_stay_within_their_bounds(calls):
    pace = Pace(BOUNDS)
    for rows, seconds, at_a_time in calls:
        pace.learn(rows, seconds, at_a_time)
        assert 1 <= pace.rows <= 1024
        assert 1 <= pace.calls <= 4


def test_calls_on_their_way_are_counted_for_each_endpoint():
    paces = Paces(BOUNDS)
    with paces.asking(ENDPOINT) as first, paces.asking(ENDPOINT) as second:
        assert (first, second) == (1, 2)
    with paces.asking(ENDPOINT) as again:
        assert again == 1


def test_batches_that_overlap_share_the_calls_of_an_endpoint_and_each_has_one():
    paces = Paces(BOUNDS)
    assert paces.calls_more(ENDPOINT) == 2
    with paces.asking(ENDPOINT):
        assert paces.calls_more(ENDPOINT) == 1
        with paces.asking(ENDPOINT):
            assert paces.calls_more(ENDPOINT) == 1


def test_an_endpoint_that_is_routed_no_more_is_forgotten_once_nothing_is_on_its_way():
    paces = Paces(BOUNDS)
    learned = paces.of(ENDPOINT)
    with paces.asking(ENDPOINT):
        paces.keep(frozenset())
        assert paces.of(ENDPOINT) is learned
    paces.keep(frozenset())
    assert paces.of(ENDPOINT) is not learned
