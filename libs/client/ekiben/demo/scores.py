"""What each model said of a request, held against what really happened."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping

from ekiben.demo.ranking import auc
from ekiben_contracts.prediction import PredictionCompleted


class Scores:
    """The scores of every member and of the ensemble, for requests whose outcome is known.

    `outcomes` says by request id whether the event happened.
    """

    def __init__(self, outcomes: Mapping[str, bool]) -> None:
        self._outcomes = outcomes
        self._scores: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        self._happened: defaultdict[str, array[int]] = defaultdict(lambda: array("b"))

    def add(self, result: PredictionCompleted) -> None:
        """Take the scores of a result; one without a known outcome is left out."""
        happened = self._outcomes.get(result.request_id)
        if happened is None:
            return
        said = {output.model: output.value for output in result.outputs}
        for model, score in {**said, result.model: result.prediction}.items():
            self._scores[model].append(score)
            self._happened[model].append(happened)

    def auc(self) -> dict[str, float | None]:
        """By model, the members first."""
        return {
            model: auc(scores, [bool(one) for one in self._happened[model]])
            for model, scores in self._scores.items()
        }
