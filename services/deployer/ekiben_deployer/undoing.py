"""How a deployment that cannot go on ends: what is taken back, and what that is called. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ekiben_contracts.deployment import Step
from ekiben_contracts.models import Role
from ekiben_deployer.planning import Plan
from ekiben_deployer.reconciling import Seen
from ekiben_deployer.routes import champion, previous


@dataclass(frozen=True, slots=True)
class Undo:
    """The last step, the version that gets the traffic back, the version to stop, and what that means."""

    step: Step
    restore: str | None = None
    stop: str | None = None
    meaning: str = ""


def undo(plan: Plan | None, seen: Seen) -> Undo:
    """What is safe to take back: neither what shadows, nor what serves with nothing to serve in its place."""
    if plan is None or plan.version is None or Step.STARTED not in plan.steps:
        return Undo(Step.FAILED)
    serving, was_routed = champion(seen.route), Step.ROUTED in seen.progress
    routed = seen.route.versions if seen.route else []
    if any(version.version == plan.version and version.role is Role.SHADOW for version in routed):
        return Undo(Step.FAILED, meaning=f"version {plan.version} shadows on")
    if serving is None:
        return Undo(Step.FAILED, stop=plan.version, meaning="nothing was routed")
    if serving.version != plan.version:
        step, verb = (Step.ROLLED_BACK, "serves again") if was_routed else (Step.FAILED, "serves on")
        return Undo(step, stop=plan.version, meaning=f"version {serving.version} {verb}")
    before = previous(seen.route)
    if was_routed and before is not None and before.version in seen.instances:
        meaning = f"version {before.version} serves again"
        return Undo(Step.ROLLED_BACK, restore=before.version, stop=plan.version, meaning=meaning)
    return Undo(Step.FAILED, meaning=f"version {plan.version} serves on, since nothing else runs")
