"""A gateway and a synthesizer in one, in memory: they answer what they can read, and bury the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from aiokafka import TopicPartition

from ekiben.reading import Log
from ekiben_bus.memory import MemoryCluster
from ekiben_bus.records import Record
from ekiben_contracts.cloudevents import decode, encode
from ekiben_contracts.errors import InvalidEventError, UnreadableError
from ekiben_contracts.identity import Stage, dead_letter_id, output_id
from ekiben_contracts.models import Method
from ekiben_contracts.prediction import (
    FailureCode,
    Output,
    PredictionCompleted,
    PredictionFailed,
    PredictionRequested,
)
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS, dead_letter_topic

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Answering:
    """`times` says how often the answer to a request id is written: 1, 0 to lose it, 2 for a redelivery."""

    def __init__(self, cluster: MemoryCluster, times: Callable[[str], int] = lambda _: 1) -> None:
        self._cluster = cluster
        self._times = times

    async def run(self) -> None:
        partitions = range(PREDICTION_REQUESTS.partitions)
        log = await Log.open(self._cluster, PREDICTION_REQUESTS.name, partitions, from_beginning=True)
        while True:
            for record in await log.read():
                self._handle(record)

    def _handle(self, record: Record) -> None:
        try:
            request = decode(record.value, record.headers, PREDICTION_REQUESTS).data
        except UnreadableError:
            self._bury(record)
        except InvalidEventError as error:
            self._answer(_failed(error.data["request_id"], FailureCode.INVALID_REQUEST), record.partition)
        else:
            assert isinstance(request, PredictionRequested)
            self._answer(_respond(request), record.partition)

    def _answer(self, answer: PredictionCompleted | PredictionFailed, partition: int) -> None:
        ce_id = output_id(answer.request_id, Stage.RESULT)
        value, headers = encode(answer, id=ce_id, source="/test", time=NOW)
        for _ in range(self._times(answer.request_id)):
            place = TopicPartition(PREDICTION_RESULTS.name, partition)
            self._cluster.append(place, [(None, value, headers)])

    def _bury(self, record: Record) -> None:
        letter = dead_letter_id(record.topic, GATEWAY, record.partition, record.offset)
        headers = [*record.headers, ("dlq-id", letter.encode())]
        topic = dead_letter_topic(PREDICTION_REQUESTS.name, GATEWAY)
        place = TopicPartition(topic, record.partition)
        self._cluster.append(place, [(record.key, record.value, headers)])


def _respond(request: PredictionRequested) -> PredictionCompleted | PredictionFailed:
    assert request.request_id is not None
    if request.model != "flight-delay":
        return _failed(request.request_id, FailureCode.UNKNOWN_MODEL)
    if request.deadline is not None:
        return _failed(request.request_id, FailureCode.DEADLINE_EXCEEDED)
    features = request.features or {}
    if len(features) < 2:
        return _failed(request.request_id, FailureCode.MISSING_FEATURES)
    if features["distance"] == "far":
        return _failed(request.request_id, FailureCode.INVALID_REQUEST)
    value = float(request.request_id.removeprefix("flight-")) / 1_000
    return PredictionCompleted(
        request_id=request.request_id,
        model=request.model,
        entity_id=request.entity_id,
        time_horizon=request.time_horizon,
        prediction=value,
        confidence=0.5,
        method=Method.AVERAGE,
        outputs=[Output(model="trees", version="1", value=1 - value, latency_ms=1.0)],
        latency_ms=2.0,
        completed_at=NOW,
    )


def _failed(request_id: str, code: FailureCode) -> PredictionFailed:
    return PredictionFailed(
        request_id=request_id,
        model=None,
        entity_id=None,
        code=code,
        message="no",
        retryable=False,
        failed_at=NOW,
    )
