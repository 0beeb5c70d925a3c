"""Quantiles of latencies that were observed, none made up between them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(observed: Sequence[float], q: float) -> float | None:
    """The smallest observation that at least a share `q` of all does not exceed; None where there is none."""
    if not observed:
        return None
    return sorted(observed)[max(0, math.ceil(q * len(observed)) - 1)]
