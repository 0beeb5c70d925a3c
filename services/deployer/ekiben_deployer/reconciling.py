"""What is next: wanted against decided against running. Pure.

A step is done when its event was published and what it is about still holds. So a step whose
effect was undone behind our back, by a reboot for example, is next again, and a step that was
taken just before a crash is only told, not taken twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ekiben_contracts.deployment import EnsembleRequested, Step
from ekiben_contracts.models import Role
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_deployer.planning import RETIRE, SHADOW, Plan, Request
from ekiben_deployer.progress import Progress
from ekiben_deployer.routes import champion, is_asked
from ekiben_deployer.targets import Instance


@dataclass(frozen=True, slots=True)
class Seen:
    """How things stand for one deployment: its progress, its model's route and instances by version.

    `definition_holds`: the ensemble it is about, if it is about one, is defined as it was asked for.
    """

    progress: Progress
    route: ModelRouted | None = None
    instances: Mapping[str, Instance] = field(default_factory=dict)
    definition_holds: bool = False


def next_step(plan: Plan, seen: Seen) -> Step:
    """The first step that is not done; the last one when only the end is to be told."""
    for step in plan.steps:
        if step not in seen.progress or not holds(step, plan, seen):
            return step
    return plan.steps[-1]


def holds(step: Step, plan: Plan, seen: Seen) -> bool:
    """Whether the effect of a step is there now. Of a step that leaves nothing to look at: yes."""
    if step is Step.STARTED:
        instance = seen.instances.get(plan.version or "")
        return instance is not None and instance.served.bento == seen.progress.bento
    if step is Step.ROUTED:
        return _routed(plan, seen)
    if step is Step.RETIRED:
        return not to_stop(plan, seen)
    return True


def to_stop(plan: Plan, seen: Seen) -> Sequence[str]:
    """The versions that still run and should not once the plan is through: shadows go on."""
    if plan.steps == RETIRE:
        return [version for version in seen.instances if version == plan.version]
    routed = seen.route.versions if seen.route else []
    kept = {plan.version, *(version.version for version in routed if version.role is Role.SHADOW)}
    return [version for version in seen.instances if version not in kept]


def _routed(plan: Plan, seen: Seen) -> bool:
    if plan.version is None:
        return seen.definition_holds
    found = next((v for v in seen.route.versions if v.version == plan.version), None) if seen.route else None
    if plan.steps == RETIRE:
        return found is None or not is_asked(found)
    instance = seen.instances.get(plan.version)
    return (
        found is not None
        and instance is not None
        and _has_its_role(found, plan, seen)
        and _has_its_features(plan, seen)
        and (found.url, found.bento) == (instance.url, instance.served.bento)
    )


def _has_its_role(found: RoutedVersion, plan: Plan, seen: Seen) -> bool:
    return found.role is Role.SHADOW if plan.steps == SHADOW else found == champion(seen.route)


def _has_its_features(plan: Plan, seen: Seen) -> bool:
    named = None if seen.route is None else seen.route.feature_service
    return plan.feature_service is None or plan.steps == SHADOW or plan.feature_service == named


def unblocked(unfinished: Iterable[Request]) -> Sequence[Request]:
    """The requests, oldest first, that no older one about the same model stands before.

    So the versions of a model are deployed in the order they were asked for, and an ensemble is
    defined after the deployments of its members that were asked for before it.
    """
    claimed: set[str] = set()
    free: list[Request] = []
    for request in unfinished:
        names = names_of(request)
        if claimed.isdisjoint(names):
            free.append(request)
        claimed |= names
    return free


def names_of(request: Request) -> frozenset[str]:
    """The models, and the ensemble, that a request is about."""
    members = request.members if isinstance(request, EnsembleRequested) else []
    return frozenset({request.model, *members})
