"""How one lane asks the feature store: for how many at a time, how often while it is away, and how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.conclusions import Waiting
from ekiben_inference_gateway.features.halving import Unanswered, read_halved
from ekiben_inference_gateway.features.metrics import FeatureMetrics
from ekiben_inference_gateway.features.reading import StoreReader
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.routing import Endpoint
from ekiben_serving.features.errors import FeatureStoreBusyError, FeatureStoreError
from ekiben_serving.features.looking_up import Entity, Found

Answer = Found | Waiting | Refusal
ANSWERED, AWAY = "answered", "away"


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Of one read: its entities and seconds. `probe_after_s` is None where there is time to ask always."""

    rows: int
    timeout_s: float
    probe_after_s: float | None


class StoreAsker:
    """Asks for one lane. `outages` are of feature services, shared by all lanes."""

    def __init__(
        self,
        store: str,
        reader: StoreReader,
        limits: ReadLimits,
        outages: Outages,
        metrics: FeatureMetrics,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        self._store = store
        self._reader = reader
        self._limits = limits
        self._outages = outages
        self._metrics = metrics
        self._timer = timer

    async def ask(self, service: str, entities: Sequence[Entity]) -> Sequence[Answer]:
        """One answer for each, in their order. Once a read has failed, those behind it are not asked."""
        at = Endpoint("feature-service", service, self._store)
        if self._is_left_alone(at):
            return [self._away(at)] * len(entities)
        found: list[Answer] = []
        while len(found) < len(entities):
            rows = entities[len(found) : len(found) + self._limits.rows]
            try:
                found += await self._answers(service, rows, at)
            except FeatureStoreBusyError as error:
                found += [Waiting(str(error), at)] * (len(entities) - len(found))
            except FeatureStoreError as error:
                self._outages.down(at, str(error))
                found += [self._away(at)] * (len(entities) - len(found))
        return found

    def _is_left_alone(self, at: Endpoint) -> bool:
        probe_after_s = self._limits.probe_after_s
        if probe_after_s is None:
            return False
        return self._outages.was_tried_within(min(probe_after_s, self._reader.open_for_s), at)

    async def _answers(self, service: str, entities: Sequence[Entity], at: Endpoint) -> Sequence[Answer]:
        read = partial(self._read, service)
        if self._limits.probe_after_s is not None:
            return await read(entities)
        found = await read_halved(read, entities)
        return [_unanswered(one, at) if isinstance(one, Unanswered) else one for one in found]

    async def _read(self, service: str, entities: Sequence[Entity]) -> Sequence[Found]:
        async with self._reader.turn(self._limits.timeout_s):
            began, outcome = self._timer(), AWAY
            try:
                found = await self._reader.read(service, entities, self._limits.timeout_s)
                outcome = ANSWERED
            finally:
                self._metrics.read(service, len(entities), self._timer() - began, outcome)
        self._outages.up(Endpoint("feature-service", service, self._store))
        self._metrics.lacking(service, (lack.why.value for one in found for lack in one.lacking.values()))
        return found

    def _away(self, at: Endpoint) -> Waiting | Refusal:
        why = self._outages.why_down(at) or "not asked"
        if not self._outages.is_given_up(at):
            return Waiting(why, at)
        return Refusal(FailureCode.MODEL_UNAVAILABLE, f"{why}. Ask again once the feature store answers")


def _unanswered(one: Unanswered, at: Endpoint) -> Waiting | Refusal:
    """The store answers others: waiting for it would have no end."""
    if not one.is_alone:
        return Waiting(one.why, at)
    return Refusal(
        FailureCode.MODEL_UNAVAILABLE,
        f"{one.why}. It was asked about this entity alone, and answered about others. Mend what the store "
        "has of it, or its key, and ask again",
    )
