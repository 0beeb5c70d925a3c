"""How long an endpoint takes: what its recent calls say of the next one. Pure.

Source: RFC 6298, 2.3: a smoothed time and its smoothed deviation, as TCP keeps them of its round trips.
"""

from __future__ import annotations

from typing import NamedTuple

from ekiben_inference_gateway.routing import Endpoint

_WEIGHT = 1 / 8
_DEVIATION_WEIGHT = 1 / 4
_DEVIATIONS = 4
_MARGIN = 2
"""A round trip is given its bound once, an answer twice: giving one up costs more than a packet."""


class Estimate(NamedTuple):
    """Seconds that a call takes, and by how much they vary."""

    smoothed_s: float
    deviation_s: float

    @classmethod
    def first(cls, seconds: float) -> Estimate:
        """What one call says."""
        return cls(seconds, seconds / 2)

    def after(self, seconds: float) -> Estimate:
        """What one call more says."""
        off = abs(self.smoothed_s - seconds)
        return Estimate(
            (1 - _WEIGHT) * self.smoothed_s + _WEIGHT * seconds,
            (1 - _DEVIATION_WEIGHT) * self.deviation_s + _DEVIATION_WEIGHT * off,
        )

    @property
    def longest_s(self) -> float:
        """A call that takes longer is not what it was."""
        return _MARGIN * (self.smoothed_s + _DEVIATIONS * self.deviation_s)


class Latencies:
    """Estimates by endpoint and size of the call: a thousand rows take longer than one."""

    def __init__(self) -> None:
        self._estimates: dict[Endpoint, dict[int, Estimate]] = {}

    def learn(self, endpoint: Endpoint, rows: int, seconds: float) -> None:
        """A call was answered."""
        sizes = self._estimates.setdefault(endpoint, {})
        known = sizes.get(_size(rows))
        sizes[_size(rows)] = Estimate.first(seconds) if known is None else known.after(seconds)

    def of(self, endpoint: Endpoint, rows: int) -> Estimate | None:
        """What is known of calls of this size, or else of the next larger one known."""
        sizes = self._estimates.get(endpoint, {})
        larger = [size for size in sizes if size >= _size(rows)]
        return sizes[min(larger)] if larger else None

    def keep(self, endpoints: frozenset[Endpoint]) -> None:
        """Forget endpoints that are routed no more."""
        for gone in self._estimates.keys() - endpoints:
            del self._estimates[gone]


def _size(rows: int) -> int:
    """The power of two that is above."""
    return rows.bit_length()
