"""What recent calls say of the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_inference_gateway.latencies import Estimate, Latencies
from ekiben_inference_gateway.routing import Endpoint

DELAY = Endpoint("delay", "1", "http://127.0.0.1:3001")
WEATHER = Endpoint("weather", "1", "http://127.0.0.1:3002")
seconds = st.floats(0.001, 2.0)


def estimate(*calls):
    first, *rest = calls
    found = Estimate.first(first)
    for call in rest:
        found = found.after(call)
    return found


@given(seconds, st.integers(0, 200))
def test_a_call_like_those_before_is_within_the_bound_twice(call, times):
    assert estimate(*[call] * (times + 1)).longest_s >= 2 * call


@given(st.lists(seconds, min_size=1, max_size=50))
def test_the_bound_is_never_far_from_what_was_seen(calls):
    assert 2 * min(calls) <= estimate(*calls).longest_s * 1.000001
    assert estimate(*calls).longest_s <= 10 * max(calls)


def test_one_slow_answer_is_enough_to_wait_for_the_next():
    settled = estimate(*[0.010] * 100)
    assert settled.longest_s < 0.025
    assert settled.after(0.3).longest_s > 0.6


def test_nothing_is_known_of_an_endpoint_that_never_answered():
    latencies = Latencies()
    latencies.learn(DELAY, 1, 0.01)
    assert latencies.of(WEATHER, 1) is None


@pytest.mark.parametrize("rows", [512, 600, 1023])
def test_calls_of_like_size_are_told_from_smaller_ones(rows):
    latencies = Latencies()
    latencies.learn(DELAY, 1, 0.01)
    latencies.learn(DELAY, 700, 0.3)
    assert latencies.of(DELAY, 1) == Estimate.first(0.01)
    assert latencies.of(DELAY, rows) == Estimate.first(0.3)


def test_a_size_never_seen_takes_at_most_as_long_as_the_next_larger():
    latencies = Latencies()
    latencies.learn(DELAY, 1, 0.01)
    latencies.learn(DELAY, 40, 0.1)
    latencies.learn(DELAY, 700, 0.3)
    assert latencies.of(DELAY, 10) == Estimate.first(0.1)
    assert latencies.of(DELAY, 1024) is None


def test_endpoints_routed_no_more_are_forgotten():
    latencies = Latencies()
    latencies.learn(DELAY, 1, 0.01)
    latencies.learn(WEATHER, 1, 0.01)
    latencies.keep(frozenset({WEATHER}))
    assert latencies.of(DELAY, 1) is None
    assert latencies.of(WEATHER, 1) is not None
