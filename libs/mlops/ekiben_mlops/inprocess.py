"""A registered model, loaded here: what a Bento does with it, without a server around it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ekiben_contracts.models import FeatureSpec
from ekiben_mlops.logged_model import read_logged_model
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.templates.scoring import Scorer
from ekiben_mlops.trained import problem_type_of
from ekiben_serving.columnar import decode_columns, encode_answer


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
        self._scorer = Scorer(self.model, self.version, logged.signature, classes, template.predictor(fitted))

    def answer_columns(self, body: bytes) -> bytes:
        """The answer to a columnar body.

        Raises:
            ValueError: it is no frame, or its columns are not those of the signature.
        """
        return encode_answer(self._scorer.score_columns(decode_columns(body)))


def load(model_uri: str) -> RegisteredModel:
    """The model of a URI such as models:/delay/3, from the registry that the environment names."""
    return RegisteredModel(model_uri, MlopsSettings())
