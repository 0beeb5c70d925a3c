"""The events and verdicts that answer a request."""

from __future__ import annotations

from datetime import datetime

from ekiben_bus.records import Received
from ekiben_bus.verdicts import DeadLetter, Emit, Outgoing, Retry
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.lean import LeanScored
from ekiben_contracts.prediction import FailureCode, Missing, ModelsScored, PredictionFailed
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_RESULTS
from ekiben_inference_gateway.conclusions import Failing
from ekiben_inference_gateway.explanations import told
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.scoring import Scored

RETRIES_EXHAUSTED = "retries-exhausted"
"""The reason of a dead letter that was tried again until there was no retry topic left."""


def scored_event(scored: Scored) -> ModelsScored:
    """Every output, with the combination that is in force now.

    Its parts were validated where they came from, so it is not validated again: half the cost.
    """
    request, plan = scored.asked.request, scored.asked.plan
    asked, in_force = request.asked, plan.in_force
    explanations, unexplained = told(scored.explanations)
    return LeanScored(
        attempt=request.attempt,
        request_id=request.id,
        model=plan.name,
        entity_id=asked.entity_id,
        time_horizon=asked.time_horizon,
        context=asked.context,
        requested_at=request.requested_at,
        deadline=asked.deadline,
        revision=in_force.revision,
        method=in_force.method,
        weights=in_force.weights,
        coverage=in_force.coverage,
        calibrations=plan.calibrations(scored.asked.choices),
        outputs=scored.outputs,
        missing=[Missing(model=gap.model, reason=gap.code, detail=gap.detail) for gap in scored.gaps],
        features=scored.asked.features,
        explanations=explanations,
        unexplained=unexplained,
    )


def scored_verdict(scored: Scored) -> Emit:
    """On to the synthesizer."""
    event = scored_event(scored)
    return Emit((Outgoing(MODEL_OUTPUTS, event, output_id(event.request_id, Stage.SCORED, event.attempt)),))


def refused_verdict(
    request: Request, refusal: Refusal, received: Received, now: datetime
) -> Emit | DeadLetter:
    """A plain answer, or a dead letter to replay with the answer that names it."""
    if refusal.code.is_plain_answer:
        return Emit((terminal(refused_event(request, refusal, None, now)),))
    return _letter(request, refusal, received, now, reason_of(refusal.code))


def retried_verdict(request: Request, failing: Failing, received: Received, now: datetime) -> Retry:
    """Another try later; when all are over, a dead letter with its answer."""
    letter = _letter(request, failing.otherwise, received, now, RETRIES_EXHAUSTED)
    return Retry(failing.reason, letter)


def _letter(request: Request, refusal: Refusal, received: Received, now: datetime, reason: str) -> DeadLetter:
    answer = terminal(refused_event(request, refusal, received.dead_letter_id, now))
    return DeadLetter(reason, refusal.code.value, refusal.message, outgoing=(answer,))


def refused_event(
    request: Request, refusal: Refusal, dead_letter: str | None, now: datetime
) -> PredictionFailed:
    """The failure that tells whoever asked."""
    return PredictionFailed(
        attempt=request.attempt,
        request_id=request.id,
        model=request.asked.model,
        entity_id=request.asked.entity_id,
        code=refusal.code,
        message=refusal.message,
        retryable=refusal.retryable,
        dead_letter=dead_letter,
        failed_at=now,
    )


def reason_of(code: FailureCode) -> str:
    """The label of its dead letters, such as unknown-model."""
    return "model-error" if code is FailureCode.INTERNAL else code.value.replace("_", "-")


def terminal(result: PredictionFailed) -> Outgoing:
    """A failure on its way. It has the id that the request's completion would have."""
    return Outgoing(PREDICTION_RESULTS, result, output_id(result.request_id, Stage.RESULT, result.attempt))
