"""One number from 0 to 1 for how far to trust an answer. A score to sort by, not a probability."""

from __future__ import annotations

from ekiben_contracts.prediction import Interval
from ekiben_synthesizer.combining import Combined

LONE_ANSWER_CAP = 0.30
"""Of an ensemble that only one model answered: what it was defined for is gone."""

_NOTHING_KNOWN = 0.5


def certainty(combined: Combined, interval: Interval | None) -> float:
    """Of a classifier, the winning class's probability: an interval of a yes or no says little.
    Of other models, how narrow the interval is beside the prediction; 0.5 without an interval.
    """
    if combined.probabilities is not None:
        return max(combined.probabilities.values())
    if interval is None:
        return _NOTHING_KNOWN
    half, size = (interval.high - interval.low) / 2, abs(combined.prediction)
    return size / (size + half) if size + half > 0 else 1.0


def confidence(
    certain: float, agreed: float | None, answered: int, missing: int, *, of_ensemble: bool
) -> float:
    """The product of certainty, agreement and completeness: each of them can only lower it."""
    score = certain * (1.0 if agreed is None else agreed) * answered / (answered + missing)
    score = min(max(score, 0.0), 1.0)
    return min(score, LONE_ANSWER_CAP) if of_ensemble and answered == 1 else score
