"""What becomes of a record that cannot be read or breaks the gateway: whoever can be told is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from ekiben_bus.deciding import dead_letter_alone
from ekiben_bus.records import Record
from ekiben_bus.verdicts import DeadLetter, Emit, Failure
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError, InvalidEventError
from ekiben_contracts.event import LONGEST_IDENTIFIER
from ekiben_contracts.identity import request_identity
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.prediction import FailureCode, PredictionFailed
from ekiben_contracts.topics import PREDICTION_REQUESTS
from ekiben_inference_gateway.answers import terminal
from ekiben_inference_gateway.metrics import UNROUTED, GatewayMetrics


class _Sender(NamedTuple):
    """Whom to answer, as far as the record says."""

    request_id: str
    model: str | None = None
    entity_id: str | None = None
    attempt: int = 1


def on_failure(
    failure: Failure, *, clock: Callable[[], datetime], metrics: GatewayMetrics
) -> Emit | DeadLetter:
    """An invalid request is answered, unreadable bytes are kept, a bug is both."""
    if isinstance(failure.error, InvalidEventError):
        return _invalid(failure, failure.error, clock(), metrics)
    if isinstance(failure.error, ContractError):
        return _unreadable(failure, failure.error, clock(), metrics)
    return _bug(failure, clock(), metrics)


def _invalid(failure: Failure, error: InvalidEventError, now: datetime, metrics: GatewayMetrics) -> Emit:
    message = f"{error}. Send it mended under a new request_id"
    answer = _failed(_named_by(error, failure.record), FailureCode.INVALID_REQUEST, message, now, metrics)
    return Emit((terminal(answer),))


def _unreadable(failure: Failure, error: ContractError, now: datetime, metrics: GatewayMetrics) -> DeadLetter:
    letter = dead_letter_alone(failure)
    if error.ce_id is None:
        return letter
    sender = _Sender(error.ce_id)
    answer = _failed(sender, FailureCode.INVALID_REQUEST, str(error), now, metrics, failure.dead_letter_id)
    return replace(letter, outgoing=(terminal(answer),))


def _bug(failure: Failure, now: datetime, metrics: GatewayMetrics) -> DeadLetter:
    letter = dead_letter_alone(failure)
    message = (
        f"the gateway failed on this request ({letter.error_class} in stage {failure.stage}); "
        f"replay its dead letter {failure.dead_letter_id} once that is mended"
    )
    answer = _failed(_sender(failure), FailureCode.INTERNAL, message, now, metrics, failure.dead_letter_id)
    return replace(letter, outgoing=(terminal(answer),))


def _failed(
    sender: _Sender,
    code: FailureCode,
    message: str,
    now: datetime,
    metrics: GatewayMetrics,
    dead_letter: str | None = None,
) -> PredictionFailed:
    metrics.answered([(UNROUTED, code.value)])
    return PredictionFailed(
        attempt=sender.attempt,
        request_id=sender.request_id,
        model=sender.model,
        entity_id=sender.entity_id,
        code=code,
        message=message,
        retryable=False,
        dead_letter=dead_letter,
        failed_at=now,
    )


def _sender(failure: Failure) -> _Sender:
    """Of a record that was readable; it is read again where the bus has only its bytes."""
    record, received = failure.record, failure.received
    if received is not None:
        event, ce_id, attempt = received.event, received.ce_id, received.attempt
    else:
        decoded = decode(record.value, record.headers, PREDICTION_REQUESTS)
        event, ce_id, attempt = decoded.data, decoded.id, 1
    if not isinstance(event, REQUESTED):
        return _Sender(_identity(None, ce_id, record), attempt=attempt)
    return _Sender(_identity(event.request_id, ce_id, record), event.model, event.entity_id, attempt)


def _named_by(error: InvalidEventError, record: Record) -> _Sender:
    """What an invalid request says of itself, as far as that is text; the result must stay small."""
    request_id, model, entity_id = (
        _text(error.data.get(name)) for name in ("request_id", "model", "entity_id")
    )
    if request_id is not None and len(request_id) > LONGEST_IDENTIFIER:
        request_id = None
    return _Sender(
        _identity(request_id, error.ce_id, record),
        model and model[:LONGEST_IDENTIFIER],
        entity_id and entity_id[:LONGEST_IDENTIFIER],
    )


def _identity(request_id: str | None, ce_id: str | None, record: Record) -> str:
    return request_identity(request_id, ce_id, record.topic, record.partition, record.offset)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
