"""Does one row fit the signature of a model? Pure; needs the standard library alone.

The accepted values are those of JSON: a boolean is no number, an integer will do for a double, and a
float with an integral value for a long. Names that the signature does not have are ignored, so that
one request can serve several models. Packaging copies this file into each Bento.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple, Protocol, TypeGuard

FeatureValue = bool | int | float | str | None
RowErrorCode = Literal["missing_features", "invalid_request", "internal"]

LARGEST_FLOAT32: Final = 3.4028234663852886e38
LARGEST_DOUBLE: Final = 1.7976931348623157e308
EXACT_IN_DOUBLE: Final = 2**53
"""An optional integer travels as a double, as pandas keeps it: beyond this it would change."""


class ColumnSpec(Protocol):
    """One input column, as ekiben_contracts.models.FeatureSpec. dtype is one of MLflow's names."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def required(self) -> bool: ...


class RowError(NamedTuple):
    """Why one row has no answer. The codes are those of prediction.failed."""

    code: RowErrorCode
    message: str


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _fits_float(largest: float) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        return _is_number(value) and -largest <= value <= largest

    return fits


def _fits_integer(lowest: int, highest: int) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        return _is_number(value) and lowest <= value <= highest and (isinstance(value, int) or value.is_integer())

    return fits


class _Kind(NamedTuple):
    fits: Callable[[object], bool]
    expected: str


_INT32 = _Kind(_fits_integer(-(2**31), 2**31 - 1), "an integer of 32 bits")
_KINDS: Final[dict[str, _Kind]] = {
    "boolean": _Kind(lambda value: isinstance(value, bool), "true or false"),
    "integer": _INT32,
    "long": _Kind(_fits_integer(-(2**63), 2**63 - 1), "an integer of 64 bits"),
    "float": _Kind(_fits_float(LARGEST_FLOAT32), "a number within ±3.4e38"),
    "double": _Kind(_fits_float(LARGEST_DOUBLE), "a finite number"),
    "string": _Kind(lambda value: isinstance(value, str), "a text"),
}
_OPTIONAL_LONG: Final = _Kind(_fits_integer(-EXACT_IN_DOUBLE, EXACT_IN_DOUBLE), "an integer within ±2^53, or null")


class Signature:
    """The input columns of a model, compiled once so that a row is checked in about a microsecond."""

    def __init__(self, specs: Iterable[ColumnSpec]) -> None:
        self.specs = tuple(specs)
        self._checks = tuple((spec.name, _kind(spec), spec.required) for spec in self.specs)
        self._fits = tuple((name, kind.fits, required) for name, kind, required in self._checks)
        self._required = tuple(spec.name for spec in self.specs if spec.required)

    def check(self, features: Mapping[str, FeatureValue]) -> RowError | None:
        """None where the row fits, else why not: missing names before wrong values."""
        get = features.get
        for name, fits, required in self._fits:
            value = get(name)
            if not fits(value) and (required or not _is_null(value)):
                return self._explain(features)
        return None

    def _explain(self, features: Mapping[str, FeatureValue]) -> RowError:
        missing = [name for name in self._required if features.get(name) is None]
        if missing:
            return RowError("missing_features", self._name_missing(missing, features))
        wrong = [
            f"{name}: expected {kind.expected}, found {_show(features.get(name))}"
            for name, kind, required in self._checks
            if not kind.fits(features.get(name)) and (required or not _is_null(features.get(name)))
        ]
        return RowError("invalid_request", f"{_join(wrong, '; ')}. Send each feature as the signature has it.")

    def _name_missing(self, missing: list[str], features: Mapping[str, FeatureValue]) -> str:
        nulls = sum(name in features for name in missing)
        found = f"found null for {nulls} and nothing for {len(missing) - nulls}" if nulls else "found none of them"
        return f"expected a value for {_join(missing, ', ')}, {found}. Send every required feature."


def check_row(features: Mapping[str, FeatureValue], signature: Signature) -> RowError | None:
    """None where the row fits the signature, else what was expected, found, and to try."""
    return signature.check(features)


def _kind(spec: ColumnSpec) -> _Kind:
    if spec.dtype not in _KINDS:
        raise ValueError(f"column {spec.name}: expected a dtype of {', '.join(_KINDS)}, found {spec.dtype!r}")
    return _OPTIONAL_LONG if spec.dtype == "long" and not spec.required else _KINDS[spec.dtype]


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _show(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 128:  # Python refuses to print the largest
        return f"an integer of {value.bit_length()} bits"
    text = repr(value[:40] if isinstance(value, str) else value)
    return f"{text} ({type(value).__name__})"


def _join(parts: list[str], separator: str, most: int = 5) -> str:
    more = f"{separator}and {len(parts) - most} more" if len(parts) > most else ""
    return separator.join(parts[:most]) + more
