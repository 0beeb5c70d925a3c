"""What becomes of a deployment: its steps as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ekiben.errors import NoAnswerError
from ekiben.reading import Log
from ekiben_bus.records import Record
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.deployment import DeploymentProgressed
from ekiben_contracts.errors import ContractError
from ekiben_contracts.topics import DEPLOYMENT_EVENTS


class Deployment:
    """A deployment that was asked for. Iterate over its steps, or await the last one."""

    def __init__(self, id: str, model: str, log: Log) -> None:
        self.id = id
        self.model = model
        self._log = log
        self._seen: set[str] = set()

    async def steps(self) -> AsyncIterator[DeploymentProgressed]:
        """Each step once, until it is completed, rolled back or failed."""
        while True:
            for record in await self._log.read():
                step = self._step(record)
                if step is None:
                    continue
                if step.step.is_last:
                    await self._log.close()
                yield step
                if step.step.is_last:
                    return

    async def finished(self, timeout_s: float = 300.0) -> DeploymentProgressed:
        """The last step.

        Raises:
            NoAnswerError: it did not come in time; the deployment goes on all the same.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return [step async for step in self.steps()][-1]
        except TimeoutError:
            raise self.not_finished(timeout_s) from None

    def not_finished(self, timeout_s: float) -> NoAnswerError:
        """The error that says that the last step did not come in time."""
        return NoAnswerError(
            expected=f"the end of the deployment {self.id} of {self.model} within {timeout_s:g} s",
            found="no step that ends it",
            attempt="`ekiben doctor`, or the log of the deployer; the deployment goes on meanwhile",
        )

    def _step(self, record: Record) -> DeploymentProgressed | None:
        """A step of ours that was not told before: after a crash the deployer may enter one again."""
        try:
            event = decode(record.value, record.headers, DEPLOYMENT_EVENTS).data
        except ContractError:  # somebody else's record on the topic: no step of ours
            return None
        if not isinstance(event, DeploymentProgressed) or event.deployment_id != self.id:
            return None
        is_new = event.step not in self._seen
        self._seen.add(event.step)
        return event if is_new else None
