"""The effect of each step. Every one may be taken again: it says what should be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ekiben_contracts.deployment import EnsembleRequested, Step
from ekiben_contracts.models import Role
from ekiben_contracts.routing import EnsembleDefined
from ekiben_deployer import routes
from ekiben_deployer.known import Known
from ekiben_deployer.ledger import Ledger, Route
from ekiben_deployer.planning import RETIRE, SHADOW, Plan, Request
from ekiben_deployer.ports import Packager, Registry
from ekiben_deployer.reconciling import Seen, holds, to_stop
from ekiben_deployer.settings import DeployerSettings
from ekiben_deployer.stages import Stage
from ekiben_deployer.targets import Served, Target
from ekiben_deployer.warming import WarmUp


@dataclass(frozen=True, slots=True)
class Situation:
    """A deployment on its way: what was asked, the plan, and how things stand."""

    request: Request
    plan: Plan
    seen: Seen
    known: Known

    @property
    def version(self) -> str:
        """The version it is about; only an ensemble has none, and then nobody asks."""
        assert self.plan.version is not None
        return self.plan.version

    @property
    def served(self) -> Served:
        """What the target should run, once packaged."""
        assert self.seen.progress.bento is not None
        return Served(self.request.model, self.version, self.seen.progress.bento)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken: its reason, and what came of it."""

    reason: str
    bento: str | None = None
    url: str | None = None


class Steps:
    """Takes one step at a time."""

    def __init__(
        self,
        ledger: Ledger,
        target: Target,
        packager: Packager,
        registry: Registry,
        warm_up: WarmUp,
        settings: DeployerSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._packager = packager
        self._registry = registry
        self._warm_up = warm_up
        self._settings = settings
        self._clock = clock
        self._takes: Mapping[Step, Callable[[Situation], Awaitable[Taken]]] = {
            Step.PLANNED: self._plan,
            Step.PACKAGED: self._package,
            Step.STARTED: self._start,
            Step.WARMED_UP: self._warm,
            Step.ROUTED: self._route,
            Step.PROMOTED: self._promote,
            Step.RETIRED: self._retire,
            Step.COMPLETED: self._complete,
        }

    async def take(self, step: Step, situation: Situation) -> Taken:
        """Take a step.

        Raises:
            StepFailedError: it cannot be taken, now or later.
        """
        return await self._takes[step](situation)

    async def _plan(self, situation: Situation) -> Taken:
        return Taken(situation.plan.reason)

    async def _package(self, situation: Situation) -> Taken:
        trained = situation.known.trained[situation.request.model, situation.version]
        bento = await self._packager.package(trained)
        return Taken(f"{trained.model_uri} as {bento}", bento=bento)

    async def _start(self, situation: Situation) -> Taken:
        instance = await self._target.start(situation.served)
        return Taken(f"{situation.served.bento} is to listen on {instance.url}", url=instance.url)

    async def _warm(self, situation: Situation) -> Taken:
        trained = situation.known.trained[situation.request.model, situation.version]
        url, answered = await self._warm_up.run(situation.served, trained)
        return Taken(answered, url=url)

    async def _route(self, situation: Situation) -> Taken:
        if holds(Step.ROUTED, situation.plan, situation.seen):
            return Taken("the route says so already")
        route = self._successor(situation)
        await self._ledger.decide(route)
        return Taken(f"{route.key} revision {route.revision}: {_traffic(route)}")

    def _successor(self, situation: Situation) -> Route:
        request, plan, now = situation.request, situation.plan, self._clock()
        if isinstance(request, EnsembleRequested):
            return routes.define(situation.known.ensembles.get(request.model), request, now)
        if plan.steps == RETIRE:
            assert situation.seen.route is not None
            return routes.withdraw(situation.seen.route, situation.version, now)
        endpoint = routes.Endpoint(situation.served.bento, situation.seen.instances[situation.version].url)
        trained = situation.known.trained[request.model, situation.version]
        if plan.steps == SHADOW:
            assert situation.seen.route is not None
            return routes.shadow(situation.seen.route, trained, endpoint, now)
        features, keep = situation.plan.feature_service, self._settings.retired_for
        return routes.direct(situation.seen.route, trained, endpoint, now, keep, features)

    async def _promote(self, situation: Situation) -> Taken:
        if situation.plan.steps == SHADOW:
            await self._registry.mark(situation.request.model, situation.version, Stage.SHADOW)
            return Taken(f"version {situation.version} is in stage {Stage.SHADOW}")
        await self._registry.promote(situation.request.model, situation.version)
        return Taken(f"version {situation.version} is champion, in stage {Stage.PRODUCTION}")

    async def _retire(self, situation: Situation) -> Taken:
        old = to_stop(situation.plan, situation.seen)
        if old:
            await self._wait_for_grace(situation)
        for version in old:
            await self._registry.mark(situation.request.model, version, Stage.ARCHIVED)
            await self._target.stop(situation.request.model, version)
        stopped = f"stopped version {', '.join(old)}" if old else "nothing else runs"
        return Taken(stopped)

    async def _wait_for_grace(self, situation: Situation) -> None:
        """Let those who read the route late, and calls in flight, still find the old version."""
        assert situation.seen.route is not None
        grace = timedelta(seconds=self._settings.retire_grace_s)
        left = situation.seen.route.routed_at + grace - self._clock()
        await asyncio.sleep(max(0.0, left.total_seconds()))

    async def _complete(self, situation: Situation) -> Taken:
        return Taken(f"all {len(situation.plan.steps)} steps done")


def _traffic(route: Route) -> str:
    if isinstance(route, EnsembleDefined):
        return f"{route.method} of {', '.join(route.members)}"
    serving = routes.champion(route)
    if serving is None:
        return "no version gets traffic"
    shadows = ", ".join(v.version for v in route.versions if v.role is Role.SHADOW)
    beside = f"; beside it shadows version {shadows}" if shadows else ""
    return f"all traffic to version {serving.version} at {serving.url}{beside}"
