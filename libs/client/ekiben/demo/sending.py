"""Publishing the replay: as fast as the broker takes it, or at a steady pace. Every record is booked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from ekiben.client import Ekiben
from ekiben.demo.broken import BrokenRecord
from ekiben.demo.ledger import Ledger, Phase
from ekiben.demo.tasks import task_group
from ekiben_contracts.prediction import PredictionRequested

_CHUNK = 1_000

Clock = Callable[[], float]


async def send_bulk(
    requests: Iterable[PredictionRequested],
    broken: Sequence[BrokenRecord],
    client: Ekiben,
    ledger: Ledger,
    clock: Clock,
    phase: Phase = Phase.BULK,
) -> None:
    """Publish all, a broken record after each thousand while there are any left."""
    remaining, bad = iter(requests), iter(broken)
    while chunk := list(islice(remaining, _CHUNK)):
        now = clock()
        for request in chunk:
            ledger.sent(str(request.request_id), phase, now)
        await client.publish_many(chunk)
        for record in islice(bad, 1):
            await _send_broken(record, client, ledger, clock)
    for record in bad:
        await _send_broken(record, client, ledger, clock)


async def send_paced(
    requests: Iterable[PredictionRequested], rate: float, client: Ekiben, ledger: Ledger, clock: Clock
) -> None:
    """Publish `rate` requests a second, each at its time, whether or not the one before is acknowledged."""
    started = clock()
    async with task_group() as sending:
        for n, request in enumerate(requests):
            await asyncio.sleep(started + n / rate - clock())
            ledger.sent(str(request.request_id), Phase.PACED, clock())
            sending.create_task(client.publish(request))


async def _send_broken(record: BrokenRecord, client: Ekiben, ledger: Ledger, clock: Clock) -> None:
    ledger.sent(record.key, Phase.BROKEN, clock())
    await client.publish_raw([record.value], key=record.record_key, headers=record.headers)
