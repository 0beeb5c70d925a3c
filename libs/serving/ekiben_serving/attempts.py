"""One call as a series of attempts: in a slot, through the breaker, with waits between, within a budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from ekiben_serving.breaker import EndpointBreaker
from ekiben_serving.clock import Clock
from ekiben_serving.errors import ModelClientError, ModelTimeoutError
from ekiben_serving.retrying import RetryPolicy
from ekiben_serving.slots import CallSlots

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempts:
    """How calls to one endpoint are attempted. `timeout_s` bounds each attempt, a budget all of them."""

    model: str
    url: str
    timeout_s: float
    policy: RetryPolicy
    breaker: EndpointBreaker
    slots: CallSlots
    clock: Clock
    jitter: Callable[[], float]

    async def make(self, attempt: Callable[[float], Awaitable[T]], deadline: float) -> T:
        """What the first successful attempt returns; `attempt` is given the seconds it may take.

        Raises:
            ModelClientError: of the last attempt, once no more are worth making before `deadline`.
        """
        number = 0
        while True:
            number += 1
            try:
                return await self._once(attempt, deadline)
            except ModelClientError as error:
                left = deadline - self.clock.monotonic()
                wait = self.policy.wait_before_next(number, error, left_s=left, jitter=self.jitter())
                if wait is None:
                    raise
            await self.clock.sleep(wait)

    async def _once(self, attempt: Callable[[float], Awaitable[T]], deadline: float) -> T:
        """The breaker is heeded before the wait for a slot, and again after it: it may open meanwhile."""
        self.breaker.check()
        async with self.slots.taken(self._seconds(deadline)):
            # before the breaker is asked: that a budget is used up is no failure of the endpoint
            seconds = self._seconds(deadline)
            with self.breaker.guard():
                return await attempt(seconds)

    def _seconds(self, deadline: float) -> float:
        left = deadline - self.clock.monotonic()
        if left > 0:
            return min(self.timeout_s, left)
        raise ModelTimeoutError(
            self.model,
            self.url,
            "expected time left in the budget, found none. Give it more, or send fewer rows.",
        )
