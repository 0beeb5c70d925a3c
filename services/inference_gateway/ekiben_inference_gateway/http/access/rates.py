"""How many rows a caller may send in a time."""

from __future__ import annotations

import time
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from ekiben_inference_gateway.http.access.callers import Caller
from ekiben_inference_gateway.http.problems import TransportCode, come_again

_one_rate = lru_cache(maxsize=1024)(parse)


class Rates:
    """Counts each caller apart, in this process: several gateways allow as many times as much."""

    def __init__(self, everybody: str | None) -> None:
        self._everybody = everybody
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, caller: Caller, rows: int) -> None:
        """Count rows of a caller.

        Raises:
            ProblemError: too many, with the time after which to come again.
        """
        rate = caller.rate or self._everybody
        if rate is None or rows <= 0:
            return
        item = _one_rate(rate)
        if not self._limiter.hit(item, caller.id, cost=rows):
            raise come_again(
                TransportCode.RATE_LIMITED,
                f"expected at most {rate} rows of this caller, found more; ask more slowly, or "
                "for a higher rate",
                self._comes_again_in(item, caller),
            )

    def _comes_again_in(self, item: RateLimitItem, caller: Caller) -> float:
        return self._limiter.get_window_stats(item, caller.id).reset_time - time.time()
