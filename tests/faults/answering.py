"""The smallest service there is, for attacks on the bus alone: `python -m faults.answering`.

It answers each request by who it is, after EKIBEN_ANSWERING_TAKES_S seconds a batch.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime

from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.verdicts import Emit, Outgoing, Verdict
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.prediction import FailureCode, PredictionFailed
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS

TAKES = "EKIBEN_ANSWERING_TAKES_S"


async def answer_all(batch: Sequence[Received]) -> Sequence[Verdict]:
    await asyncio.sleep(float(os.environ.get(TAKES, "0")))
    return [Emit((_answer(received.event),)) for received in batch]


def _answer(asked: object) -> Outgoing:
    assert isinstance(asked, REQUESTED)
    assert asked.request_id is not None
    failed = PredictionFailed(
        request_id=asked.request_id,
        model=asked.model,
        entity_id=asked.entity_id,
        code=FailureCode.INTERNAL,
        message=str(os.getpid()),
        retryable=False,
        failed_at=datetime.now(UTC),
    )
    return Outgoing(PREDICTION_RESULTS, failed, output_id(failed.request_id, Stage.RESULT))


if __name__ == "__main__":
    service = Service(GATEWAY, ServiceSettings(), KafkaSettings())
    service.consume(PREDICTION_REQUESTS, answer_all)
    service.run()
