"""Whether a failed attempt is made again, and after how long. Pure.

Source: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): full jitter.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from ekiben_serving.errors import (
    BreakerOpenError,
    EndpointBusyError,
    ModelClientError,
    ModelTimeoutError,
    ModelUnavailableError,
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how long at the most, to wait between attempts."""

    max_retries: int = 3
    first_wait_s: float = 0.05
    longest_wait_s: float = 1.0

    def wait_before_next(
        self, attempt: int, error: ModelClientError, *, left_s: float, jitter: float
    ) -> float | None:
        """Seconds to wait after attempt number `attempt` (from 1), or None to give up.

        `left_s` is what is left of the budget; a wait that would use it up is not begun. `jitter` is
        drawn evenly from 0 to 1. What the endpoint asked for in Retry-After is the least it waits.
        """
        if attempt > self.max_retries or not is_worth_retrying(error):
            return None
        wait = jitter * min(self.longest_wait_s, self.first_wait_s * 2 ** (attempt - 1))
        if isinstance(error, ModelUnavailableError) and error.retry_after_s is not None:
            wait += error.retry_after_s
        return wait if wait < left_s else None


def is_worth_retrying(error: ModelClientError) -> bool:
    """Only what surely was not answered, and not what already took its whole time."""
    return isinstance(error, ModelUnavailableError) and not isinstance(
        error, (ModelTimeoutError, EndpointBusyError, BreakerOpenError)
    )


def retry_after(header: str | None, now: float) -> float | None:
    """The seconds of a Retry-After header, which may be a number or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, OverflowError):  # a header that nobody can read asks for nothing
        return None
