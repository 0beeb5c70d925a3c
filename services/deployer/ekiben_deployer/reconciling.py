"""What is next: wanted against decided against running. Pure.

A step is done when its event was published and what it is about still holds. So a step whose
effect was undone behind our back, by a reboot for example, is next again, and a step that was
taken just before a crash is only told, not taken twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ekiben_contracts.deployment import EnsembleRequested, Step
from ekiben_contracts.routing import ModelRouted
from ekiben_deployer.planning import RETIRE, Plan, Request
from ekiben_deployer.progress import Progress
from ekiben_deployer.routes import champion
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
        return not to_stop(plan, seen.instances)
    return True


def to_stop(plan: Plan, instances: Mapping[str, Instance]) -> Sequence[str]:
    """The versions that still run and should not once the plan is through."""
    if plan.steps == RETIRE:
        return [version for version in instances if version == plan.version]
    return [version for version in instances if version != plan.version]


def _routed(plan: Plan, seen: Seen) -> bool:
    if plan.version is None:
        return seen.definition_holds
    serving = champion(seen.route)
    if plan.steps == RETIRE:
        return serving is None or serving.version != plan.version
    instance = seen.instances.get(plan.version)
    return (
        serving is not None
        and instance is not None
        and (serving.version, serving.url, serving.bento)
        == (plan.version, instance.url, instance.served.bento)
    )


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
