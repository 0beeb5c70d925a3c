"""Why a request has no outputs, in words: what was expected, what was found, what to try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.policies import Gap, failure_code, needed
from ekiben_inference_gateway.routing import Plan

_MOST_NAMES = 8
_MENDED_BY_TIME = frozenset(
    {FailureCode.UNKNOWN_MODEL, FailureCode.MODEL_UNAVAILABLE, FailureCode.INSUFFICIENT_MODELS}
)


class Refusal(NamedTuple):
    """A failure and its message."""

    code: FailureCode
    message: str

    @property
    def retryable(self) -> bool:
        """Whether the same request, unchanged, may succeed later."""
        return self.code in _MENDED_BY_TIME


def past_deadline(deadline: datetime, now: datetime) -> Refusal:
    """It came, or had its features, too late to compute."""
    late = (now - deadline).total_seconds()
    return Refusal(
        FailureCode.DEADLINE_EXCEEDED,
        f"expected to have its turn by its deadline {deadline.isoformat()}, found it {late:.3f} s later; "
        "send it with a later deadline under a new request_id",
    )


def unknown_model(name: str, routed: Sequence[str]) -> Refusal:
    """No route has its name."""
    known = some_of(routed)
    return Refusal(
        FailureCode.UNKNOWN_MODEL,
        f"expected the name of a routed model or ensemble, found {name!r}; routed are {known or 'none yet'}. "
        f"Deploy {name} and replay the dead letter, or ask another model under a new request_id",
    )


def no_features(plan: Plan) -> Refusal:
    """It has features null, and nothing can fill them in."""
    signatures = [member.choices[-1].signature for member in plan.members]
    names = list(dict.fromkeys(spec.name for signature in signatures for spec in signature if spec.required))
    return Refusal(
        FailureCode.MISSING_FEATURES,
        f"expected the features {some_of(names)} of {plan.name}, found null, and no feature service "
        "in its route; send the features in the request, under a new request_id, or deploy it with one",
    )


def short_of_outputs(plan: Plan, answered: int, gaps: Sequence[Gap]) -> Refusal:
    """Its model, or too many members of its ensemble, did not answer."""
    code = failure_code(plan, gaps)
    if plan.ensemble is None:
        return Refusal(code, _ADVICE[code].format(detail=gaps[0].detail))
    least = needed(plan.ensemble.missing_policy, len(plan.ensemble.members))
    named = "; ".join(f"{gap.model}: {gap.code}, {gap.detail}" for gap in gaps)
    detail = (
        f"expected outputs of at least {least} members of {plan.name}, found {answered}. Missing are {named}"
    )
    return Refusal(code, _ADVICE[code].format(detail=detail))


def some_of(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


_ADVICE = {
    FailureCode.INVALID_REQUEST: "{detail} Send it mended under a new request_id",
    FailureCode.MISSING_FEATURES: "{detail} Send them in the request, under a new request_id",
    FailureCode.MODEL_UNAVAILABLE: "{detail}; replay the dead letter once the model answers",
    FailureCode.INSUFFICIENT_MODELS: "{detail}; deploy or mend what is missing, or let the ensemble's policy "
    "do without it, then replay the dead letter",
    FailureCode.INTERNAL: "{detail}; mend the model and replay the dead letter, or send other values under a "
    "new request_id",
}
