"""How many rows a caller may send in a time."""

from __future__ import annotations

import time
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from ekiben_inference_gateway.http.access.callers import Caller
from ekiben_inference_gateway.http.problems import ProblemError, TransportCode, come_again

_one_rate = lru_cache(maxsize=1024)(parse)


class Rates:
    """Counts each caller apart, in this process: several gateways allow as many times as much."""

    def __init__(self, everybody: str | None) -> None:
        self._everybody = everybody
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, caller: Caller, rows: int, *, counted: int = 0) -> None:
        """Count rows of a caller, beside those of the same request that are `counted` already.

        Raises:
            ProblemError: too many, with the time after which to come again; or more than could ever be.
        """
        rate = caller.rate or self._everybody
        if rate is None or rows <= 0:
            return
        item = _one_rate(rate)
        if counted + rows > item.amount:
            raise ProblemError(
                TransportCode.TOO_LARGE,
                f"expected at most {item.amount} rows in one request of this caller, whose rate is {rate}, "
                f"found {counted + rows}; send fewer rows at a time, or ask for a higher rate",
            )
        if not self._limiter.hit(item, caller.id, cost=rows):
            raise come_again(
                TransportCode.RATE_LIMITED,
                f"expected at most {rate} rows of this caller, found more; ask more slowly, or "
                "for a higher rate",
                self._comes_again_in(item, caller),
            )

    def _comes_again_in(self, item: RateLimitItem, caller: Caller) -> float:
        return self._limiter.get_window_stats(item, caller.id).reset_time - time.time()
