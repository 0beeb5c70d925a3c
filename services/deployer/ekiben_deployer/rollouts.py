"""One deployment from its request to its end: look, take the next step, tell it, look again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from structlog.stdlib import get_logger

from ekiben_contracts.deployment import DeploymentProgressed, EnsembleRequested, Step
from ekiben_deployer import routes
from ekiben_deployer.known import Known
from ekiben_deployer.ledger import Ledger, LedgerUnavailableError
from ekiben_deployer.metrics import DeployerMetrics
from ekiben_deployer.planning import Plan, Refused, Request, plan, resume
from ekiben_deployer.ports import StepFailedError
from ekiben_deployer.reconciling import Seen, next_step
from ekiben_deployer.settings import DeployerSettings
from ekiben_deployer.steps import Situation, Steps, Taken
from ekiben_deployer.targets import Target
from ekiben_deployer.undoing import undo

log = get_logger(__name__)

_LONGEST_REASON = 4_000
_LONGEST_WAIT_S = 30.0


class Rollouts:
    """Carries requests out. Keeps nothing: whoever starts again sees in the topics where it was."""

    def __init__(
        self,
        ledger: Ledger,
        target: Target,
        steps: Steps,
        settings: DeployerSettings,
        metrics: DeployerMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._steps = steps
        self._settings = settings
        self._metrics = metrics
        self._clock = clock

    async def carry_out(self, request: Request) -> None:
        """Go on with a request until it is completed, rolled back or failed."""
        failures = 0
        doom: str | None = None
        while not self._ledger.progress(request).is_over:
            try:
                await (self._advance(request) if doom is None else self._end(request, doom))
                failures = 0
                continue
            except StepFailedError as error:
                doom = str(error)
                continue
            except LedgerUnavailableError as error:
                log.warning("deployment waits for Kafka", deployment=request.deployment_id, why=str(error))
            except Exception as error:
                failures += 1
                log.exception("deployment step broke", deployment=request.deployment_id, failures=failures)
                if doom is None and failures >= self._settings.step_attempts:
                    doom = f"gave up after {failures} tries: {type(error).__name__}: {error}"
            await asyncio.sleep(backoff(failures, self._settings.backoff_s))

    async def _advance(self, request: Request) -> None:
        """Take the next step, and tell it unless that was done before a crash."""
        seen, known = await self._look(request), self._ledger.known()
        planned = self._plan(request, seen, known)
        if isinstance(planned, Refused):
            raise StepFailedError(planned.reason)
        step = next_step(planned, seen)
        taken = await self._steps.take(step, Situation(request, planned, seen, known))
        if step not in seen.progress:
            await self._tell(request, planned.version, step, taken)

    async def _end(self, request: Request, why: str) -> None:
        """Take back what is safe to take back, and tell why it ended."""
        seen, known = await self._look(request), self._ledger.known()
        planned = self._plan(request, seen, known)
        taken_back = undo(None if isinstance(planned, Refused) else planned, seen)
        if taken_back.restore is not None and seen.route is not None:
            await self._ledger.decide(routes.restore(seen.route, taken_back.restore, self._clock()))
            await asyncio.sleep(self._settings.retire_grace_s)  # for calls in flight
        if taken_back.stop is not None:
            await self._target.stop(request.model, taken_back.stop)
        version = getattr(request, "version", None) if isinstance(planned, Refused) else planned.version
        reason = f"{why}; {taken_back.meaning}" if taken_back.meaning else why
        await self._tell(request, version, taken_back.step, Taken(reason))

    async def _look(self, request: Request) -> Seen:
        known = self._ledger.known()
        instances = [i for i in await self._target.instances() if i.served.model == request.model]
        return Seen(
            progress=self._ledger.progress(request),
            route=known.routes.get(request.model),
            instances={instance.served.version: instance for instance in instances},
            definition_holds=self._is_defined(request, known),
        )

    def _is_defined(self, request: Request, known: Known) -> bool:
        if not isinstance(request, EnsembleRequested):
            return False
        current = known.ensembles.get(request.model)
        return routes.says_the_same(current, routes.define(current, request, self._clock()))

    def _plan(self, request: Request, seen: Seen, known: Known) -> Plan | Refused:
        if Step.PLANNED in seen.progress:
            return resume(request, seen.progress.version)
        return plan(request, known)

    async def _tell(self, request: Request, version: str | None, step: Step, taken: Taken) -> None:
        progressed = DeploymentProgressed(
            deployment_id=request.deployment_id,
            model=request.model,
            version=version,
            step=step,
            reason=taken.reason[:_LONGEST_REASON],
            bento=taken.bento,
            url=taken.url,
            at=self._clock(),
            attempt=request.attempt,
        )
        await self._ledger.tell(progressed)
        self._metrics.told(progressed)
        told = progressed.model_dump(mode="json", exclude_none=True, exclude={"at", "attempt"})
        log.info("deployment progressed", **told)


def backoff(failures: int, first_s: float) -> float:
    """Seconds to wait after so many failures in a row; doubles up to a limit."""
    return min(first_s * 2 ** max(failures - 1, 0), _LONGEST_WAIT_S)
