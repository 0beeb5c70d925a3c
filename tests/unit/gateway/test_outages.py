"""How long a model may be down."""

from __future__ import annotations

import pytest

from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.routing import Endpoint

DELAY = Endpoint("delay", "1", "http://127.0.0.1:3001")
WEATHER = Endpoint("weather", "1", "http://127.0.0.1:3002")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outages(clock):
    return Outages(60.0, clock)


def test_an_outage_is_given_up_once_patience_is_over_and_not_before(outages, clock):
    outages.down(DELAY, "refused")
    clock.now += 59
    assert not outages.is_given_up(DELAY)
    clock.now += 1
    assert outages.is_given_up(DELAY)


def test_an_outage_counts_from_its_first_failure(outages, clock):
    for _ in range(3):
        outages.down(DELAY, "refused")
        clock.now += 20
    assert outages.is_given_up(DELAY)


def test_an_answer_ends_an_outage(outages, clock):
    outages.down(DELAY, "refused")
    clock.now += 59
    outages.up(DELAY)
    outages.down(DELAY, "refused")
    clock.now += 59
    assert not outages.is_given_up(DELAY)


def test_failures_from_long_ago_are_another_outage(outages, clock):
    outages.down(DELAY, "refused")
    clock.now += 61
    outages.down(DELAY, "refused")
    assert not outages.is_given_up(DELAY)


def test_an_endpoint_that_never_failed_is_not_given_up(outages):
    assert not outages.is_given_up(DELAY)


def test_an_outage_keeps_what_the_last_call_ended_with(outages):
    assert outages.why_down(DELAY) is None
    outages.down(DELAY, "refused")
    outages.down(DELAY, "timed out")
    assert outages.why_down(DELAY) == "timed out"
    outages.up(DELAY)
    assert outages.why_down(DELAY) is None


def test_an_endpoint_was_tried_when_its_last_call_failed(outages, clock):
    assert not outages.was_tried_within(10, DELAY)
    outages.down(DELAY, "refused")
    clock.now += 9.9
    assert outages.was_tried_within(10, DELAY)
    clock.now += 0.1
    assert not outages.was_tried_within(10, DELAY)
    outages.down(DELAY, "refused")
    assert outages.was_tried_within(10, DELAY)


def test_outages_of_unrouted_endpoints_are_forgotten(outages, clock):
    outages.down(DELAY, "refused")
    outages.down(WEATHER, "refused")
    clock.now += 60
    outages.keep(frozenset({WEATHER}))
    assert not outages.is_given_up(DELAY)
    assert outages.is_given_up(WEATHER)
