"""What the deployer answers to the records of its topics. The work is done beside, from the views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import ValidationError

from ekiben_bus.deciding import dead_letter_alone
from ekiben_bus.records import Received
from ekiben_bus.verdicts import DeadLetter, Emit, Failure, Outgoing, Verdict
from ekiben_contracts.deployment import DeploymentProgressed, Step
from ekiben_contracts.errors import InvalidEventError
from ekiben_contracts.identity import output_id
from ekiben_contracts.topics import DEPLOYMENT_EVENTS, DEPLOYMENT_REQUESTS
from ekiben_deployer.planning import Request


async def take_note(batch: Sequence[Received]) -> Sequence[Verdict]:
    """Every readable record is in a view already, and stays there: it is answered at once.

    Consuming it all the same gives a dead letter to what cannot be read, and the one partition to
    one deployer. A replayed request is in no view: it is asked for again, as a later attempt.
    """
    return [Emit() if received.attempt == 1 else _ask_again(received) for received in batch]


def _ask_again(received: Received) -> Emit:
    request = received.event
    if not isinstance(request, Request):
        return Emit()
    again = request.model_copy(update={"attempt": received.attempt})
    ce_id = output_id(request.deployment_id, "replayed", received.attempt)
    return Emit((Outgoing(DEPLOYMENT_REQUESTS, again, ce_id),))


def refuse(failure: Failure, clock: Callable[[], datetime]) -> DeadLetter:
    """A dead letter; and where the record names its deployment, the end of that."""
    alone = dead_letter_alone(failure)
    data = failure.error.data if isinstance(failure.error, InvalidEventError) else {}
    try:
        failed = DeploymentProgressed(
            deployment_id=data["deployment_id"],
            model=data["model"],
            version=None,
            step=Step.FAILED,
            reason=str(failure.error),
            at=clock(),
            attempt=failure.attempt,
        )
    except (KeyError, ValidationError):  # it names nobody who could be answered
        return alone
    outgoing = Outgoing(
        DEPLOYMENT_EVENTS, failed, output_id(failed.deployment_id, Step.FAILED, failed.attempt)
    )
    return replace(alone, outgoing=(outgoing,))
