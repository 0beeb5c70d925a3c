"""How far several models agree, from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from ekiben_contracts.prediction import Output


def agreement(outputs: Sequence[Output], half_width: float | None) -> float | None:
    """1 minus the mean distance of each pair of models; None where there is no pair.

    Of classifiers the distance is the total variation between their probabilities. Of other
    models it is the difference of their values, in units of the interval's half width, which is
    how far a model is expected to err; without an interval, of the largest value.
    """
    if len(outputs) <= 1:  # most requests ask one model
        return None
    pairs = list(combinations(outputs, 2))
    scale = half_width or max(abs(output.value) for output in outputs)
    distances = [_distance(one, other, scale) for one, other in pairs]
    return max(0.0, 1.0 - math.fsum(distances) / len(distances))


def _distance(one: Output, other: Output, scale: float) -> float:
    if one.probabilities is None or other.probabilities is None:
        return abs(one.value - other.value) / scale if scale else 0.0
    theirs = other.probabilities
    return min(1.0, math.fsum(abs(p - theirs.get(name, 0.0)) for name, p in one.probabilities.items()) / 2)
