"""What the scoring core concludes, for somebody who waits at the other end of a connection. Pure.

Nothing is parked and no dead letter is kept: whoever asks over HTTP is told at once, and asks again.
"""

from __future__ import annotations

from collections.abc import Sequence

from ekiben_contracts.event import Event
from ekiben_contracts.models import Role
from ekiben_contracts.prediction import FailureCode
from ekiben_contracts.routing import ModelRouted
from ekiben_contracts.topics import PREDICTION_REQUESTS
from ekiben_inference_gateway.conclusions import Waiting
from ekiben_inference_gateway.refusals import Refusal, some_of
from ekiben_inference_gateway.routing import Plan
from ekiben_inference_gateway.scoring import Scored


def concluded(scored: Scored) -> Scored | Refusal:
    """Its output, or why its one model has none."""
    if not scored.gaps:
        return scored
    gap = scored.gaps[0]
    if gap.transient:
        return Refusal(gap.code, f"{gap.detail}; ask again: the model may do better")
    return Refusal(gap.code, f"{gap.detail.rstrip('.')}; {_ADVICE[gap.code]}")


def unfilled(one: Refusal | Waiting) -> Refusal:
    """Without its features. Nobody waits for a feature store at the end of a connection."""
    if isinstance(one, Refusal):
        return one
    advice = _ADVICE[FailureCode.MODEL_UNAVAILABLE]
    return Refusal(FailureCode.MODEL_UNAVAILABLE, f"{one.reason}; {advice}")


def ensemble_over_http(plan: Plan) -> Refusal:
    """Its members are asked and combined on the bus alone."""
    return Refusal(
        FailureCode.INVALID_REQUEST,
        f"expected a single model, found {plan.name}, an ensemble of "
        f"{some_of([*(member.model for member in plan.members), *plan.absent])}; publish the request to the "
        f"bus, on {PREDICTION_REQUESTS.name}, or ask one of its members",
    )


def not_routed(name: str, route: Event | None, single: Sequence[str]) -> Refusal:
    """No version of it takes traffic, or nobody has heard of it."""
    if isinstance(route, ModelRouted) and any(one.role is Role.SHADOW for one in route.versions):
        found = f"found {name} in shadow only, which answers nobody; promote it, or ask another model"
    elif isinstance(route, ModelRouted):
        found = f"found {name} with every version retired or at weight 0; deploy it, or ask another model"
    else:
        found = f"found {name!r}, which no route names; deploy it, or ask another model"
    known = some_of(single) or "none yet"
    return Refusal(FailureCode.UNKNOWN_MODEL, f"expected a model that takes traffic ({known}), {found}")


def no_such_version(name: str, version: str, taking_traffic: Sequence[str]) -> Refusal:
    """It is asked for by its version, and that one takes no traffic."""
    return Refusal(
        FailureCode.UNKNOWN_MODEL,
        f"expected a version of {name} that takes traffic ({some_of(taking_traffic)}), found {version!r}",
    )


def routes_unknown(why: str) -> Refusal:
    """It may be routed; nobody here can tell."""
    return Refusal(FailureCode.MODEL_UNAVAILABLE, f"{why}; ask again later")


def unexplained(model: str, reason: str) -> str:
    """Its prediction is there, and nothing says what moved it."""
    return (
        f"expected {model} to say what moved its answer, found: {reason.rstrip('.')}; ask for the "
        "prediction alone, or deploy the model with an explainer"
    )


def is_final(refusal: Refusal) -> bool:
    """Whether it is the end of this request, so that everybody may be told.

    What may be mended by asking again, or elsewhere, under the same id is not: a terminal event would
    stand before the answer that comes then.
    """
    return refusal.code in (
        FailureCode.MISSING_FEATURES,
        FailureCode.DEADLINE_EXCEEDED,
        FailureCode.INTERNAL,
    )


_ADVICE = {
    FailureCode.INVALID_REQUEST: "send it mended under a new request_id",
    FailureCode.MISSING_FEATURES: "send them in the request, under a new request_id",
    FailureCode.MODEL_UNAVAILABLE: "ask again later, or publish to the bus, where requests wait",
    FailureCode.INTERNAL: "mend the model, or send other values under a new request_id",
}
