"""A real Kafka for the tests that ask for one, from the rung that the ladder finds.

    EKIBEN_BROKER=embedded|containers|external    takes that rung and no other
    EKIBEN_KAFKA_IMAGE=ekiben/kafka:4.3.0         what the containers rung runs

`kafka` is started once for a session, by the first test that asks, and named in the summary.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from ekiben_bus.brokers.ladder import Broker, broker
from ekiben_bus.connection import client_options
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics
from simulation.clock import VirtualLoop

SERVED_BY = pytest.StashKey[list[str]]()
TABLES = pytest.StashKey[dict[str, list[str]]]()
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
        request.config.stash[SERVED_BY] = [f"Kafka: {found}", *(f"  not {each}" for each in found.skipped)]
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


@pytest.fixture
def show_table(request: pytest.FixtureRequest) -> Callable[[str, Sequence[str]], None]:
    """Print lines under a title at the end of the run: what a test has found, for people to read."""

    def show(title: str, lines: Sequence[str]) -> None:
        request.config.stash.setdefault(TABLES, {})[title] = list(lines)

    return show


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where tests run in several processes, each tells the first which Kafka it had, and its tables."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["kafka"] = session.config.stash.get(SERVED_BY, [])
        told["tables"] = session.config.stash.get(TABLES, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear which Kafka a process of tests had, and its tables."""
    told = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(SERVED_BY, []).extend(told.get("kafka", []))
    node.config.stash.setdefault(TABLES, {}).update(told.get("tables", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the tables; name the Kafka that served, and why no better rung did."""
    for title, lines in config.stash.get(TABLES, {}).items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
    if told := config.stash.get(SERVED_BY, []):
        terminalreporter.section("Kafka")
        for line in told:
            terminalreporter.write_line(line)
