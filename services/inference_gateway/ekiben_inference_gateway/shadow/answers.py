"""The event that tells what a shadow answered."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.identity import output_id, shadow_stage
from ekiben_contracts.lean import LeanOutput
from ekiben_contracts.prediction import ModelsShadowed, Output
from ekiben_contracts.topics import SHADOW_OUTPUTS
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.shadow.choosing import Shadowing

ANSWERED, FAILED, SKIPPED = "answered", "failed", "skipped"


class Skipped(NamedTuple):
    """It was not asked: the request was scored too long ago."""

    behind_s: float
    longest_s: float

    def __str__(self) -> str:
        return f"expected it within {self.longest_s:g} s of its scoring, found it {self.behind_s:.1f} s later"


Answer = Output | Gap | Skipped


def shadowed(one: Shadowing, answer: Answer) -> ModelsShadowed:
    """What became of asking one version about one request. Its parts were validated where they came from."""
    scored = one.scored
    return ModelsShadowed.assemble(
        {
            "attempt": one.attempt,
            "request_id": scored.request_id,
            "model": one.beside.model,
            "version": one.choice.endpoint.version,
            "entity_id": scored.entity_id,
            "champion": one.beside,
            **_outcome(one.beside, answer),
        }
    )


def outgoing(one: Shadowing, event: ModelsShadowed) -> Outgoing:
    """The event on its way: a redelivery tells it under the same id."""
    stage = shadow_stage(event.version, one.member)
    return Outgoing(SHADOW_OUTPUTS, event, output_id(event.request_id, stage, event.attempt))


def _outcome(beside: Output, answer: Answer) -> dict[str, object]:
    match answer:
        case Output() | LeanOutput():
            off = answer.value - beside.value
            difference = off if isfinite(off) else None  # of two that are farther apart than a float holds
            return {"status": ANSWERED, "shadow": answer, "error": None, "difference": difference}
        case Gap(_, code, detail):
            return {"status": FAILED, "shadow": None, "error": f"{code}: {detail}", "difference": None}
        case Skipped():
            return {"status": SKIPPED, "shadow": None, "error": f"skipped: {answer}", "difference": None}
