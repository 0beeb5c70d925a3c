"""SIGKILL of a BentoML child under load, in a whole `ekiben up`: its requests wait, nobody else's do."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

from e2e.system import System, running
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS
from faults.conftest import Attack
from faults.paced import PacedLoad, Window, latencies_ms, quantile, summary
from faults.soak.victims import is_ready, model_servers
from faults.watching import Watch

WELL, KILLED = "tiny-mild", "tiny-keen"
PER_S = 40
WARM_S, BEFORE_S = 3.0, 8.0
WITHIN_S = 60.0
BROKEN_RATIO = 5.0
"""A machine that others use has latencies of its own: it fails only where the guarantee is gone, which
makes it ten and more."""
ONE_WAIT_MS = 250
"""What a model that was well is given before it counts as down (`EKIBEN_GATEWAY_LEAST_PATIENCE_S`): what was
read together with its requests at that moment waits so long, once. Without the guarantee it waits until the
child is back."""
MOST_SHARE = 0.05
"""Of the requests of the model that is well: on such a machine some wait longer than a gateway does."""


@dataclass
class Killing:
    """The moments of one SIGKILL, by the clock of the run."""

    at: float
    breaker_open: float
    child_back: float = 0.0
    all_answered: float = 0.0


@contextmanager
def serving(home: Path, servers: str, prefix: str) -> Iterator[System]:
    """An `ekiben up` with both models deployed: its supervisor keeps their children alive."""
    environment = {"KAFKA_BOOTSTRAP_SERVERS": servers, "EKIBEN_TOPIC_PREFIX": prefix}
    with running(home, environment) as system:
        system.train(WELL, KILLED)
        with ThreadPoolExecutor() as terminals:
            for deployed in terminals.map(lambda model: system.ekiben("deploy", model, "1"), (WELL, KILLED)):
                assert deployed.returncode == 0, deployed
        yield system


def breaker_is(system: System, state: str) -> bool:
    """Whether the gateway says this of the endpoint of the killed model, in its metrics."""
    port = system.running()["services"][GATEWAY]["health_port"]
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    return any(
        sample.value == 1 and sample.labels["model"] == KILLED and sample.labels["state"] == state
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "ekiben_endpoint_breaker"
    )


async def killed(system: System, watch: Watch) -> Killing:
    """Kill the supervisor and the worker of one model; returns once a new child answers."""
    (processes,) = (found for mark, found in model_servers(system).items() if KILLED in mark)
    command = processes[0].cmdline()
    port = int(command[command.index("--port") + 1])
    began = time.monotonic()
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, 10)
    await watch.reader.until(lambda: breaker_is(system, "open"), WITHIN_S)
    assert breaker_is(system, "open"), "expected its breaker open, found it closed"
    moments = Killing(began, time.monotonic())
    await watch.reader.until(lambda: is_ready(port), WITHIN_S)
    assert is_ready(port), "expected the child back"
    moments.child_back = time.monotonic()
    return moments


async def test_sigkill_of_a_model_server(
    kafka_settings: KafkaSettings, attack: Attack, tmp_path: Path
) -> None:
    prefix, servers = f"sigkill-{secrets.token_hex(4)}.", kafka_settings.bootstrap_servers
    with serving(tmp_path / "home", servers, prefix) as system:
        watch = Watch(servers, prefix)
        load = PacedLoad(servers, watch.requests, PREDICTION_REQUESTS.partitions, (KILLED, WELL), PER_S)
        with load:
            await watch.window(WARM_S)
            before = await watch.window(BEFORE_S)
            began_ms = time.time() * 1000
            moments = await killed(system, watch)
            asked = set(load.asked_ms)
            await watch.reader.until(lambda: asked <= watch.answered(), WITHIN_S)
            moments.all_answered = time.monotonic()
            during = Window(began_ms, time.time() * 1000)
        await watch.reader.until(lambda: set(load.asked_ms) <= watch.answered(), WITHIN_S)
        closed = await asyncio.to_thread(breaker_is, system, "closed")
        watch.reader.close()
    lost = set(load.asked_ms) - watch.answered()
    ids = [result.header("ce_id") for result in watch.results]
    sound, beside = (latencies_ms(watch.results, load.asked(WELL), [window]) for window in (before, during))
    attack.report(
        records=len(load.asked_ms),
        faults=1,
        lost=len(lost),
        duplicated=len(ids) - len(set(ids)),
        out_of_order=watch.out_of_order(WELL),
        recovered_s=[moments.all_answered - moments.child_back],
        story=story(watch, moments, sound, beside, len(load.asked(KILLED))),
    )
    assert {name for name in lost if name.startswith(WELL)} == set()
    assert lost == set()
    assert len(ids) == len(set(ids)) == len(load.asked_ms)
    assert {result.header("ce_type") for result in watch.results} == {"ekiben.prediction.completed.v1"}
    assert watch.dead_letters == []
    assert len(watch.parked(KILLED)) > PER_S * (moments.child_back - moments.breaker_open) / 2
    assert len(watch.parked(WELL)) < len(load.asked(WELL)) * MOST_SHARE
    assert watch.out_of_order(WELL) == 0
    assert closed, "expected its breaker closed again"
    assert len(beside) > PER_S * (moments.child_back - moments.at) / 2
    assert quantile(beside, 0.99) <= max(ONE_WAIT_MS, BROKEN_RATIO * quantile(sound, 0.99))


def story(watch: Watch, moments: Killing, sound: list[int], beside: list[int], asked: int) -> list[str]:
    """How long each thing took, from the SIGKILL on."""
    after = {
        "its breaker open": moments.breaker_open,
        "the child back": moments.child_back,
        "all requests answered": moments.all_answered,
    }
    parked = (
        f"{len(watch.parked(KILLED))} of {asked} requests of {KILLED}, {len(watch.parked(WELL))} of {WELL}"
    )
    return [
        *(f"{what} after {at - moments.at:.2f} s" for what, at in after.items()),
        f"parked: {parked}",
        f"{WELL} before: {summary(sound)}",
        f"{WELL} until all was answered: {summary(beside)}",
        f"p99 of {WELL} to before: {quantile(beside, 0.99) / quantile(sound, 0.99):.2f}",
    ]
