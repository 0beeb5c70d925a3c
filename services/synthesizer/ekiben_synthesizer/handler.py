"""From scored requests to verdicts: one terminal event each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from ekiben_bus.records import Received
from ekiben_bus.verdicts import DeadLetter, Emit, Hold, Outgoing, Verdict
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.lean import COMPLETED, SCORED
from ekiben_contracts.prediction import ModelsScored, PredictionCompleted, PredictionFailed
from ekiben_contracts.topics import PREDICTION_RESULTS
from ekiben_synthesizer.combining import CombinationError
from ekiben_synthesizer.metrics import SynthesizerMetrics
from ekiben_synthesizer.pins import RouteTable, is_unresolved
from ekiben_synthesizer.results import completed, failed

UNCOMBINABLE = "uncombinable"
"""The reason of dead letters whose outputs do not fit the method or each other."""


class Scored(Struct, frozen=True, gc=False):
    """A scored request, which attempt at it this is, and the id its dead letter would have."""

    event: ModelsScored
    attempt: int
    received: Received


async def synthesize(
    batch: Sequence[Received],
    *,
    routes: RouteTable,
    coverage: float,
    clock: Callable[[], datetime],
    metrics: SynthesizerMetrics,
) -> list[Verdict]:
    """Answer every scored request of a batch, in order."""
    scored = [scored_of(received) for received in batch]
    behind = await _catch_up(scored, routes)
    now = clock()
    answers = [
        Hold(behind) if behind and is_unresolved(one.event, routes) else _answer(one, routes, coverage, now)
        for one in scored
    ]
    metrics.completed(answer for answer in answers if isinstance(answer, COMPLETED))
    metrics.uncombinable(answer for answer in answers if isinstance(answer, PredictionFailed))
    return [answer if isinstance(answer, Hold) else _verdict(answer) for answer in answers]


def scored_of(received: Received) -> Scored:
    """The scored request in a record. Replays of the request and of this record both raise the attempt.

    Raises:
        TypeError: the record holds another event.
    """
    event = received.event
    if not isinstance(event, SCORED):
        raise TypeError(f"expected {ModelsScored.type}, found {event.type}")
    return Scored(event, event.attempt + received.attempt - 1, received)


def terminal(result: PredictionCompleted | PredictionFailed) -> Outgoing:
    """A result on its way. Completed and failed share one id: the first by offset stands."""
    return Outgoing(PREDICTION_RESULTS, result, output_id(result.request_id, Stage.RESULT, result.attempt))


async def _catch_up(scored: Sequence[Scored], routes: RouteTable) -> str | None:
    """Read the routes to their end where a calibration is not known yet; the text says why that failed."""
    if not any(is_unresolved(one.event, routes) for one in scored):
        return None
    try:
        await routes.catch_up()
    except TimeoutError as error:
        return f"the routes could not be read to their current end: {error!r}"
    return None


def _answer(
    scored: Scored, routes: RouteTable, coverage: float, now: datetime
) -> PredictionCompleted | PredictionFailed:
    event = scored.event
    try:
        return completed(event, routes, coverage, now, scored.attempt)
    except CombinationError as error:
        return failed(
            event.request_id,
            f"the answers of {event.model} cannot be combined: {error}",
            scored.received.dead_letter_id,
            now,
            attempt=scored.attempt,
            model=event.model,
            entity_id=event.entity_id,
        )


def _verdict(answer: PredictionCompleted | PredictionFailed) -> Emit | DeadLetter:
    outgoing = (terminal(answer),)
    if isinstance(answer, COMPLETED):
        return Emit(outgoing)
    return DeadLetter(UNCOMBINABLE, CombinationError.__name__, answer.message, outgoing=outgoing)
