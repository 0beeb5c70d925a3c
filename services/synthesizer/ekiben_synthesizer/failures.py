"""What becomes of a scored event that cannot be read or breaks the handler: its request is still answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from ekiben_bus.deciding import dead_letter_alone
from ekiben_bus.records import Received
from ekiben_bus.verdicts import DeadLetter, Failure
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError, InvalidEventError
from ekiben_contracts.event import LONGEST_IDENTIFIER
from ekiben_contracts.identity import Stage
from ekiben_contracts.topics import MODEL_OUTPUTS, SYNTHESIZER
from ekiben_synthesizer.handler import scored_of, terminal
from ekiben_synthesizer.results import failed


class _Asker(NamedTuple):
    """The request behind a scored event, as far as it can be told."""

    request_id: str
    attempt: int = 1
    model: str | None = None
    entity_id: str | None = None


def on_failure(failure: Failure, *, clock: Callable[[], datetime]) -> DeadLetter:
    """A dead letter with its stack, and a failed result wherever the request can be told."""
    letter = dead_letter_alone(failure)
    asker = _named_by(failure.error) if isinstance(failure.error, ContractError) else _asker(failure)
    if asker is None:
        return letter
    answer = failed(
        asker.request_id,
        f"the answers to this request could not be put together ({letter.error_class} in stage "
        f"{failure.stage}); replay its dead letter {failure.dead_letter_id} once that is mended",
        failure.dead_letter_id,
        clock(),
        attempt=asker.attempt,
        model=asker.model,
        entity_id=asker.entity_id,
    )
    return replace(letter, outgoing=(terminal(answer),))


def _asker(failure: Failure) -> _Asker:
    """Of a record that was readable; it is read again where the bus has only its bytes."""
    record, received = failure.record, failure.received
    if received is None:
        received = Received(decode(record.value, record.headers, MODEL_OUTPUTS).data, record, SYNTHESIZER)
    scored = scored_of(received)
    return _Asker(scored.event.request_id, scored.attempt, scored.event.model, scored.event.entity_id)


def _named_by(error: ContractError) -> _Asker | None:
    """The ids of outputs hold their request's: `flight-7/scored/1`. Failing that, what the data says."""
    request_id, _, attempt = (error.ce_id or "").rpartition(f"/{Stage.SCORED}/")
    if request_id and attempt.isdecimal() and int(attempt) > 0:
        return _Asker(request_id, int(attempt))
    named = error.data.get("request_id") if isinstance(error, InvalidEventError) else None
    return _Asker(named) if isinstance(named, str) and 0 < len(named) <= LONGEST_IDENTIFIER else None
