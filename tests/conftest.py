"""A real Kafka for the tests that ask for one, from the rung that the ladder finds.

    EKIBEN_BROKER=embedded|containers|external    takes that rung and no other
    EKIBEN_KAFKA_IMAGE=ekiben/kafka:4.3.0         what the containers rung runs

`kafka` is started once for a session, by the first test that asks, and named in the summary.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from ekiben_bus.brokers.ladder import Broker, broker
from ekiben_bus.connection import client_options
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics
from simulation.clock import VirtualLoop

SERVED_BY = pytest.StashKey[Broker]()
VIRTUAL = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember on what time the test runs: its parameters, which decide it, are not known any earlier."""
    item.config.stash[VIRTUAL] = item.get_closest_marker("virtual_time") is not None


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of the next test: that of the simulation where time is virtual."""
    return {"loop": lambda: VirtualLoop() if config.stash[VIRTUAL] else asyncio.new_event_loop()}


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker that answers, for the whole session. Its data are thrown away, unless it is external."""
    with broker(None) as found:
        request.config.stash[SERVED_BY] = found
        yield found


@pytest.fixture
def kafka_settings(kafka: Broker) -> KafkaSettings:
    """How to reach it."""
    return kafka.settings


@pytest.fixture
async def topic_prefix(kafka_settings: KafkaSettings) -> AsyncIterator[str]:
    """A prefix that no other test has, with every topic of the contracts under it; deleted afterwards."""
    prefix = f"test-{secrets.token_hex(4)}."
    await apply_topics(kafka_settings, Naming(prefix))
    yield prefix
    await delete_topics(kafka_settings, prefix)


async def delete_topics(settings: KafkaSettings, prefix: str) -> None:
    """Delete every topic whose name starts like this."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(prefix)])
    finally:
        await admin.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the Kafka that served, and why no better rung did."""
    found = config.stash.get(SERVED_BY, None)
    if found is None:
        return
    terminalreporter.section("Kafka")
    terminalreporter.write_line(f"Kafka: {found}")
    for skipped in found.skipped:
        terminalreporter.write_line(f"  not {skipped}")
