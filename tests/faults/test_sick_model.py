"""Two models under load; one dies, hangs and answers slowly: the other does not notice."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.topics import PREDICTION_REQUESTS
from faults.conftest import Attack
from faults.fault_proxy import Answer, FaultProxy, before, forward
from faults.model_servers import SICK, WELL, ModelServer, model_servers, publish_routes
from faults.paced import PacedLoad, Window, latencies_ms, quantile, summary
from faults.services import serving
from faults.watching import Watch
from integration.served import Served

__all__ = ["model_servers"]  # a fixture

PER_S = 40
WARM_S, WELL_S, SICK_S = 3.0, 9.0, 15.0
ANSWERED_WITHIN_S = 40.0
MOST_RATIO = 1.5
BROKEN_RATIO = 5.0
"""A machine that others use has latencies of its own: the quick size fails only where the guarantee is gone,
which makes it ten and more."""
SLOW_S = 3.0


def _processes(served: Served) -> list[psutil.Process]:
    """The server and its worker."""
    assert served.child is not None
    return [psutil.Process(served.child.pid), served.worker()]


@asynccontextmanager
async def dead(server: ModelServer, proxy: FaultProxy) -> AsyncIterator[None]:
    """Killed, and started again."""
    processes = _processes(server.served)
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, 10)
    yield
    await asyncio.to_thread(server.served.start)


@asynccontextmanager
async def hanging(server: ModelServer, proxy: FaultProxy) -> AsyncIterator[None]:
    """Stopped: it takes connections, and never answers."""
    for process in _processes(server.served):
        process.send_signal(signal.SIGSTOP)
    yield
    for process in _processes(server.served):
        process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def slow(server: ModelServer, proxy: FaultProxy) -> AsyncIterator[None]:
    """It answers all that it is asked, each time later than anybody waits."""

    async def late(answer: Answer, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SLOW_S)
        await forward(answer, writer)

    proxy.fault = late
    yield
    await proxy.heal()


SICKNESSES = (dead, hanging, slow)


@pytest.fixture
def watch(kafka_settings: KafkaSettings, topic_prefix: str) -> Iterator[Watch]:
    found = Watch(kafka_settings.bootstrap_servers, topic_prefix)
    yield found
    found.reader.close()


async def test_one_sick_model(
    kafka_settings: KafkaSettings,
    topic_prefix: str,
    watch: Watch,
    model_servers: dict[str, ModelServer],
    attack: Attack,
    tmp_path: Path,
) -> None:
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
        "EKIBEN_TOPIC_PREFIX": topic_prefix,
    }
    recovered_s: list[float] = []
    ratios: list[float] = []
    async with before(model_servers[SICK].served.url) as proxy:
        routes = model_servers[SICK].route(proxy.url), model_servers[WELL].route()
        await publish_routes(kafka_settings, topic_prefix, *routes)
        load = PacedLoad(
            kafka_settings.bootstrap_servers,
            watch.requests,
            PREDICTION_REQUESTS.partitions,
            (SICK, WELL),
            PER_S,
        )
        with serving(environment, tmp_path, "ekiben_inference_gateway", "ekiben_synthesizer"):
            with load:
                await watch.window(WARM_S)
                while not ratios or (min(ratios) > MOST_RATIO and len(ratios) < 2):  # a noisy machine
                    ordeal = await _ordeal(watch, load, model_servers[SICK], proxy, recovered_s)
                    ratios.append(_ratio(watch, load, *ordeal))
            await watch.reader.until(lambda: set(load.asked_ms) <= watch.answered(), ANSWERED_WITHIN_S)
    lost = set(load.asked_ms) - watch.answered()
    ids = [result.header("ce_id") for result in watch.results]
    attack.report(
        records=len(load.asked_ms),
        faults=len(recovered_s),
        lost=len(lost),
        duplicated=len(ids) - len(set(ids)),
        out_of_order=watch.out_of_order(WELL),
        recovered_s=recovered_s,
    )
    print(f"p99 while the other was sick to p99 before: {', '.join(f'{r:.2f}' for r in ratios)}")
    print(f"parked: {len(watch.parked(SICK))} of the sick one, {len(watch.parked(WELL))} of the other")
    assert lost == set()
    assert len(ids) == len(set(ids)) == len(load.asked_ms)
    assert {result.header("ce_type") for result in watch.results} == {"ekiben.prediction.completed.v1"}
    assert watch.dead_letters == []
    assert watch.out_of_order(WELL) == 0
    assert len(watch.parked(SICK)) > PER_S * SICK_S * len(SICKNESSES) / 2
    assert min(ratios) <= (MOST_RATIO if attack.full else BROKEN_RATIO)


async def _ordeal(
    watch: Watch, load: PacedLoad, server: ModelServer, proxy: FaultProxy, recovered_s: list[float]
) -> tuple[list[Window], list[Window]]:
    """Each sickness in turn; the times before them, and while they lasted."""
    while_well: list[Window] = []
    while_sick: list[Window] = []
    for sickness in SICKNESSES:
        while_well.append(await watch.window(WELL_S))
        async with sickness(server, proxy):
            while_sick.append(await watch.window(SICK_S))
        back = time.monotonic()
        asked = set(load.asked_ms)
        await watch.reader.until(lambda asked=asked: asked <= watch.answered(), ANSWERED_WITHIN_S)
        assert asked <= watch.answered(), f"{sickness.__name__}: {len(asked - watch.answered())} unanswered"
        recovered_s.append(time.monotonic() - back)
    return while_well, while_sick


def _ratio(watch: Watch, load: PacedLoad, while_well: list[Window], while_sick: list[Window]) -> float:
    """The p99 of the model that is well: while the other was sick, to that before."""
    sound, beside = (
        latencies_ms(watch.results, load.asked(WELL), windows) for windows in (while_well, while_sick)
    )
    assert len(sound) > PER_S * WELL_S * len(SICKNESSES) * 0.9
    assert len(beside) > PER_S * SICK_S * len(SICKNESSES) * 0.9
    print(f"before: {summary(sound)}; beside a sick one: {summary(beside)}")
    return quantile(beside, 0.99) / quantile(sound, 0.99)
