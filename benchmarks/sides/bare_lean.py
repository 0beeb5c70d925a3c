"""The bare skeleton as fast as pydantic lets it be: a request and a result that say the least."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import ConsumerRecord
from aiokafka.producer.message_accumulator import BatchBuilder
from pydantic import BaseModel

from benchmarks.sides.bare_skeleton import Skeleton


class Request(BaseModel):
    """What is needed of a request."""

    request_id: str
    model: str
    entity_id: str
    features: dict[str, float]


class Result(BaseModel):
    """The least that answers it."""

    request_id: str
    model: str
    entity_id: str
    prediction: float


class LeanSkeleton(Skeleton[Request]):
    """No envelopes, no headers."""

    def _read(self, records: Sequence[ConsumerRecord]) -> list[Request]:
        read = Request.model_validate_json
        return [read(record.value or b"") for record in records]

    def _features(self, requests: Sequence[Request]) -> Iterable[Mapping[str, float]]:
        return [request.features for request in requests]

    def _write(
        self, records: Sequence[ConsumerRecord], requests: Sequence[Request], predictions: Sequence[float]
    ) -> Mapping[int, BatchBuilder]:
        batches: defaultdict[int, BatchBuilder] = defaultdict(self._producer.create_batch)
        dump = Result.__pydantic_serializer__.to_json
        for record, request, prediction in zip(records, requests, predictions, strict=True):
            result = Result(
                request_id=request.request_id,
                model=request.model,
                entity_id=request.entity_id,
                prediction=prediction,
            )
            batches[record.partition].append(timestamp=None, key=record.key, value=dump(result))
        return batches
