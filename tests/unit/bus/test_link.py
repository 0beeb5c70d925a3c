"""What a running service is told of its way to the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ekiben_bus import diagnosing, link
from ekiben_bus.link import Link
from ekiben_bus.settings import KafkaSettings
from unit.bus.tiny_broker import TinyBroker, by_password, server_context, tiny_broker

EVERY_S = 0.02


@asynccontextmanager
async def watching(settings: KafkaSettings) -> AsyncIterator[Link]:
    watch = Link(settings, EVERY_S)
    await watch.start()
    try:
        yield watch
    finally:
        await watch.stop()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(EVERY_S / 2)


async def until_asked(broker: TinyBroker, times: int = 5) -> None:
    asked = len(broker.metadata_requests)
    await until(lambda: len(broker.metadata_requests) >= asked + times)


async def test_a_look_asks_for_no_topic():
    async with tiny_broker() as broker, watching(by_password(broker)) as watch:
        await until_asked(broker)
        assert watch.problem is None
    no_topics = (0).to_bytes(4, "big")
    ours = [asked for asked in broker.metadata_requests if asked.endswith(b"ekiben" + no_topics)]
    assert ours == broker.metadata_requests


async def test_a_look_that_fails_in_any_way_is_a_problem_and_the_next_one_follows(
    monkeypatch: pytest.MonkeyPatch,
):
    async with tiny_broker() as broker:
        broker.refuses = True

        async def fails(*_: object) -> None:
            raise RuntimeError("of no known kind")

        with monkeypatch.context() as patch:
            patch.setattr(link, "diagnose", fails)
            async with watching(by_password(broker)) as watch:
                await until(lambda: watch.problem == "RuntimeError: of no known kind")
                patch.setattr(link, "diagnose", diagnosing.diagnose)
                await until(lambda: "invalid credentials" in (watch.problem or ""))


async def test_a_host_that_is_no_name_is_told_as_one():
    async with watching(KafkaSettings(bootstrap_servers="a..b:9092")) as watch:
        await until(lambda: "no such host" in (watch.problem or ""))


async def test_after_the_authority_has_changed_it_says_that_a_restart_mends_it(tmp_path: Path):
    async with tiny_broker(tmp_path) as broker, watching(by_password(broker, tmp_path)) as watch:
        await until_asked(broker, 2)
        broker.stop()
        after = TinyBroker(broker.port)
        await after.start(server_context(tmp_path))
        try:
            await until(lambda: "restart it" in (watch.problem or ""))
            assert "KAFKA_SSL_CAFILE" in (watch.problem or "")
        finally:
            after.stop()


async def test_a_broker_that_is_away_for_a_look_or_two_is_no_problem():
    watch = Link(KafkaSettings(bootstrap_servers="127.0.0.1:1"))
    told: list[str | None] = []
    for _ in range(3):
        refusal = await diagnosing.diagnose(watch._settings)
        assert refusal is not None
        watch._tell(await watch._trouble(refusal))
        told.append(watch.problem)
    assert told[:2] == [None, None]
    assert "nobody listening" in (told[2] or "")


async def test_a_refusal_is_told_once_whatever_server_says_it():
    with capture_logs() as logged:
        async with tiny_broker() as one, tiny_broker() as other:
            one.refuses = other.refuses = True
            both = by_password(one).model_copy(update={"bootstrap_servers": f"{one.address},{other.address}"})
            async with watching(both) as watch:
                await until(lambda: watch.problem)
                one.stop()
                await until(lambda: other.address in (watch.problem or ""))
    assert [each["event"] for each in logged] == ["Kafka cannot be reached, trying again and again"]
