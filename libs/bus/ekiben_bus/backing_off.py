"""How long to leave alone what keeps failing, and how often to say so. Pure."""

from __future__ import annotations

_MOST_DOUBLINGS = 30


def backoff(failures: int, first_s: float, longest_s: float) -> float:
    """Seconds to wait after so many failures in a row: doubled each time, up to the longest."""
    return min(longest_s, first_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))


def is_power_of_two(failures: int) -> bool:
    """Whether to tell the first, second, fourth, eighth… of them."""
    return failures & (failures - 1) == 0
