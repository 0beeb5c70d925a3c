"""The model of this Bento: loaded, tried on its input example, and asked."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import skops.io

from ekiben_mlops.templates.explaining.answering import Explaining
from ekiben_mlops.templates.explaining.explainer import Explainer
from ekiben_mlops.templates.jsonable import explanations_of, predictions_of
from ekiben_mlops.templates.metrics import ModelMetrics
from ekiben_mlops.templates.predicting import withholding
from ekiben_mlops.templates.scoring import Scorer
from ekiben_serving.columnar import (
    Answer,
    Explained,
    decode_columns,
    encode_answer,
    encode_explanation,
)
from ekiben_serving.specs import FeatureValue


class Spec(NamedTuple):
    """One column of the signature."""

    name: str
    dtype: str
    required: bool
    sensitive: bool


class ServedModel:
    """Answers bodies of columns, and rows of JSON, with the model in a directory."""

    def __init__(self, directory: Path) -> None:
        started = time.monotonic()
        description: dict[str, Any] = json.loads((directory / "model.json").read_text())
        serving: dict[str, Any] = json.loads((directory / "serving.json").read_text())
        # These types were trusted when the model was logged to the registry it was packaged from.
        model: Any = skops.io.load(directory / serving["file"], trusted=serving["trusted_types"])
        problem = import_module(f"ekiben_mlops.templates.{description['problem_type']}")
        signature = [Spec(**spec) for spec in description["signature"]]
        self._fitted, self._predict = model, withholding(problem.predictor(model), signature)
        self._background: list[dict[str, FeatureValue]] = json.loads(
            (directory / "background.json").read_text()
        )
        self._explaining: Explaining | None = None
        self._scorer = Scorer(
            description["model"],
            description["version"],
            signature,
            description["classes"],
            self._predict,
        )
        self._metrics = ModelMetrics(description["model"], description["version"])
        self._try(serving["input_example"])
        self._metrics.loaded(time.monotonic() - started)

    def answer_columns(self, body: bytes) -> bytes:
        """The answer to a columnar body.

        Raises:
            ValueError: the body is no frame, or its columns are not those of the signature.
        """
        started = time.monotonic()
        try:
            answer = self._scorer.score_columns(decode_columns(body))
        except ValueError:
            self._metrics.refused("columns")
            raise
        self._count("columns", answer, started)
        return encode_answer(answer)

    def answer_rows(self, endpoint: str, rows: Sequence[Mapping[str, FeatureValue]]) -> list[dict[str, Any]]:
        """A prediction, or an error, for each row of JSON."""
        started = time.monotonic()
        answer = self._scorer.score_rows(rows)
        self._count(endpoint, answer, started)
        return predictions_of(answer)

    def prepare_explainer(self) -> dict[str, Any]:
        """Make the explainer, which takes seconds, and say what it is and what moves the model at large.

        Raises:
            ExplainerError: nothing can be explained here.
        """
        background = self._scorer.frame_of_rows(self._background)
        explainer = Explainer(self._fitted, self._predict, background)
        self._explaining = Explaining(self._scorer, self._predict, explainer)
        return {"explainer": explainer.kind, "importance": explainer.importance}

    def explain_columns(self, body: bytes, until: float) -> bytes:
        """What moved the answers to a columnar body; no row is begun after `until`.

        Raises:
            ValueError: the body is no frame, has other columns, or too many rows.
        """
        explained = self._explained(
            "explain_columns", lambda of: of.explain_columns(decode_columns(body), until)
        )
        return encode_explanation(explained)

    def explain_rows(self, rows: Sequence[Mapping[str, FeatureValue]], until: float) -> list[dict[str, Any]]:
        """What moved the answers to rows of JSON.

        Raises:
            ValueError: too many rows.
        """
        return explanations_of(self._explained("explain", lambda of: of.explain_rows(rows, until)))

    def _explained(self, endpoint: str, explain: Callable[[Explaining], Explained]) -> Explained:
        if self._explaining is None:
            raise RuntimeError("expected prepare_explainer to have been called")
        started = time.monotonic()
        try:
            found = explain(self._explaining)
        except ValueError:
            self._metrics.refused(endpoint)
            raise
        codes = Counter(code for code, _ in found.errors.values())
        self._metrics.explained(endpoint, len(found.values), codes, time.monotonic() - started)
        return found

    def _count(self, endpoint: str, answer: Answer, started: float) -> None:
        codes = Counter(code for code, _ in answer.errors.values())
        self._metrics.answered(endpoint, len(answer.values), codes, time.monotonic() - started)

    def _try(self, example: dict[str, Any]) -> None:
        """Warm the model up, and refuse to serve one that does not answer as it did when it was logged."""
        (found,) = predictions_of(self._scorer.score_rows([example["features"]]))
        if "value" not in found or not math.isclose(
            found["value"], example["expected"], rel_tol=1e-6, abs_tol=1e-9
        ):
            raise RuntimeError(
                f"expected {example['expected']} for the input example, found {found}. "
                "Are the installed packages those that the model was logged with?"
            )
