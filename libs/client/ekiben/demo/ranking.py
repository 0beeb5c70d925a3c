"""How well scores rank outcomes, without a scientific stack in the client."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """The area under the ROC curve; None where all outcomes are alike, so that there is nothing to rank.

    By the rank sum of Mann and Whitney (1947), with mean ranks for equal scores. O(n log n).
    """
    ranked = sorted(zip(scores, positive, strict=True), key=itemgetter(0))
    positives = sum(was_positive for _, was_positive in ranked)
    negatives = len(ranked) - positives
    if not positives or not negatives:
        return None
    rank_sum, before = 0.0, 0
    for _, tied in groupby(ranked, key=itemgetter(0)):
        outcomes = [was_positive for _, was_positive in tied]
        mean_rank = before + (len(outcomes) + 1) / 2
        rank_sum += mean_rank * sum(outcomes)
        before += len(outcomes)
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
