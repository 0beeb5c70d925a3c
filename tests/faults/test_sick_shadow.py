"""A challenger that shadows hangs, and then breaks: who is answered by the champion does not notice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.models import Role
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_contracts.topics import (
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    SHADOW,
    SHADOW_OUTPUTS,
    dead_letter_topic,
)
from faults.conftest import Attack
from faults.fault_proxy import Answer, FaultProxy, before, forward
from faults.model_servers import ModelServer, publish_routes, serving_models
from faults.outside import Read, Reader
from faults.paced import PacedLoad, Window, latencies_ms, quantile, summary
from faults.services import serving
from faults.watching import Watch

MODEL = "tiny-shadowed"
PER_S = 80
WARM_S, QUICK_S, FULL_S = 5.0, 12.0, 60.0
ANSWERED_WITHIN_S = 40.0
MOST_RATIO = 1.5
BROKEN_RATIO = 5.0
"""A machine that others use has latencies of its own: the quick size fails only where isolation is gone."""


@asynccontextmanager
async def hanging(proxy: FaultProxy) -> AsyncIterator[None]:
    """It takes every call, and never answers."""
    over = asyncio.Event()

    async def never(answer: Answer, writer: asyncio.StreamWriter) -> None:
        await over.wait()

    proxy.fault = never
    yield
    over.set()
    await proxy.heal()


@asynccontextmanager
async def raising(proxy: FaultProxy) -> AsyncIterator[None]:
    """It answers every call with an error of its own."""

    async def broken(answer: Answer, writer: asyncio.StreamWriter) -> None:
        await forward(replace(answer, status=b"500 Internal Server Error", body=b"ZeroDivisionError"), writer)

    proxy.fault = broken
    yield
    await proxy.heal()


SICKNESSES = (hanging, raising)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelServer, ModelServer]]:
    """A champion and its challenger, each served by processes of its own."""
    with serving_models(tmp_path_factory.mktemp("versions"), MODEL, MODEL) as (champion, challenger):
        yield champion, challenger


def shadowed(champion: ModelServer, challenger: ModelServer, url: str) -> ModelRouted:
    """All traffic to the one, and the other as its shadow at an address."""
    trained = challenger.trained
    shadow = RoutedVersion(
        version=trained.version, url=url, weight=0, role=Role.SHADOW, signature=trained.signature
    )
    route = champion.route()
    return route.model_copy(update={"versions": [*route.versions, shadow]})


async def test_a_sick_shadow(
    kafka_settings: KafkaSettings,
    topic_prefix: str,
    versions: tuple[ModelServer, ModelServer],
    attack: Attack,
    tmp_path: Path,
) -> None:
    servers = kafka_settings.bootstrap_servers
    environment = {"KAFKA_BOOTSTRAP_SERVERS": servers, "EKIBEN_TOPIC_PREFIX": topic_prefix}
    lasting_s = FULL_S if attack.full else QUICK_S
    watch, shadows = Watch(servers, topic_prefix), Shadows(servers, topic_prefix)
    load = PacedLoad(servers, watch.requests, PREDICTION_REQUESTS.partitions, (MODEL,), PER_S)
    well: list[Window] = []
    sick: list[Window] = []
    async with before(versions[1].served.url) as proxy:
        await publish_routes(kafka_settings, topic_prefix, shadowed(*versions, proxy.url))
        modules = ("ekiben_inference_gateway", "ekiben_inference_gateway.shadow", "ekiben_synthesizer")
        with serving(environment, tmp_path, *modules):
            with load:
                await watch.window(WARM_S)
                for sickness in SICKNESSES:
                    well.append(await watch.window(lasting_s))
                    async with sickness(proxy):
                        sick.append(await watch.window(lasting_s))
            await watch.reader.until(lambda: set(load.asked_ms) <= watch.answered(), ANSWERED_WITHIN_S)
            await shadows.told(set(load.asked_ms))
    lost = set(load.asked_ms) - watch.answered()
    ids = [result.header("ce_id") for result in watch.results]
    sound, beside = (latencies_ms(watch.results, load.asked_ms, windows) for windows in (well, sick))
    ratio = quantile(beside, 0.99) / quantile(sound, 0.99)
    attack.report(
        records=len(load.asked_ms),
        faults=len(SICKNESSES),
        lost=len(lost),
        duplicated=len(ids) - len(set(ids)),
        out_of_order=watch.out_of_order(MODEL),
        story=[
            f"beside a shadow that is well: {summary(sound)}",
            f"while it hung, then broke, for {lasting_s:g} s each: {summary(beside)}",
            f"p99 to before: {ratio:.2f}",
            f"shadow outputs: {dict(shadows.statuses(load.asked_ms, [Window(0, float('inf'))]))}",
        ],
    )
    assert lost == set()
    assert len(ids) == len(set(ids)) == len(load.asked_ms)
    assert {result.header("ce_type") for result in watch.results} == {"ekiben.prediction.completed.v1"}
    assert watch.dead_letters == shadows.dead_letters == []
    assert watch.parked(MODEL) == set()
    assert watch.out_of_order(MODEL) == 0
    assert shadows.requests == set(load.asked_ms), "each request has one, whatever became of the shadow"
    assert len(shadows.ids) == len(set(shadows.ids))
    assert shadows.statuses(load.asked_ms, sick)["failed"] > PER_S * lasting_s * len(SICKNESSES) * 0.8
    assert shadows.statuses(load.asked_ms, well)["answered"] > PER_S * lasting_s * len(SICKNESSES) * 0.3
    assert len(sound) > PER_S * lasting_s * len(SICKNESSES) * 0.9
    assert len(beside) > PER_S * lasting_s * len(SICKNESSES) * 0.9
    assert ratio <= (MOST_RATIO if attack.full else BROKEN_RATIO)


class Shadows:
    """What was told of the shadow, by the request it was asked about."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._topic = prefix + SHADOW_OUTPUTS.name
        self._dead = dead_letter_topic(prefix + MODEL_OUTPUTS.name, SHADOW)
        self._reader = Reader(servers, self._topic, self._dead)

    @property
    def dead_letters(self) -> list[Read]:
        return self._reader.of(self._dead)

    @property
    def ids(self) -> list[str]:
        return [record.header("ce_id") for record in self._reader.of(self._topic)]

    @property
    def requests(self) -> set[str]:
        return {(record.key or b"").decode() for record in self._reader.of(self._topic)}

    async def told(self, requests: set[str]) -> None:
        """Wait until all of these are, and read no more."""
        await self._reader.until(lambda: requests <= self.requests, ANSWERED_WITHIN_S)
        self._reader.close()

    def statuses(self, asked_ms: dict[str, int], windows: list[Window]) -> Counter[str]:
        """Of what was asked for within some windows."""
        return Counter(
            json.loads(record.value or b"")["status"]
            for record in self._reader.of(self._topic)
            for at in (asked_ms[(record.key or b"").decode()],)
            if any(window.begin_ms <= at < window.end_ms for window in windows)
        )
