"""Why a version cannot be deployed as it was asked for. Pure."""

from __future__ import annotations

from collections.abc import Callable

from ekiben_contracts.deployment import DeploymentRequested, Strategy, Target
from ekiben_deployer.known import Known
from ekiben_deployer.routes import champion
from ekiben_deployer.stages import skipped
from ekiben_deployer.strategies import STEPS

TARGETS = (Target.LOCAL,)


def object_to(request: DeploymentRequested, known: Known) -> str | None:
    """The first thing that is wrong: what was expected, found, and to try. None: it can be deployed."""
    return next((reason for objection in _OBJECTIONS if (reason := objection(request, known))), None)


def _strategy_unsupported(request: DeploymentRequested, _: Known) -> str | None:
    if request.strategy in STEPS:
        return None
    return f"expected a strategy of {', '.join(STEPS)}, found {request.strategy}; try direct"


def _target_unsupported(request: DeploymentRequested, _: Known) -> str | None:
    if request.target in TARGETS:
        return None
    return f"expected a target of {', '.join(TARGETS)}, found {request.target}; try local"


def _too_many_replicas(request: DeploymentRequested, _: Known) -> str | None:
    if request.replicas == 1:
        return None
    return f"expected 1 replica, which is what the target {request.target} runs, found {request.replicas}"


def _stage_skipped(request: DeploymentRequested, _: Known) -> str | None:
    reason = skipped(request.strategy, request.environment)
    return reason and f"expected a way through every stage, found that {reason}; try another environment"


def _name_is_an_ensemble(request: DeploymentRequested, known: Known) -> str | None:
    if request.model not in known.ensembles:
        return None
    return f"expected the name of a model, found that {request.model} is an ensemble; try another name"


def _not_trained(request: DeploymentRequested, known: Known) -> str | None:
    if (request.model, request.version) in known.trained:
        return None
    return known.untrained(request.model, request.version)


def _other_problem(request: DeploymentRequested, known: Known) -> str | None:
    trained = known.trained[request.model, request.version]
    route = known.routes.get(request.model)
    if route is None or route.problem_type is trained.problem_type:
        return None
    return (
        f"expected a {route.problem_type} model, as {request.model} is, found {trained.problem_type}; "
        "deploy it under another name"
    )


def _nothing_to_shadow(request: DeploymentRequested, known: Known) -> str | None:
    serving = champion(known.routes.get(request.model))
    if request.strategy is not Strategy.SHADOW or (serving and serving.version != request.version):
        return None
    found = "none" if serving is None else "that this one serves"
    return f"expected another version of {request.model} that serves, found {found}; try direct"


_OBJECTIONS: tuple[Callable[[DeploymentRequested, Known], str | None], ...] = (
    _strategy_unsupported,
    _target_unsupported,
    _too_many_replicas,
    _stage_skipped,
    _name_is_an_ensemble,
    _not_trained,
    _other_problem,
    _nothing_to_shadow,
)
