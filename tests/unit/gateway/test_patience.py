"""How long each lane waits for an endpoint, and when it does not ask at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.patience import MainFlow, ParkedLane
from ekiben_inference_gateway.routing import Endpoint

DELAY, WEATHER, PRICE = (Endpoint(name, "1", f"http://{name}") for name in ("delay", "weather", "price"))
TWO = frozenset({DELAY, WEATHER})
LEAST_S, PROBE_AFTER_S, BUDGET_S = 0.1, 10.0, 1.0


class Flow:
    """The main flow at a time of the test's choice."""

    def __init__(self):
        self.now = 100.0
        self.outages = Outages(900.0, lambda: self.now)
        self.latencies = Latencies()
        self._flow = MainFlow(self.outages, self.latencies, LEAST_S, PROBE_AFTER_S)

    def down(self, *endpoints):
        for endpoint in endpoints:
            self.outages.down(endpoint, "timed out")

    def took(self, seconds, rows=1, endpoint=DELAY):
        for _ in range(50):
            self.latencies.learn(endpoint, rows, seconds)

    def seconds(self, endpoint=DELAY, rows=1, budget_s=BUDGET_S, routed=TWO):
        return self._flow.seconds(endpoint, rows, budget_s, routed)


@pytest.fixture
def flow():
    return Flow()


def test_an_endpoint_of_unknown_latency_is_given_the_budget(flow):
    assert flow.seconds() == BUDGET_S


def test_a_quick_endpoint_is_given_the_least(flow):
    flow.took(0.005)
    assert flow.seconds() == LEAST_S


def test_a_slower_one_is_given_more_than_it_usually_takes(flow):
    flow.took(0.2)
    assert 0.4 <= flow.seconds() < 0.5


def test_none_is_given_more_than_the_budget(flow):
    flow.took(0.9)
    assert flow.seconds() == BUDGET_S
    assert flow.seconds(budget_s=0.05) == 0.05


def test_what_is_known_of_one_endpoint_says_nothing_of_another(flow):
    flow.took(0.005, endpoint=WEATHER)
    assert flow.seconds(DELAY) == BUDGET_S


def test_one_that_is_down_is_not_asked(flow):
    flow.took(0.005)
    flow.down(DELAY)
    assert flow.seconds() is None
    assert flow.seconds(WEATHER, routed=TWO | {PRICE}) is not None


def test_one_that_is_down_is_asked_once_nobody_else_has_for_a_while(flow):
    flow.took(0.005)
    flow.down(DELAY)
    flow.now += PROBE_AFTER_S - 0.1
    assert flow.seconds() is None
    flow.now += 0.1
    assert flow.seconds() == LEAST_S
    flow.down(DELAY)
    assert flow.seconds() is None


@pytest.mark.parametrize("routed", [frozenset(), frozenset({DELAY}), TWO])
def test_one_beside_which_none_answers_is_asked_with_the_whole_budget(flow, routed):
    flow.took(0.005)
    flow.down(WEATHER)
    assert flow.seconds(routed=routed) == BUDGET_S
    flow.down(DELAY)
    assert flow.seconds(routed=routed) == BUDGET_S


@given(
    st.lists(st.floats(0.0001, 5.0), max_size=20),
    st.integers(1, 1024),
    st.floats(0.001, 5.0),
    st.lists(st.sampled_from([DELAY, WEATHER, PRICE]), max_size=3),
    st.floats(0, 20),
)
def test_it_waits_within_the_budget_and_never_for_one_just_found_down_while_others_answer(
    calls, rows, budget_s, down, ago
):
    flow = Flow()
    for call in calls:
        flow.latencies.learn(DELAY, rows, call)
    flow.down(*down)
    flow.now += ago
    routed = TWO | {PRICE}
    seconds = flow.seconds(rows=rows, budget_s=budget_s, routed=routed)
    others_answer = not {WEATHER, PRICE} <= set(down)
    if DELAY in down and ago < PROBE_AFTER_S and others_answer:
        assert seconds is None
    else:
        assert min(LEAST_S, budget_s) <= seconds <= budget_s


def test_the_parked_lane_always_asks_with_the_whole_budget():
    assert ParkedLane().seconds(DELAY, 1024, 0.7, TWO) == 0.7
