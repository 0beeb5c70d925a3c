"""A service as it was, or as it is after its upgrade: `python -m integration.evolution.member old|new`.

It answers each request by its meaning: which release it is, and for how many hours it was asked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.verdicts import Emit, Outgoing, Verdict
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.prediction import FailureCode, PredictionFailed
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS
from unit.evolution.second_version import HOURS, REQUESTS_IN_HOURS, RequestedInHours

OLD, NEW = "old", "new"


async def as_it_was(batch: Sequence[Received]) -> Sequence[Verdict]:
    """It knows the first version alone."""
    return [Emit((_answer(received, OLD, _hours_of_words(received.event)),)) for received in batch]


async def as_it_is(batch: Sequence[Received]) -> Sequence[Verdict]:
    """It knows the second version alone: the contracts read the first for it."""
    return [Emit((_answer(received, NEW, _hours(received.event)),)) for received in batch]


def _hours_of_words(event: Any) -> int:
    assert isinstance(event, REQUESTED)
    return HOURS[event.time_horizon]


def _hours(event: Any) -> int:
    assert event.type == RequestedInHours.type
    return event.horizon_hours


def _answer(received: Received, release: str, hours: int) -> Outgoing:
    asked: Any = received.event
    answer = PredictionFailed(
        attempt=received.attempt,
        request_id=asked.request_id,
        model=release,
        entity_id=asked.entity_id,
        code=FailureCode.INTERNAL,
        message=str(hours),
        retryable=False,
        failed_at=datetime.now(UTC),
    )
    answer_id = output_id(asked.request_id, Stage.RESULT, received.attempt)
    return Outgoing(PREDICTION_RESULTS, answer, answer_id)


if __name__ == "__main__":
    topic, handler = (PREDICTION_REQUESTS, as_it_was) if sys.argv[1] == OLD else (REQUESTS_IN_HOURS, as_it_is)
    retried_by = (GATEWAY,) if "--retries" in sys.argv else ()
    service = Service(GATEWAY, ServiceSettings(), KafkaSettings())
    service.consume(replace(topic, retried_by=retried_by), handler)
    service.run()
