"""When reports go out, what becomes of those that could not, and what a stop leaves to say."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from ekiben_bus.publishing import PublishError
from ekiben_contracts.topics import ENDPOINT_HEALTH
from ekiben_inference_gateway.endpoint_health.metrics import EndpointMetrics
from ekiben_inference_gateway.endpoint_health.reporting import HealthReporter
from ekiben_inference_gateway.endpoint_health.watches import Watches
from ekiben_serving.watching import ANSWERED, NO_ROW_ERRORS
from unit.in_memory import until

pytestmark = pytest.mark.virtual_time
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LENGTH = timedelta(seconds=5)


class Broker:
    """Takes what is published, unless it is away; or keeps whoever publishes waiting."""

    def __init__(self):
        self.published = []
        self.attempts = 0
        self.given_up = 0
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, outgoing):
        self.attempts += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.away:
            raise PublishError("no acknowledgement")
        self.published += outgoing

    @property
    def windows(self):
        return [((each.event.window_start - START) // LENGTH, each.event.requests) for each in self.published]


class Clock:
    now = START + timedelta(seconds=1)

    def __call__(self):
        return self.now


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watches():
    return Watches("g1", timedelta(days=1), EndpointMetrics(CollectorRegistry()))


@pytest.fixture
def watch(watches):
    return watches.open("delay", "1", "http://a")


@pytest.fixture
def reporter(watches, broker, clock):
    return HealthReporter(watches, broker.publish, LENGTH, clock)


async def end_window(reporter, clock, number):
    """As `run` does once a window is over."""
    clock.now = START + (number + 1) * LENGTH
    await reporter.end_window()


async def test_each_window_is_reported_under_the_id_of_its_own(reporter, broker, clock, watch):
    for number in range(3):
        watch.called(number + 1, 0.02, ANSWERED, NO_ROW_ERRORS)
        await end_window(reporter, clock, number)
    assert broker.windows == [(0, 1), (1, 2), (2, 3)]
    assert {each.topic for each in broker.published} == {ENDPOINT_HEALTH}
    assert [each.id for each in broker.published] == [each.event.id for each in broker.published]


async def test_what_could_not_be_published_goes_with_the_next_window(reporter, broker, clock, watch):
    broker.away = True
    watch.called(1, 0.02, ANSWERED, NO_ROW_ERRORS)
    await end_window(reporter, clock, 0)
    assert broker.published == []
    broker.away = False
    watch.called(2, 0.02, ANSWERED, NO_ROW_ERRORS)
    await end_window(reporter, clock, 1)
    await end_window(reporter, clock, 2)
    assert broker.windows == [(0, 1), (1, 2)]


async def test_while_the_broker_is_away_no_more_than_a_thousand_reports_are_kept(
    reporter, broker, clock, watch
):
    broker.away = True
    for number in range(1200):
        watch.called(1, 0.02, ANSWERED, NO_ROW_ERRORS)
        await end_window(reporter, clock, number)
    broker.away = False
    await end_window(reporter, clock, 1200)
    assert [number for number, _ in broker.windows] == list(range(200, 1200))


async def test_a_clock_that_is_set_back_does_not_report_a_window_twice(reporter, broker, clock, watch):
    watch.called(1, 0.02, ANSWERED, NO_ROW_ERRORS)
    await end_window(reporter, clock, 0)
    for number in (-1, 0, 1):
        watch.called(1, 0.02, ANSWERED, NO_ROW_ERRORS)
        await end_window(reporter, clock, number)
    assert len({each.id for each in broker.published}) == len(broker.published) == 4


async def test_a_stop_reports_the_window_that_is_not_over(reporter, broker, watch):
    async with reporter.lifespan():
        watch.called(3, 0.02, ANSWERED, NO_ROW_ERRORS)
        watch.closed()
    assert broker.windows == [(0, 3)]


async def test_a_stop_amid_a_publish_lets_it_end(reporter, broker, clock, watch):
    clock.now = START + LENGTH - timedelta(milliseconds=1)
    watch.called(1, 0.02, ANSWERED, NO_ROW_ERRORS)
    broker.gate.clear()
    async with reporter.lifespan():
        running = asyncio.create_task(reporter.run())
        await until(lambda: broker.attempts == 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        watch.called(2, 0.02, ANSWERED, NO_ROW_ERRORS)
        broker.gate.set()
    assert broker.windows == [(0, 1), (1, 2)]
    assert broker.given_up == 0
