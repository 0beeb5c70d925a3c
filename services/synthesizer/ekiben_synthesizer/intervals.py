"""Prediction intervals by split conformal prediction, also for an average of several models.

Source: Lei et al., "Distribution-Free Predictive Inference for Regression" (2018). For several
models by the union bound: where each of k models errs by at most its own quantile at level l in
a share l of cases, all do in a share of at least 1 - k(1 - l), and so does their weighted mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ekiben_contracts.models import Calibration
from ekiben_contracts.prediction import Interval

_ROUNDING = 1e-9
_DIGITS = 9

UNIT = (0.0, 1.0)
"""The range of a probability."""


def half_width(
    calibrations: Sequence[Calibration | None], parts: Sequence[float], coverage: float
) -> tuple[float, float] | None:
    """How far the weighted mean may err, and the share of cases that is guaranteed for.

    It is the narrowest that holds `coverage`; where the calibrations have no such level, the
    widest that holds anything. None where a member has no calibration.
    """
    if None in calibrations:
        return None
    quantiles = [_by_level(calibration) for calibration in calibrations if calibration is not None]
    if not quantiles:
        return None
    levels = sorted(set.intersection(*(set(of_member) for of_member in quantiles)))
    guaranteed = {level: round(1 - len(quantiles) * (1 - level), _DIGITS) for level in levels}
    level = next(
        (level for level in levels if guaranteed[level] >= coverage - _ROUNDING),
        levels[-1] if levels else 0.0,
    )
    if not 0 < guaranteed.get(level, 0.0) < 1:
        return None
    half = math.fsum(part * of_member[level] for part, of_member in zip(parts, quantiles, strict=True))
    return half, guaranteed[level]


def around(
    prediction: float, half: float, coverage: float, within: tuple[float, float] = (-math.inf, math.inf)
) -> Interval:
    """The interval of this half width, cut to what an outcome can be."""
    low, high = within
    return Interval(low=max(low, prediction - half), high=min(high, prediction + half), coverage=coverage)


def _by_level(calibration: Calibration) -> dict[float, float]:
    return {float(level): quantile for level, quantile in calibration.quantiles.items()}
