"""Whether enough members of an ensemble answered, and what is the matter where not."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from ekiben_contracts.models import MissingPolicy, Quorum
from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.routing import Endpoint, Plan


class Gap(NamedTuple):
    """A member without an output. `endpoint` is None where no version could be asked.

    A `transient` one answered and broke, and may do better another time.
    """

    model: str
    code: FailureCode
    detail: str
    endpoint: Endpoint | None = None
    transient: bool = False


class Sufficiency(Enum):
    """What the answers of a plan's members amount to."""

    ENOUGH = auto()
    FAILING = auto()
    WAITING = auto()
    SHORT = auto()


OF_THE_REQUEST = frozenset({FailureCode.INVALID_REQUEST, FailureCode.MISSING_FEATURES})
"""Gaps that the request itself is the cause of."""


def needed(policy: MissingPolicy, members: int) -> int:
    """How many of the members have to answer."""
    if isinstance(policy, Quorum):
        return policy.quorum
    return members if policy == "all" else 1


def sufficiency(plan: Plan, answered: int, failing: int, recovering: int) -> Sufficiency:
    """`failing` members may do better another time; `recovering` ones are down, but not given up.

    It is worth trying again before it is worth waiting for: trying again is soon over.
    """
    least = needed(plan.ensemble.missing_policy, len(plan.ensemble.members)) if plan.ensemble else 1
    if answered >= least:
        return Sufficiency.ENOUGH
    if answered + failing >= least:
        return Sufficiency.FAILING
    return Sufficiency.WAITING if answered + failing + recovering >= least else Sufficiency.SHORT


def failure_code(plan: Plan, gaps: Sequence[Gap]) -> FailureCode:
    """Why there is no answer: a model's own gap; of an ensemble, what the request did to all of it."""
    if plan.ensemble is None:
        return gaps[0].code
    codes = {gap.code for gap in gaps}
    if len(gaps) == len(plan.ensemble.members) and len(codes) == 1 and codes <= OF_THE_REQUEST:
        return gaps[0].code
    return FailureCode.INSUFFICIENT_MODELS
