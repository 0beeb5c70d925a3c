"""The services under test: the bus as it is, with handlers that do what each request asks of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from ekiben_bus.deciding import dead_letter_alone
from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import ServiceSettings
from ekiben_bus.verdicts import DeadLetter, Emit, Failure, Hold, Outgoing, Park, Retry, Verdict
from ekiben_contracts.errors import ContractError
from ekiben_contracts.event import Event
from ekiben_contracts.identity import Stage, output_id, request_identity
from ekiben_contracts.lean import REQUESTED, SCORED
from ekiben_contracts.prediction import FailureCode, ModelsScored, PredictionFailed
from ekiben_contracts.topics import (
    GATEWAY,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    SYNTHESIZER,
)
from simulation.clock import skew_s
from simulation.cluster import SimulatedCluster
from simulation.plan import PREFIX, Behaviour, Outage, Plan

_EPOCH_S = 1_790_000_000.0
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def wall_clock() -> float:
    """Seconds since the epoch, as the process sees it that asks."""
    return _EPOCH_S + asyncio.get_running_loop().time() + skew_s()


class Bug(Exception):  # noqa: N818 - what a handler raises where it is wrong
    """A handler broke."""


class Endpoint:
    """The model server behind all gateways. It outlives them, and counts how often it was asked."""

    def __init__(self, outages: Sequence[Outage]) -> None:
        self._outages = outages
        self.asked: Counter[str] = Counter()

    @property
    def is_down(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(outage.from_s <= now < outage.until_s for outage in self._outages)


def gateway(plan: Plan, cluster: SimulatedCluster, endpoint: Endpoint) -> Service:
    """Reads requests."""
    service = _service(GATEWAY, plan, cluster)

    async def handle(batch: Sequence[Received]) -> Sequence[Verdict]:
        await asyncio.sleep(max(_takes(received, endpoint) for received in batch))
        return [_decide(received, endpoint) for received in batch]

    service.consume(PREDICTION_REQUESTS, handle, _answer_with_a_letter)
    return service


def synthesizer(plan: Plan, cluster: SimulatedCluster) -> Service:
    """Reads what gateways scored."""
    service = _service(SYNTHESIZER, plan, cluster)

    async def handle(batch: Sequence[Received]) -> Sequence[Verdict]:
        for received in batch:
            if received.attempt == 1 and _text(received.event, "then") == Behaviour.BUG:
                raise Bug(_identity(received))
        return [Emit((_result(received),)) for received in batch]

    service.consume(MODEL_OUTPUTS, handle, _answer_with_a_letter)
    return service


def _service(name: str, plan: Plan, cluster: SimulatedCluster) -> Service:
    settings = ServiceSettings(
        topic_prefix=PREFIX,
        health_port=None,
        batch_records=plan.batch_records,
        batch_timeout_s=plan.batch_timeout_s,
        commit_interval_s=plan.commit_interval_s,
        retry_delays_s=plan.retry_delays_s,
        longest_backoff_s=2.0,
        drain_timeout_s=5.0,
    )
    return Service(name, settings, cluster, clock=lambda: datetime.fromtimestamp(wall_clock(), UTC))


def _takes(received: Received, endpoint: Endpoint) -> float:
    """Seconds until this request is scored; all of a batch are at once."""
    behaviour, seconds = _behaviour(received), _number(received.event, "seconds")
    if behaviour == Behaviour.HANG and not endpoint.asked[_identity(received)]:
        endpoint.asked[_identity(received)] += 1
        return seconds
    return seconds if behaviour == Behaviour.SLOW else 0.0


def _decide(received: Received, endpoint: Endpoint) -> Verdict:  # noqa: PLR0911 - one for each behaviour
    times, identity = int(_number(received.event, "times")), _identity(received)
    endpoint.asked[identity] += 1
    match _behaviour(received):
        case Behaviour.SCORE:
            return Emit((_scored(received),))
        case Behaviour.RETRY if endpoint.asked[identity] <= times:
            return Retry("503", _letter(received, "retries-exhausted"))
        case Behaviour.EXHAUST:
            return Retry("503", _letter(received, "retries-exhausted"))
        case Behaviour.PARK if endpoint.is_down:
            return Park("endpoint", "away")
        case Behaviour.HOLD if endpoint.is_down:
            return Hold("away")
        case Behaviour.BUG:
            raise Bug(identity)
        case Behaviour.LETTER:
            return _letter(received, "refused")
        case _:
            return Emit((_result(received),))


def _answer_with_a_letter(failure: Failure) -> Verdict:
    if failure.received is None or isinstance(failure.error, ContractError):
        return dead_letter_alone(failure)
    return _letter(failure.received, "bug")


def _letter(received: Received, reason: str) -> DeadLetter:
    return DeadLetter(reason, "Bug", _identity(received), outgoing=(_result(received),))


def _identity(received: Received) -> str:
    event, record = received.event, received.record
    if isinstance(event, SCORED):
        return event.request_id
    assert isinstance(event, REQUESTED)
    return request_identity(event.request_id, received.ce_id, record.topic, record.partition, record.offset)


def _result(received: Received) -> Outgoing:
    event, identity = received.event, _identity(received)
    assert isinstance(event, (*REQUESTED, *SCORED))
    failed = PredictionFailed(
        attempt=received.attempt,
        request_id=identity,
        model=event.model,
        entity_id=event.entity_id,
        code=FailureCode.INTERNAL,
        message="as the plan wants it",
        retryable=False,
        failed_at=_LONG_AGO,
    )
    return Outgoing(PREDICTION_RESULTS, failed, output_id(identity, Stage.RESULT, received.attempt))


def _scored(received: Received) -> Outgoing:
    event, identity = received.event, _identity(received)
    assert isinstance(event, REQUESTED)
    scored = ModelsScored(
        attempt=received.attempt,
        request_id=identity,
        model=event.model,
        entity_id=event.entity_id,
        time_horizon=event.time_horizon,
        requested_at=_LONG_AGO,
        outputs=[],
        features=event.features,
    )
    return Outgoing(MODEL_OUTPUTS, scored, output_id(identity, Stage.SCORED, received.attempt))


def _behaviour(received: Received) -> str:
    """A replay finds all mended."""
    return _text(received.event, "behaviour") if received.attempt == 1 else Behaviour.ANSWER


def _text(event: Event, name: str) -> str:
    assert isinstance(event, (*REQUESTED, *SCORED))
    return str((event.features or {})[name])


def _number(event: Event, name: str) -> float:
    assert isinstance(event, REQUESTED)
    return float((event.features or {})[name] or 0)
