"""The bare skeleton with Ekiben's own contracts: what of a gap is the price of the events themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from aiokafka import ConsumerRecord
from aiokafka.producer.message_accumulator import BatchBuilder

from benchmarks.sides.bare_skeleton import Skeleton
from ekiben_contracts.cloudevents import decode, encode
from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import Method
from ekiben_contracts.prediction import ModelsScored, Output, PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS


class ContractSkeleton(Skeleton[PredictionRequested]):
    """Reads prediction.requested and writes models.scored, each with its envelope."""

    def _read(self, records: Sequence[ConsumerRecord]) -> list[PredictionRequested]:
        events = [decode(record.value, record.headers, PREDICTION_REQUESTS).data for record in records]
        return [event for event in events if isinstance(event, PredictionRequested)]

    def _features(self, requests: Sequence[PredictionRequested]) -> Iterable[Mapping[str, FeatureValue]]:
        return [request.features or {} for request in requests]

    def _write(
        self,
        records: Sequence[ConsumerRecord],
        requests: Sequence[PredictionRequested],
        predictions: Sequence[float],
    ) -> Mapping[int, BatchBuilder]:
        batches: defaultdict[int, BatchBuilder] = defaultdict(self._producer.create_batch)
        now = datetime.now(UTC)
        for record, request, prediction in zip(records, requests, predictions, strict=True):
            scored = ModelsScored(
                request_id=request.request_id or "",
                model=request.model,
                entity_id=request.entity_id,
                time_horizon=request.time_horizon,
                requested_at=request.requested_at or now,
                method=Method.SINGLE,
                outputs=[Output(model=request.model, version="1", value=prediction, latency_ms=1.0)],
                features=request.features,
            )
            value, headers = encode(scored, id=f"{scored.request_id}/scored/1", source="/bare", time=now)
            batches[record.partition].append(timestamp=None, key=record.key, value=value, headers=headers)
        return batches
