"""Old and new members of one group side by side, under load, in both orders: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.topics import PREDICTION_REQUESTS
from integration.evolution.conftest import Table
from integration.evolution.rollout import Rollout

EKIBEN = Path(sys.executable).with_name("ekiben")
SOME = 200

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


async def upgrade(rollout: Rollout) -> None:
    """One member after the other. The second old one goes on while the first new one works."""
    rollout.start("new-1")
    await rollout.until(lambda: rollout.answered("new", 1) + rollout.answered("new", 2) >= SOME)
    await rollout.stop("old-1")
    rollout.start("new-2")
    so_far = rollout.watch.by.total()
    await rollout.until(lambda: rollout.watch.by.total() >= so_far + SOME)
    await rollout.stop("old-2")


async def finish(rollout: Rollout) -> None:
    await rollout.end_stream()
    await rollout.until(lambda: not rollout.unanswered)


def check(rollout: Rollout, table: Table, name: str, replayed: int = 0) -> None:
    """Every request has one terminal event, which understood it; the same id may come again."""
    stream, answers = rollout.stream, rollout.watch.answers
    twice = {request for request, found in answers.items() if len({ce_id for ce_id, _ in found}) > 1}
    again = sum(len(found) - len({ce_id for ce_id, _ in found}) for found in answers.values())
    old, new = (rollout.answered(release, 1) + rollout.answered(release, 2) for release in ("old", "new"))
    watch = rollout.watch
    counts = (stream.written[1], stream.written[2], old, new, watch.put_off, len(watch.letters), replayed)
    table.add(name, *counts, len(rollout.unanswered), len(twice), again)
    assert rollout.unanswered == set()
    assert twice == set()
    assert answers.keys() == stream.hours.keys()
    assert {request: int(found[0][1].message) for request, found in answers.items()} == stream.hours
    assert min(stream.written[1], stream.written[2], old, new) >= SOME


async def test_readers_first(kafka_settings: KafkaSettings, topic_prefix: str, table: Table, tmp_path: Path):
    async with Rollout(kafka_settings, topic_prefix, tmp_path, "--retries") as rollout:
        rollout.start("old-1")
        rollout.start("old-2")
        await rollout.until(lambda: rollout.answered("old", 1) >= SOME)
        await upgrade(rollout)
        rollout.stream.version = 2
        await rollout.until(lambda: rollout.answered("new", 2) >= SOME)
        await finish(rollout)

    check(rollout, table, "readers first")
    assert rollout.answered("new", 1) >= SOME, "new members read what old writers write"
    assert rollout.answered("old", 2) == 0
    assert (rollout.watch.put_off, rollout.watch.letters) == (0, [])


async def test_writers_first(kafka_settings: KafkaSettings, topic_prefix: str, table: Table, tmp_path: Path):
    async with Rollout(kafka_settings, topic_prefix, tmp_path, "--retries") as rollout:
        rollout.start("old-1")
        rollout.start("old-2")
        await rollout.until(lambda: rollout.answered("old", 1) >= SOME)
        rollout.stream.version = 2
        await rollout.until(lambda: rollout.watch.put_off >= SOME)
        await upgrade(rollout)
        await rollout.end_stream()
        replayed = await _replay_rest(rollout, kafka_settings, topic_prefix)

    check(rollout, table, "writers first", replayed)
    assert rollout.watch.put_off >= SOME
    assert rollout.answered("new", 2) >= rollout.watch.put_off


async def test_writers_first_where_nothing_is_retried(
    kafka_settings: KafkaSettings, topic_prefix: str, table: Table, tmp_path: Path
):
    async with Rollout(kafka_settings, topic_prefix, tmp_path) as rollout:
        rollout.start("old-1")
        rollout.start("old-2")
        await rollout.until(lambda: rollout.answered("old", 1) >= SOME)
        rollout.stream.version = 2
        await rollout.until(lambda: len(rollout.watch.letters) >= SOME)
        await upgrade(rollout)
        await rollout.end_stream()
        replayed = await _replay_rest(rollout, kafka_settings, topic_prefix)

    check(rollout, table, "writers first, no retry topics", replayed)
    assert rollout.watch.put_off == 0
    assert replayed == len(rollout.buried) >= SOME
    for letter in rollout.watch.letters:
        headers = dict(letter.headers)
        assert letter.value == rollout.stream.values[headers["ce_id"].decode()]
        assert headers["dlq-reason"] == b"unknown-version"
        assert b"upgrade this service, then `ekiben dlq replay --topic" in headers["dlq-error-message"]


async def _replay_rest(rollout: Rollout, kafka: KafkaSettings, prefix: str) -> int:
    """What is left unanswered is a dead letter: after the upgrade, do as its message says."""
    await rollout.until(lambda: rollout.unanswered <= rollout.buried)
    if not rollout.unanswered:
        return 0
    replayed = await asyncio.to_thread(_replay, kafka, prefix)
    await rollout.until(lambda: not rollout.unanswered)
    return replayed


def _replay(kafka: KafkaSettings, prefix: str) -> int:
    """The command that the dead letters name."""
    command = ("dlq", "replay", "--topic", PREDICTION_REQUESTS.name, "--reason", "unknown-version", "--json")
    where = ("-b", kafka.bootstrap_servers, "--topic-prefix", prefix, "--rate", "0")
    ended = subprocess.run(
        [EKIBEN, *command, *where], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)["replayed"]
