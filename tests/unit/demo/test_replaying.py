"""The replay against an in-memory system: what it sends, and how it accounts for what comes back."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from rich.console import Console

from ekiben import Ekiben
from ekiben.demo.ledger import Accounts, Ledger, Phase
from ekiben.demo.plan import Plan
from ekiben.demo.replaying import replay
from ekiben.demo.scores import Scores
from ekiben.demo.season import Season
from ekiben.demo.showing import Lines
from ekiben.demo.tasks import end
from ekiben.demo.watching import Watch
from ekiben_bus.memory import MemoryCluster
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS
from unit.demo.answering import Answering

PLAN = Plan(requests=400, rate=2_000, paced_s=0.1, patience_s=5.0)


@pytest.fixture
def season(tmp_path: Path) -> Season:
    count = PLAN.requests + PLAN.paced
    file = tmp_path / "requests.jsonl"
    requests = [
        PredictionRequested(
            request_id=f"flight-{n}",
            model="flight-delay",
            entity_id=f"UA-{n % 7}",
            features={"carrier": "UA", "distance": n},
        )
        for n in range(count)
    ]
    file.write_bytes(b"".join(request.to_json() + b"\n" for request in requests))
    return Season(file, {f"flight-{n}": n >= count / 2 for n in range(count)})


async def _replayed(
    season: Season,
    client: Ekiben,
    cluster: MemoryCluster,
    *,
    times: Callable[[str], int] = lambda _: 1,
    plan: Plan = PLAN,
) -> tuple[Ledger, Scores, str]:
    ledger, scores = Ledger(), Scores(season.outcomes)
    console = Console(file=io.StringIO())
    answering = asyncio.create_task(Answering(cluster, times).run())
    try:
        async with Watch(client, client, ledger, scores, time.monotonic) as watch:
            await replay(season, plan, client, watch, ledger, Lines(console), time.monotonic)
    finally:
        await end(answering)
    assert isinstance(console.file, io.StringIO)
    return ledger, scores, console.file.getvalue()


def _columns(accounts: Accounts) -> tuple[int, int, int, int]:
    return accounts.completed, sum(accounts.failed.values()), accounts.unreadable, accounts.lost


async def test_every_record_ends_in_its_column(
    season: Season, client: Ekiben, cluster: MemoryCluster
) -> None:
    ledger, scores, _ = await _replayed(season, client, cluster)

    accounts = ledger.accounts()
    assert accounts.sent == PLAN.requests + PLAN.paced + 10
    assert _columns(accounts) == (PLAN.requests + PLAN.paced, 5, 5, 0)
    assert accounts.failed == {
        "invalid_request": 2,
        "unknown_model": 1,
        "missing_features": 1,
        "deadline_exceeded": 1,
    }
    assert accounts.dead_letters == 5
    assert accounts.duplicates == 0
    assert scores.auc() == {"trees": 0.0, "flight-delay": 1.0}


async def test_the_phases_are_told_apart(season: Season, client: Ekiben, cluster: MemoryCluster) -> None:
    ledger, _, shown = await _replayed(season, client, cluster)

    assert ledger.sent_in(Phase.BULK) == PLAN.requests
    assert len(ledger.latencies(Phase.PACED)) == PLAN.paced
    assert "Replaying 400 requests, and 10 broken records among them: done" in shown
    assert "Replaying 200 more, a steady 2,000 a second: done" in shown


async def test_a_redelivered_answer_is_a_duplicate_and_no_second_completion(
    season: Season, client: Ekiben, cluster: MemoryCluster
) -> None:
    ledger, _, _ = await _replayed(
        season, client, cluster, times=lambda request_id: 3 if request_id == "flight-7" else 1
    )

    accounts = ledger.accounts()
    assert accounts.duplicates == 2
    assert _columns(accounts) == (PLAN.requests + PLAN.paced, 5, 5, 0)


async def test_an_answer_that_never_comes_is_lost_and_named(
    season: Season, client: Ekiben, cluster: MemoryCluster
) -> None:
    plan = replace(PLAN, patience_s=0.3)

    ledger, _, _ = await _replayed(
        season, client, cluster, times=lambda request_id: int(request_id != "flight-7"), plan=plan
    )

    accounts = ledger.accounts()
    assert _columns(accounts) == (PLAN.requests + PLAN.paced - 1, 5, 5, 1)
    assert accounts.missing == ["flight-7"]
    assert not accounts.is_whole


async def test_it_waits_for_an_answer_that_takes_its_time(client: Ekiben, cluster: MemoryCluster) -> None:
    ledger = Ledger()
    ledger.sent("flight-1", Phase.BULK, time.monotonic())
    async with Watch(client, client, ledger, Scores({}), time.monotonic) as watch:
        waiting = asyncio.create_task(watch.until(ledger.is_settled, 30.0))
        await asyncio.wait({waiting}, timeout=0.2)
        assert not waiting.done()
        await client.publish(
            PredictionRequested(request_id="flight-1", model="flight-delay", entity_id="UA-1")
        )
        answering = asyncio.create_task(Answering(cluster).run())
        await waiting
        await end(answering)

    assert ledger.is_settled()


async def test_an_earlier_replays_dead_letters_are_not_counted_again(
    season: Season, client: Ekiben, cluster: MemoryCluster
) -> None:
    first, _, _ = await _replayed(season, client, cluster)
    async with Watch(client, client, ledger := Ledger(), Scores({}), time.monotonic) as watch:
        await watch.count_dead_letters(0.0)

    assert first.accounts().dead_letters == 5
    assert ledger.accounts().dead_letters == 0


async def test_the_requests_of_a_steady_pace_go_out_at_their_times(
    season: Season, client: Ekiben, cluster: MemoryCluster
) -> None:
    started = time.monotonic()
    plan = replace(PLAN, requests=1, rate=50.0, paced_s=0.5)

    ledger, _, _ = await _replayed(season, client, cluster, plan=plan)

    assert ledger.sent_in(Phase.PACED) == 25
    assert time.monotonic() - started > 24 / 50


async def test_from_the_store_the_same_flights_are_asked_about_once_more_without_features(
    season: Season, client: Ekiben, cluster: MemoryCluster
) -> None:
    plan = replace(PLAN, features_from_store=True)
    ledger, _, _ = await _replayed(season, client, cluster, plan=plan)
    asked = [
        json.loads(record.value)
        for partition in range(PREDICTION_REQUESTS.partitions)
        for record in cluster.log(TopicPartition(PREDICTION_REQUESTS.name, partition)).records
        if b"#from-store" in (record.value or b"")
    ]
    assert {one["request_id"] for one in asked} == {f"flight-{n}#from-store" for n in range(PLAN.requests)}
    assert {one.get("features") for one in asked} == {None}
    assert ledger.settled_in(Phase.STORE) == PLAN.requests
    assert ledger.accounts().is_whole
