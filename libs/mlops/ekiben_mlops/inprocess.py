"""A registered model, loaded here: what a Bento does with it, without a server around it."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from ekiben_contracts.models import FeatureSpec
from ekiben_mlops.logged_model import read_logged_model
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.templates.explaining.answering import Explaining
from ekiben_mlops.templates.explaining.explainer import Explainer
from ekiben_mlops.templates.predicting import withholding
from ekiben_mlops.templates.scoring import Scorer
from ekiben_mlops.trained import problem_type_of
from ekiben_serving.columnar import decode_columns, encode_answer, encode_explanation

_OURS: Final = 0.8
"""Of the time there is: the rest is for the row that was begun last."""


class RegisteredModel:
    """One version of the configured registry, in memory. See ekiben_serving.inprocess.LoadedModel."""

    def __init__(self, model_uri: str, settings: MlopsSettings) -> None:
        """Load it.

        Raises:
            UntrustedModelError, UnknownModelError: the URI names nothing in the configured registry.
            UnservableModelError: our templates cannot serve it; the message says why.
        """
        registry = Registry(settings)
        found = registry.resolve(model_uri)
        with tempfile.TemporaryDirectory() as directory:
            logged = read_logged_model(registry.download(model_uri, Path(directory)))
            fitted = logged.load()
        problem_type = problem_type_of(fitted)
        template = import_module(f"ekiben_mlops.templates.{problem_type}")
        self.model = str(found.name)
        self.version = str(found.version)
        self.signature: Sequence[FeatureSpec] = logged.signature
        classes = [str(name) for name in getattr(fitted, "classes_", ())]
        self._fitted = fitted
        self._predict = withholding(template.predictor(fitted), logged.signature)
        self._background = logged.background
        self._scorer = Scorer(self.model, self.version, logged.signature, classes, self._predict)
        self._explaining: Explaining | None = None

    def answer_columns(self, body: bytes) -> bytes:
        """The answer to a columnar body.

        Raises:
            ValueError: it is no frame, or its columns are not those of the signature.
        """
        return encode_answer(self._scorer.score_columns(decode_columns(body)))

    def explain_columns(self, body: bytes, budget_s: float | None) -> bytes:
        """What moved the answers to a columnar body. The explainer is made when it is first asked for.

        Raises:
            ValueError: it is no frame, or its columns are not those of the signature.
            ExplainerError: shap is not installed.
        """
        until = math.inf if budget_s is None else time.monotonic() + budget_s * _OURS
        if self._explaining is None:
            background = self._scorer.frame_of_rows(self._background)
            explainer = Explainer(self._fitted, self._predict, background)
            self._explaining = Explaining(self._scorer, self._predict, explainer)
        return encode_explanation(self._explaining.explain_columns(decode_columns(body), until))


def load(model_uri: str) -> RegisteredModel:
    """The model of a URI such as models:/delay/3, from the registry that the environment names."""
    return RegisteredModel(model_uri, MlopsSettings())
