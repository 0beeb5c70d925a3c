"""What a model in this process is, and how one is loaded by its URI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Final, Protocol, runtime_checkable

from ekiben_contracts.models import FeatureSpec
from ekiben_serving.errors import ModelUnavailableError

LOADERS: Final = "ekiben.model_loaders"
"""Entry points that load models, by the scheme of their URI: `models` is the MLflow registry's."""


class LoadedModel(Protocol):
    """A model that takes and gives the bodies of a model server (see ekiben_serving.columnar)."""

    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def signature(self) -> Sequence[FeatureSpec]: ...
    def answer_columns(self, body: bytes) -> bytes:
        """The answer to a body.

        Raises:
            ValueError: its columns are not those of the signature.
        """
        ...


@runtime_checkable
class ExplainingModel(Protocol):
    """A LoadedModel that also says what moved its answers."""

    def explain_columns(self, body: bytes, budget_s: float | None) -> bytes:
        """What moved the answers to a body. Rows that there is no time for within a budget have errors.

        Raises:
            ValueError: its columns are not those of the signature.
            LookupError: it has no explainer after all; the message says why.
        """
        ...


Load = Callable[[str], LoadedModel]


def load_registered(model_uri: str) -> LoadedModel:
    """Load a model by its URI, such as models:/delay/3, with what is installed for that.

    Raises:
        ModelUnavailableError: nothing that is installed loads such a URI.
    """
    scheme = model_uri.partition(":")[0]
    for found in entry_points(group=LOADERS, name=scheme):
        load: Load = found.load()
        return load(model_uri)
    raise ModelUnavailableError(
        model_uri,
        "this process",
        f"expected something that loads {scheme}:/… here, found nothing installed; "
        "install ekiben-mlops beside this, or serve the model over HTTP",
    )
