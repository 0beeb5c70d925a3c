"""A scikit-learn model as MLflow keeps it: written as skops, read back as what serving needs to know.

skops and not pickle: reading it runs no code but that of types which were named when it was written.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import DType, FeatureSpec
from ekiben_mlops.causal_models import is_causal, unlinked
from ekiben_mlops.errors import UnservableModelError

if TYPE_CHECKING:
    import pandas as pd

TRUSTED_LIBRARIES: Final = ("sklearn.", "numpy.", "scipy.", "xgboost.", "lightgbm.", "econml.")
"""Libraries whose types may be in a model although skops does not know them to be harmless."""
_ALWAYS: Final = ("numpy", "pandas", "skops", "shap")
"""What the service template imports itself; shap where it is installed: then models explain themselves."""
_SENSITIVE: Final = "ekiben_sensitive"
"""In the metadata of a logged model: the names of its sensitive columns."""
BACKGROUND_ROWS: Final = 64
"""Rows that are kept with a model, the input example first: explanations start from them."""


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """An MLflow model directory: its skops file, its signature, one example row, and what it needs."""

    directory: Path
    file: str
    trusted_types: tuple[str, ...]
    signature: tuple[FeatureSpec, ...]
    background: tuple[Mapping[str, FeatureValue], ...]
    requirements: tuple[str, ...]

    @property
    def example(self) -> Mapping[str, FeatureValue]:
        """The row that a model is tried with."""
        return self.background[0]

    def load(self) -> Any:
        """The model itself."""
        import skops.io  # noqa: PLC0415 - it brings scikit-learn: packaging a model does not need it

        return skops.io.load(self.directory / self.file, trusted=list(self.trusted_types))


def log_pipeline(
    mlflow: ModuleType, model: Any, name: str, rows: pd.DataFrame, sensitive: Collection[str] = ()
) -> str:
    """Log a model into the current run, register it under a name and return its version.

    Raises:
        UnservableModelError: it has types of other libraries, or such as skops cannot write; or a column
            that is to be sensitive is none of its rows'.
    """
    _check_columns(sensitive, rows)
    with warnings.catch_warnings():
        # That integers cannot be null is what their columns say in the signature: they are required.
        warnings.filterwarnings("ignore", message="Hint: Inferred schema contains integer")
        method = "effect" if is_causal(model) else "predict"
        signature = mlflow.models.infer_signature(rows, getattr(model, method)(rows.head(5)))
        written = unlinked(model)
        found = mlflow.sklearn.log_model(
            written,
            name="model",
            serialization_format="skops",
            skops_trusted_types=_trusted_types(written),
            signature=signature,
            input_example=_background(rows),
            pip_requirements=requirements_of(model),
            registered_model_name=name,
            pyfunc_predict_fn=method,
            metadata={_SENSITIVE: sorted(sensitive)},
        )
    return str(found.registered_model_version)


def read_logged_model(directory: Path) -> LoggedModel:
    """Read the directory of an MLflow model.

    Raises:
        UnservableModelError: it was not logged as skops, has types of other libraries, or lacks
            signature or input example.
    """
    import mlflow.models  # noqa: PLC0415 - only once a registry has been opened

    logged = mlflow.models.Model.load(str(directory))
    flavor = logged.flavors.get("sklearn", {})
    if flavor.get("serialization_format") != "skops":
        found = flavor.get("serialization_format") or f"the flavors {', '.join(logged.flavors)}"
        raise UnservableModelError(
            f"expected a scikit-learn model in skops format, found {found}. Log it with Registry.log_model."
        )
    if logged.signature is None or logged.signature.inputs is None:
        raise UnservableModelError("expected a signature, found none. Log it with Registry.log_model.")
    sensitive = frozenset((logged.metadata or {}).get(_SENSITIVE) or ())
    return LoggedModel(
        directory=directory,
        file=flavor["pickled_model"],
        trusted_types=tuple(_check_trusted(flavor.get("skops_trusted_types") or [])),
        signature=tuple(_spec(column, sensitive) for column in logged.signature.inputs.to_dict()),
        background=_read_background(directory, logged.saved_input_example_info),
        requirements=tuple((directory / "requirements.txt").read_text().split()),
    )


def requirements_of(model: Any) -> list[str]:
    """The installed distributions, pinned, that hold the classes of a model and its parts."""
    parts = [model, *(model.get_params(deep=True).values() if hasattr(model, "get_params") else ())]
    modules = {type(part).__module__.partition(".")[0] for part in _flat(parts)}
    known = packages_distributions()
    names = {distribution for module in {*modules, *_ALWAYS} for distribution in known.get(module, ())}
    return sorted(f"{name}=={version(name)}" for name in names)


def _flat(parts: Iterable[Any]) -> Iterable[Any]:
    for part in parts:
        if isinstance(part, (list, tuple)):
            yield from _flat(part)
        else:
            yield part


def _trusted_types(model: Any) -> list[str]:
    import skops.io  # noqa: PLC0415 - see LoggedModel.load

    try:
        written = skops.io.dumps(model)
        trusted = _check_trusted(skops.io.get_untrusted_types(data=written))
        if any(name.startswith("econml.") for name in trusted):  # whose trees it writes, and cannot read
            skops.io.loads(written, trusted=trusted)
    except (TypeError, AttributeError, RecursionError) as error:
        raise UnservableModelError(
            f"expected a model that skops writes and reads, found {type(model).__name__}, on which it fails: "
            f"{type(error).__name__}: {str(error)[:200]}. Of econml, linear final stages such as LinearDML "
            "are served; forests are not."
        ) from error
    return trusted


def _check_trusted(unknown: list[str]) -> list[str]:
    refused = [name for name in unknown if not name.startswith(TRUSTED_LIBRARIES)]
    if refused:
        raise UnservableModelError(
            f"expected types of {', '.join(TRUSTED_LIBRARIES)} alone, found {', '.join(refused[:5])}. "
            "A Bento carries no code of yours: build the model of library parts."
        )
    return unknown


def _spec(column: Mapping[str, Any], sensitive: frozenset[str]) -> FeatureSpec:
    name, dtype = column.get("name"), column["type"]
    if not name or dtype not in set(DType):
        raise UnservableModelError(
            f"expected named columns of {', '.join(DType)}, found {name or 'one unnamed'} of {dtype}. "
            "Train on a DataFrame with such columns."
        )
    return FeatureSpec(
        name=name,
        dtype=DType(dtype),
        required=column.get("required", True),
        sensitive=name in sensitive,
    )


def _check_columns(sensitive: Collection[str], rows: pd.DataFrame) -> None:
    unknown = sorted(set(sensitive) - set(rows.columns))
    if unknown:
        raise UnservableModelError(
            f"expected sensitive columns among {', '.join(rows.columns)}, found {', '.join(unknown)}. "
            "Name columns of the model's own."
        )


def _background(rows: pd.DataFrame) -> pd.DataFrame:
    """The first row, and others drawn from all: the first ones are often of one day, or of one kind."""
    drawn = np.random.default_rng(0).permutation(len(rows) - 1)[: BACKGROUND_ROWS - 1]
    return rows.iloc[[0, *(drawn + 1)]]


def _read_background(
    directory: Path, saved: Mapping[str, Any] | None
) -> tuple[Mapping[str, FeatureValue], ...]:
    if saved is None or saved.get("type") != "dataframe":
        raise UnservableModelError("expected an input example, found none. Log it with Registry.log_model.")
    # MLflow writes a null among numbers as a bare NaN
    example = json.loads((directory / saved["artifact_path"]).read_text(), parse_constant=lambda _: None)
    return tuple(dict(zip(example["columns"], row, strict=True)) for row in example["data"])
