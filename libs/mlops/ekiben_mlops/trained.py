"""The model.trained event of a registered version, read back from what was logged with it."""

from __future__ import annotations

from ekiben_contracts.training import ModelTrained
from ekiben_mlops.registry import Registry


def trained_event(registry: Registry, model: str, version: str) -> ModelTrained:
    """Signature, classes, metrics and the input example with what the model answers to it.

    Raises:
        UnservableModelError: it was logged without a signature or an input example, or is no
            classifier with predict_proba and no regressor.
    """
    raise NotImplementedError
