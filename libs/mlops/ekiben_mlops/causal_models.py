"""econml's estimators as the registry takes them."""

from __future__ import annotations

import copy
from typing import Any


def is_causal(model: Any) -> bool:
    """Whether it answers with an effect and its interval."""
    return hasattr(model, "effect") and hasattr(model, "effect_interval")


def unlinked(model: Any) -> Any:
    """The same without the circle between an estimator and its inference, which skops cannot write.

    ekiben_mlops.templates.causal closes it again where the model is loaded.
    """
    if getattr(getattr(model, "_inference", None), "_est", None) is None:
        return model
    found = copy.copy(model)
    found._inference = copy.copy(model._inference)  # noqa: SLF001 - nothing public holds it
    found._inference._est = None  # noqa: SLF001
    return found
