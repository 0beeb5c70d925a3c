"""The warm-up: a version must get ready, and answer its input example as it did when it was trained."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ekiben_contracts.training import ModelTrained
from ekiben_deployer.ports import StepFailedError
from ekiben_deployer.settings import DeployerSettings
from ekiben_deployer.targets import Instance, Served, Target
from ekiben_serving.errors import ModelClientError
from ekiben_serving.model_client import ModelClient

ClientFactory = Callable[[ModelTrained, str], ModelClient]
"""The client of a trained version at a URL."""

_POLL_S = 0.25


class WarmUp:
    """Waits for an instance and asks it one question whose answer is known."""

    def __init__(self, target: Target, clients: ClientFactory, settings: DeployerSettings) -> None:
        self._target = target
        self._clients = clients
        self._settings = settings

    async def run(self, served: Served, trained: ModelTrained) -> tuple[str, str]:
        """The URL at which it answered as expected, and what it answered, in words.

        Raises:
            StepFailedError: it did not get ready, or answers something else.
        """
        instance = await self._until_ready(served, trained)
        async with self._client(trained, instance.url) as client:
            try:
                answer = await client.predict("warm-up", trained.input_example.features)
            except ModelClientError as error:
                raise StepFailedError(f"expected an answer to the input example, found {error}") from error
        expected = trained.input_example.expected
        if not agrees(answer.value, expected, self._settings.warm_up_tolerance):
            raise StepFailedError(
                f"expected {expected!r} for the input example, found {answer.value!r}: the Bento does not "
                "compute what was trained; check its preprocessing and its package versions"
            )
        return instance.url, f"answers its input example with {answer.value!r}, as expected"

    async def _until_ready(self, served: Served, trained: ModelTrained) -> Instance:
        instance: Instance | None = None
        try:
            async with asyncio.timeout(self._settings.ready_timeout_s):
                while True:
                    instance = await self._target.start(served)
                    if instance.is_up and await self._is_ready(instance, trained):
                        return instance
                    if instance.deaths >= self._settings.most_deaths:
                        raise StepFailedError(_why_not_ready(served, f"{instance.deaths} deaths", instance))
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            waited = f"none within {self._settings.ready_timeout_s:g} s"
            raise StepFailedError(_why_not_ready(served, waited, instance)) from error

    async def _is_ready(self, instance: Instance, trained: ModelTrained) -> bool:
        async with self._client(trained, instance.url) as client:
            return (await client.health()).ready

    @asynccontextmanager
    async def _client(self, trained: ModelTrained, url: str) -> AsyncIterator[ModelClient]:
        client = self._clients(trained, url)
        try:
            yield client
        finally:
            await client.close()


def agrees(answer: float, expected: float, tolerance: float) -> bool:
    """Whether two answers are the same but for arithmetic: `tolerance` is relative, and absolute near 0."""
    return math.isclose(answer, expected, rel_tol=tolerance, abs_tol=tolerance)


def _why_not_ready(served: Served, found: str, instance: Instance | None) -> str:
    last = f"; last: {instance.last_words}" if instance and instance.last_words else ""
    return (
        f"expected {served.bento} to get ready, found {found}{last}; "
        f"see logs/serving-{served.model}@{served.version}.log in EKIBEN_HOME"
    )
