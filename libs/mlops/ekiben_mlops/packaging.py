"""From a registered model to an immutable Bento that needs nothing of Ekiben to run."""

from __future__ import annotations

from ekiben_contracts.training import ModelTrained
from ekiben_mlops.settings import MlopsSettings


def package(trained: ModelTrained, settings: MlopsSettings) -> str:
    """Build the Bento of a trained model and return its tag, such as `delay:3-5f0c2b7d9a1e`.

    The tag derives from the model, its version and the content: packaging the same again returns the
    same tag and builds nothing. Blocking, for some seconds: run it in a thread.

    Raises:
        UntrustedModelError: model_uri is not of the configured registry.
        PackagingError: the model cannot be served, or the build failed; the message has its output.
    """
    raise NotImplementedError
