"""Why an ensemble cannot be defined as it was asked for. Pure."""

from __future__ import annotations

from collections.abc import Callable

from ekiben_contracts.deployment import EnsembleRequested
from ekiben_contracts.models import Method, Quorum
from ekiben_deployer.known import Known
from ekiben_deployer.routes import champion

METHODS = (Method.AVERAGE, Method.WEIGHTED)
"""What the synthesizer combines several models by."""


def object_to(request: EnsembleRequested, known: Known) -> str | None:
    """The first thing that is wrong: what was expected, found, and to try. None: it can be defined."""
    return next((reason for objection in _OBJECTIONS if (reason := objection(request, known))), None)


def _name_is_a_model(request: EnsembleRequested, known: Known) -> str | None:
    if request.model in known.routes:
        return f"expected a name of its own, found that {request.model} is a routed model; try another name"
    return None


def _members_repeat(request: EnsembleRequested, _: Known) -> str | None:
    repeated = sorted({member for member in request.members if request.members.count(member) > 1})
    return f"expected each member once, found {', '.join(repeated)} more often" if repeated else None


def _members_not_routed(request: EnsembleRequested, known: Known) -> str | None:
    away = [member for member in request.members if champion(known.routes.get(member)) is None]
    if not away:
        return None
    return f"expected routed models as members, found {', '.join(away)} without a route; deploy them first"


def _members_differ(request: EnsembleRequested, known: Known) -> str | None:
    asked = {
        (route.problem_type, frozenset(route.classes or ()))
        for route in (known.routes[member] for member in request.members)
    }
    if len(asked) == 1:
        return None
    return "expected members that answer one question, found several problem types or sets of classes"


def _method_unknown(request: EnsembleRequested, _: Known) -> str | None:
    if request.method in METHODS:
        return None
    return f"expected a method of {', '.join(METHODS)}, found {request.method}; try average"


def _weights_do_not_fit(request: EnsembleRequested, _: Known) -> str | None:
    weights = request.weights or {}
    if request.method is not Method.WEIGHTED:
        return (
            f"expected no weights with the method {request.method}, found some; try weighted"
            if weights
            else None
        )
    if weights.keys() != set(request.members):
        return f"expected a weight for each member, found weights for {', '.join(weights) or 'none'}"
    if min(weights.values()) < 0 or sum(weights.values()) <= 0:
        return f"expected weights of at least 0 with a positive sum, found {weights}"
    return None


def _quorum_too_large(request: EnsembleRequested, _: Known) -> str | None:
    policy = request.missing_policy
    if not isinstance(policy, Quorum) or policy.quorum <= len(request.members):
        return None
    return (
        f"expected a quorum of at most {len(request.members)}, the number of members, found {policy.quorum}"
    )


_OBJECTIONS: tuple[Callable[[EnsembleRequested, Known], str | None], ...] = (
    _name_is_a_model,
    _members_repeat,
    _members_not_routed,
    _members_differ,
    _method_unknown,
    _weights_do_not_fit,
    _quorum_too_large,
)
