"""The smallest service there is, and how a test runs it: it consumes, produces, and keeps a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.verdicts import Emit, Outgoing, Verdict
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.prediction import FailureCode, PredictionFailed
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS, ROUTES

SEEN = "seen"
"""What it answers."""


def answering(kafka: KafkaSettings, prefix: str) -> Service:
    """In the gateway's place."""
    service = Service(GATEWAY, ServiceSettings(topic_prefix=prefix), kafka)
    service.consume(PREDICTION_REQUESTS, _answer_all)
    service.table(ROUTES)
    return service


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[None]:
    """Runs it; in the block it is ready."""
    running = asyncio.create_task(service.serve())
    try:
        await until(lambda: running.done() or service.is_ready(), "the service to get ready")
        yield
    finally:
        service.stop()
        await running


async def until(condition: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    """Wait for it."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {within_s:g} s for {what}") from None


async def _answer_all(batch: Sequence[Received]) -> Sequence[Verdict]:
    return [Emit((_answer(received.event),)) for received in batch]


def _answer(asked: object) -> Outgoing:
    assert isinstance(asked, REQUESTED)
    failed = PredictionFailed(
        request_id=asked.request_id or "",
        model=asked.model,
        entity_id=asked.entity_id,
        code=FailureCode.INTERNAL,
        message=SEEN,
        retryable=False,
        failed_at=datetime.now(UTC),
    )
    return Outgoing(PREDICTION_RESULTS, failed, output_id(failed.request_id, Stage.RESULT))
