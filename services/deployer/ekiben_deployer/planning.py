"""From a request to the steps that carry it out, or to the reason why it is refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ekiben_contracts.deployment import (
    DeploymentRequested,
    DeploymentRetireRequested,
    DeploymentRollbackRequested,
    EnsembleRequested,
    Step,
    Strategy,
)
from ekiben_deployer import deployments, ensembles
from ekiben_deployer.known import Known
from ekiben_deployer.routes import champion, previous
from ekiben_deployer.strategies import STEPS

Request = DeploymentRequested | DeploymentRollbackRequested | DeploymentRetireRequested | EnsembleRequested


RETIRE = (Step.PLANNED, Step.ROUTED, Step.RETIRED, Step.COMPLETED)
DEFINE = (Step.PLANNED, Step.ROUTED, Step.COMPLETED)
SHADOW = STEPS[Strategy.SHADOW]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a request, in order, and the version that they are about. None: an ensemble.

    `feature_service` is what its route is to name; None: whatever it names.
    """

    steps: tuple[Step, ...]
    version: str | None
    reason: str
    feature_service: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that cannot be carried out: what was expected, found, and to try."""

    reason: str


def plan(request: Request, known: Known) -> Plan | Refused:
    """The plan of a request that nobody planned yet."""
    if isinstance(request, DeploymentRequested):
        return _plan_deployment(request, known)
    if isinstance(request, DeploymentRollbackRequested):
        return _plan_rollback(request, known)
    if isinstance(request, DeploymentRetireRequested):
        return _plan_retirement(request, known)
    return _plan_ensemble(request, known)


def resume(request: Request, version: str | None) -> Plan:
    """The plan of a request that was planned before, for the version it settled on then."""
    if isinstance(request, DeploymentRequested):
        return Plan(STEPS[request.strategy], version, "", request.feature_service)
    if isinstance(request, DeploymentRollbackRequested):
        return Plan(STEPS[Strategy.DIRECT], version, "")
    return Plan(RETIRE if isinstance(request, DeploymentRetireRequested) else DEFINE, version, "")


def _plan_deployment(request: DeploymentRequested, known: Known) -> Plan | Refused:
    reason = deployments.object_to(request, known)
    if reason is not None:
        return Refused(reason)
    unenforced = "; resources are not enforced by this target" if request.resources else ""
    return Plan(
        STEPS[request.strategy],
        request.version,
        f"{request.strategy} to {request.target} for {request.requested_by}{unenforced}",
        request.feature_service,
    )


def _plan_rollback(request: DeploymentRollbackRequested, known: Known) -> Plan | Refused:
    before = previous(known.routes.get(request.model))
    if before is None:
        return Refused(f"expected a version of {request.model} that served before, found none in its route")
    if (request.model, before.version) not in known.trained:
        return Refused(known.untrained(request.model, before.version))
    return Plan(
        STEPS[Strategy.DIRECT],
        before.version,
        f"back to version {before.version} for {request.requested_by}: {request.reason}",
    )


def _plan_retirement(request: DeploymentRetireRequested, known: Known) -> Plan | Refused:
    route = known.routes.get(request.model)
    routed = [v.version for v in route.versions] if route else []
    serving = champion(route)
    if request.version not in routed:
        found = ", ".join(routed) or "none"
        return Refused(f"expected a routed version of {request.model}: {found}; found {request.version}")
    needed_by = known.ensembles_with(request.model)
    if serving is not None and serving.version == request.version and needed_by:
        return Refused(
            f"expected that nothing needs version {request.version}, found that it serves {request.model}, "
            f"a member of {', '.join(needed_by)}; deploy another version first"
        )
    return Plan(RETIRE, request.version, f"for {request.requested_by}: {request.reason}")


def _plan_ensemble(request: EnsembleRequested, known: Known) -> Plan | Refused:
    reason = ensembles.object_to(request, known)
    if reason is not None:
        return Refused(reason)
    return Plan(DEFINE, None, f"{request.method} of {', '.join(request.members)} for {request.requested_by}")
