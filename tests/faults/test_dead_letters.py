"""Dead letters in numbers: a tool that is killed again and again, and more letters than memory holds."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from conformance.test_replays import answer
from conformance.world import until
from ekiben import Ekiben
from ekiben.dead_letters.graves import graves
from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.naming import Naming
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.verdicts import Emit, Verdict
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS
from faults.conftest import Attack
from unit.dead_letters.building import headers

EKIBEN = Path(sys.executable).with_name("ekiben")
PARTITIONS = PREDICTION_REQUESTS.partitions
KILLS = 4
_LOOK_EVERY_S = 0.05


async def bury(settings: KafkaSettings, prefix: str, count: int) -> None:
    """Dead letters r0, r1, … as the gateway would have left them."""
    (grave,) = graves(Naming(prefix), PREDICTION_REQUESTS.name, GATEWAY)
    publisher = PartitionPublisher(KafkaCluster(settings))
    try:
        for first in range(0, count, 2000):
            numbers = range(first, min(first + 2000, count))
            await publisher.publish([_letter(number, grave.dead_letters, grave.topic) for number in numbers])
    finally:
        await publisher.stop()


def _letter(number: int, kept_on: str, topic: str) -> WireRecord:
    partition, offset = number % PARTITIONS, number // PARTITIONS
    value = {"request_id": f"r{number}", "model": "m", "entity_id": f"e{number}", "features": {"x": 1.5}}
    said = headers(
        offset,
        1,
        partition,
        failed_at="2013-03-01T12:00:00+00:00",
        topic=topic,
        id=f"{topic}/{GATEWAY}/{partition}/{offset}/1",
        error_stack="Traceback (most recent call last)\n" * 20,
    )
    return WireRecord(kept_on, partition, f"e{number}".encode(), json.dumps(value).encode(), said)


def ekiben(settings: KafkaSettings, prefix: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A command that runs beside the test."""
    where = ("-b", settings.bootstrap_servers, "--topic-prefix", prefix, "--json")
    return subprocess.Popen([EKIBEN, "dlq", *arguments, *where], stdout=subprocess.PIPE)


async def finish(process: subprocess.Popen[bytes]) -> tuple[dict, float]:
    """What it printed, and the megabytes that it held at the most."""
    # not ru_maxrss, which begins with that of the process which started it
    watched, held = psutil.Process(process.pid), 0
    while process.poll() is None:
        with suppress(psutil.Error):  # it may end at any moment
            held = max(held, watched.memory_info().rss)
        await asyncio.sleep(_LOOK_EVERY_S)
    assert process.returncode == 0
    assert process.stdout is not None
    with process.stdout:
        return json.loads(process.stdout.read()), held / 2**20


@asynccontextmanager
async def gateway(settings: KafkaSettings, prefix: str, answered: Counter[str]) -> AsyncIterator[None]:
    async def answer_all(batch: Sequence[Received]) -> Sequence[Verdict]:
        answers = [answer(received) for received in batch]
        answered.update(each.id for each in answers)
        return [Emit((each,)) for each in answers]

    service = Service(GATEWAY, ServiceSettings(topic_prefix=prefix), settings)
    service.consume(PREDICTION_REQUESTS, answer_all)
    serving = asyncio.create_task(service.serve())
    try:
        yield
    finally:
        service.stop()
        await serving


async def test_a_replay_killed_again_and_again(
    kafka_settings: KafkaSettings, topic_prefix: str, attack: Attack
):
    letters = 50_000 if attack.full else 5_000
    await bury(kafka_settings, topic_prefix, letters)
    answered: Counter[str] = Counter()
    replay = ("replay", "--group", GATEWAY, "--rate", str(letters // 5))
    left: list[int] = []
    recovered: list[float] = []
    async with (
        gateway(kafka_settings, topic_prefix, answered),
        Ekiben(kafka=kafka_settings, topic_prefix=topic_prefix) as client,
    ):
        for kill in range(1, KILLS + 1):
            process = ekiben(kafka_settings, topic_prefix, *replay)
            began, before = time.monotonic(), len(answered)
            await until(lambda: len(answered) > before, 60)  # noqa: B023 - awaited in this round
            recovered.append(time.monotonic() - began)
            await until(lambda: len(answered) >= kill * letters // (KILLS + 2), 60)  # noqa: B023
            process.kill()
            assert await asyncio.to_thread(process.wait) == -signal.SIGKILL
            left.append(sum([each.count for each in await client.dead_letters(group=GATEWAY).count()]))
        last, _ = await finish(ekiben(kafka_settings, topic_prefix, *replay))
        await until(lambda: len(answered) == letters, 60)
        results = Counter([result.request_id async for result in all_results(client)])
        unsettled = await client.dead_letters(group=GATEWAY).count()
    wanted = {f"r{number}" for number in range(letters)}
    lost = len(wanted - results.keys())
    duplicated = results.total() - len(results)
    attack.report(
        records=letters, faults=KILLS, lost=lost, duplicated=duplicated, out_of_order=0, recovered_s=recovered
    )
    assert (lost, duplicated, unsettled) == (0, 0, [])
    assert set(answered) == {f"r{number}/result/2" for number in range(letters)}
    assert letters > left[0] > left[1] > left[2] > left[3] == last["replayed"] > 0


async def test_ctrl_c_while_a_replay_goes_on(
    kafka_settings: KafkaSettings, topic_prefix: str, attack: Attack
):
    await bury(kafka_settings, topic_prefix, 400)
    answered: Counter[str] = Counter()
    async with (
        gateway(kafka_settings, topic_prefix, answered),
        Ekiben(kafka=kafka_settings, topic_prefix=topic_prefix) as client,
    ):
        process = ekiben(kafka_settings, topic_prefix, "replay", "--all", "--rate", "40")
        await until(lambda: answered, 60)
        process.send_signal(signal.SIGINT)
        printed, _ = await asyncio.to_thread(process.communicate)
        await until(lambda: len(answered) == json.loads(printed)["replayed"], 60)
        left = sum([each.count for each in await client.dead_letters(group=GATEWAY).count()])
    told = json.loads(printed)
    assert process.returncode == 130
    assert told["interrupted"]
    assert 0 < told["replayed"] < 400
    assert left == 400 - told["replayed"]
    attack.report(records=400, faults=1, lost=0, duplicated=0, out_of_order=0)


async def all_results(client: Ekiben):
    async with client.results(from_beginning=True) as results:
        async for result in results.to_end():
            yield result


@pytest.mark.timeout(1800)
async def test_a_million_dead_letters(kafka_settings: KafkaSettings, topic_prefix: str, attack: Attack):
    """Or, without --full, thirty thousand: in the memory that a fraction of them takes."""
    few, many = (20_000, 1_000_000) if attack.full else (3_000, 30_000)
    held: dict[str, list[float]] = {"list": [], "replay": []}
    await bury(kafka_settings, topic_prefix, few)
    for count in (few, many):
        if count == many:
            await bury(kafka_settings, topic_prefix, many)  # the few among them are the same, and count once
        listed, megabytes = await finish(ekiben(kafka_settings, topic_prefix, "list"))
        held["list"].append(megabytes)
        replay = ekiben(kafka_settings, topic_prefix, "replay", "--all", "--rate", "0")
        replayed, megabytes = await finish(replay)
        held["replay"].append(megabytes)
        fresh = count - (few if count == many else 0)
        assert (listed["total"], replayed["replayed"]) == (fresh, fresh)
    attack.report(records=many, faults=0, lost=0, duplicated=0, out_of_order=0)
    for small, large in held.values():
        assert large < 1.5 * small, held
    print("megabytes held:", held)
