"""Does one row fit the signature of a model? Pure; needs the standard library alone.

The accepted values are those of JSON: a boolean is no number, an integer will do for a double, and a
float with an integral value for a long; null, or NaN among numbers, only where the column is optional.
Names that the signature does not have are ignored, so that one request can serve several models.
columnar.encode_rows takes exactly the rows that pass here. Packaging copies this file into each Bento.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeGuard

from ekiben_serving.specs import ColumnSpec, FeatureValue

RowErrorCode = Literal["missing_features", "invalid_request", "internal"]

LARGEST_FLOAT: Final = (2 - 2**-23) * 2.0**127
LARGEST_DOUBLE: Final = (2 - 2**-52) * 2.0**1023
LARGEST_EXACT: Final = 2**53 - 1
"""An optional long travels as a double, as pandas keeps it: beyond this it would change."""

_MOST_NAMED: Final = 5
_MOST_BITS_SHOWN: Final = 128


class RowError(NamedTuple):
    """Why one row has no answer. The codes are those of prediction.failed."""

    code: RowErrorCode
    message: str


class Signature:
    """The input columns of a model, compiled once so that a row is checked in a microsecond or two."""

    def __init__(self, specs: Iterable[ColumnSpec]) -> None:
        self.specs = tuple(specs)
        self._columns = tuple((spec, *_rule(spec)) for spec in self.specs)
        self._checks = tuple((spec.name, fits) for spec, fits, _ in self._columns)

    def check(self, features: Mapping[str, FeatureValue]) -> RowError | None:
        """None where the row fits, else why not."""
        get = features.get
        for name, fits in self._checks:
            if not fits(get(name)):
                return self._explain(features)
        return None

    def _explain(self, features: Mapping[str, FeatureValue]) -> RowError:
        missing = [spec.name for spec in self.specs if spec.required and features.get(spec.name) is None]
        if missing:
            absent = sum(name not in features for name in missing)
            found = f"found {absent} absent and {len(missing) - absent} null"
            return RowError(
                "missing_features",
                f"expected a value for {_join(missing)}; {found}. Send every required feature.",
            )
        wrong = [
            f"{spec.name}: expected {expected}, found {_show(features.get(spec.name), spec)}"
            for spec, fits, expected in self._columns
            if not fits(features.get(spec.name))
        ]
        return RowError("invalid_request", f"{_join(wrong)}. Send each feature as the signature has it.")


def check_row(features: Mapping[str, FeatureValue], signature: Signature) -> RowError | None:
    """None where the row fits the signature, else what was expected, found, and to try."""
    return signature.check(features)


def misfit(value: FeatureValue, spec: ColumnSpec) -> str | None:
    """None where a value fits its column, else what was expected and found."""
    fits, expected = _rule(spec)
    if fits(value):
        return None
    return f"expected {expected}, found {'null' if value is None else _show(value, spec)}"


Fits = Callable[[FeatureValue], bool]


def _is_number(value: FeatureValue) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _real(largest: float) -> Fits:
    return lambda value: _is_number(value) and -largest <= value <= largest


def _whole(lowest: int, highest: int) -> Fits:
    return lambda value: (
        _is_number(value) and lowest <= value <= highest and (isinstance(value, int) or value.is_integer())
    )


_WHOLE_64: Final = (_whole(-(2**63), 2**63 - 1), "an integer of 64 bits")
_WHOLE_53: Final = (_whole(-LARGEST_EXACT, LARGEST_EXACT), "an integer below 2^53")
_RULES: Final[Mapping[str, tuple[Fits, str]]] = {
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "integer": (_whole(-(2**31), 2**31 - 1), "an integer of 32 bits"),
    "long": _WHOLE_64,
    "float": (_real(LARGEST_FLOAT), "a number within ±3.4e38"),
    "double": (_real(LARGEST_DOUBLE), "a finite number"),
    "string": (lambda value: isinstance(value, str), "a text"),
}


def _rule(spec: ColumnSpec) -> tuple[Fits, str]:
    if spec.dtype not in _RULES:
        raise ValueError(f"column {spec.name}: expected a dtype of {', '.join(_RULES)}, found {spec.dtype!r}")
    fits, expected = _RULES[spec.dtype]
    if spec.required:
        return fits, expected
    if spec.dtype == "long":
        fits, expected = _WHOLE_53
    return lambda value: value is None or fits(value) or _is_nan(value, spec.dtype), f"{expected}, or null"


def _is_nan(value: FeatureValue, dtype: str) -> bool:
    return isinstance(value, float) and math.isnan(value) and dtype not in ("boolean", "string")


def _show(value: FeatureValue, spec: ColumnSpec) -> str:
    if spec.sensitive and value is not None:
        return f"another {type(value).__name__}, which is not shown: {spec.name} is sensitive"
    if (
        isinstance(value, int) and value.bit_length() > _MOST_BITS_SHOWN
    ):  # Python refuses to print the largest
        return f"an integer of {value.bit_length()} bits"
    text = repr(value[:40] if isinstance(value, str) else value)
    return f"{text} ({type(value).__name__})"


def _join(parts: list[str]) -> str:
    more = [f"and {len(parts) - _MOST_NAMED} more"] if len(parts) > _MOST_NAMED else []
    return "; ".join(parts[:_MOST_NAMED] + more)
