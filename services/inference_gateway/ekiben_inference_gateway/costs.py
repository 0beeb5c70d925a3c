"""What a call to an endpoint costs in itself, and what each row adds. Pure.

A straight line through recent calls by least squares, in which older calls weigh less and less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_WEIGHT = 1 / 8
_LEAST_SPREAD = 0.1
"""Calls of nearly one size lie on every line through them: then what was known of the call itself stays."""


@dataclass(slots=True)
class CallCost:
    """Means over recent calls, and the seconds of a call without rows, as far as they can be told apart."""

    call_s: float = 0.0
    _calls: int = 0
    _rows: float = 0.0
    _seconds: float = 0.0
    _rows_squared: float = 0.0
    _rows_seconds: float = 0.0

    def learn(self, rows: int, seconds: float) -> None:
        """A call of so many rows took so long."""
        self._calls += 1
        weight = max(_WEIGHT, 1 / self._calls)
        self._rows += weight * (rows - self._rows)
        self._seconds += weight * (seconds - self._seconds)
        self._rows_squared += weight * (rows * rows - self._rows_squared)
        self._rows_seconds += weight * (rows * seconds - self._rows_seconds)
        spread = self._rows_squared - self._rows * self._rows
        if spread > (_LEAST_SPREAD * self._rows) ** 2:
            row_s = max(0.0, (self._rows_seconds - self._rows * self._seconds) / spread)
            self.call_s = max(0.0, self._seconds - row_s * self._rows)

    def rows_within(self, target_s: float) -> float:
        """How many rows add so much to a call: less than one, or infinity, where that is what was seen."""
        of_rows_s = self._seconds - self.call_s
        return target_s * self._rows / of_rows_s if of_rows_s > 0 else math.inf
