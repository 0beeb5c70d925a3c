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
from ekiben_contracts.topics import DEPLOYMENT_EVENTS


async def take_note(batch: Sequence[Received]) -> Sequence[Verdict]:
    """Every readable record is in a view already, and stays there: it is answered at once.

    Consuming it all the same gives a dead letter to what cannot be read, and the one partition to
    one deployer.
    """
    return [Emit()] * len(batch)


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
        )
    except (KeyError, ValidationError):  # it names nobody who could be answered
        return alone
    outgoing = Outgoing(DEPLOYMENT_EVENTS, failed, output_id(failed.deployment_id, Step.FAILED))
    return replace(alone, outgoing=(outgoing,))
