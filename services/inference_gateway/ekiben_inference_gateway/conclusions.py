"""What the answers of a plan's members amount to: outputs to combine, another try, a wait, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.policies import Sufficiency, sufficiency
from ekiben_inference_gateway.refusals import Refusal, short_of_outputs
from ekiben_inference_gateway.routing import Endpoint
from ekiben_inference_gateway.scoring import Scored


class Waiting(NamedTuple):
    """Nothing can be said yet, and why. `endpoint` is what it waits for; None: for the routes."""

    reason: str
    endpoint: Endpoint | None = None


class Failing(NamedTuple):
    """It may do better another time, and why it did not now. `otherwise`: once all tries are over."""

    reason: str
    otherwise: Refusal


Conclusion = Scored | Failing | Waiting | Refusal


def conclude(scored: Scored, is_given_up: Callable[[Endpoint], bool]) -> Conclusion:
    """Enough outputs go on, their gaps named. Too few wait while a model that is down may come back."""
    if not scored.gaps:
        return scored
    plan, answered = scored.asked.plan, len(scored.outputs)
    failing = [gap for gap in scored.gaps if gap.transient]
    recovering = [
        gap
        for gap in scored.gaps
        if gap.code is FailureCode.MODEL_UNAVAILABLE
        and gap.endpoint is not None
        and not is_given_up(gap.endpoint)
    ]
    match sufficiency(plan, answered, len(failing), len(recovering)):
        case Sufficiency.ENOUGH:
            return scored
        case Sufficiency.FAILING:
            return Failing(failing[0].detail, short_of_outputs(plan, answered, scored.gaps))
        case Sufficiency.WAITING:
            return Waiting(recovering[0].detail, recovering[0].endpoint)
        case Sufficiency.SHORT:
            return short_of_outputs(plan, answered, scored.gaps)
