"""What a row may hold, and what it is told when it does not fit."""

from __future__ import annotations

import math

import pytest

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.validation import RowError, Signature, check_row, misfit


def _check(dtype: DType, value: FeatureValue, *, required: bool = True) -> RowError | None:
    return check_row({"a": value}, Signature([FeatureSpec(name="a", dtype=dtype, required=required)]))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (DType.DOUBLE, 1.5),
        (DType.DOUBLE, 7),
        (DType.FLOAT, 3.4e38),
        (DType.INTEGER, -(2**31)),
        (DType.INTEGER, 3.0),
        (DType.LONG, 2**63 - 1),
        (DType.BOOLEAN, False),
        (DType.STRING, ""),
    ],
)
def test_a_value_of_the_column_s_type_fits(dtype: DType, value: FeatureValue) -> None:
    assert _check(dtype, value) is None


@pytest.mark.parametrize(
    ("dtype", "value", "told"),
    [
        (DType.DOUBLE, "1.5", "a: expected a finite number, found '1.5' (str)"),
        (DType.DOUBLE, True, "a: expected a finite number, found True (bool)"),
        (DType.DOUBLE, math.nan, "a: expected a finite number, found nan (float)"),
        (DType.DOUBLE, math.inf, "a: expected a finite number, found inf (float)"),
        (DType.DOUBLE, 10**400, "a: expected a finite number, found an integer of 1329 bits"),
        (DType.FLOAT, 3.5e38, "a: expected a number within ±3.4e38, found 3.5e+38 (float)"),
        (DType.INTEGER, 2**31, "a: expected an integer of 32 bits, found 2147483648 (int)"),
        (DType.LONG, 2**63, "a: expected an integer of 64 bits, found 9223372036854775808 (int)"),
        (DType.LONG, 1.5, "a: expected an integer of 64 bits, found 1.5 (float)"),
        (DType.BOOLEAN, 1, "a: expected true or false, found 1 (int)"),
        (DType.STRING, 1, "a: expected a text, found 1 (int)"),
    ],
)
def test_any_other_value_is_an_invalid_request_that_says_what_was_expected_and_found(
    dtype: DType, value: FeatureValue, told: str
) -> None:
    problem = _check(dtype, value)

    assert problem is not None
    assert problem.code == "invalid_request"
    assert problem.message.startswith(told)


@pytest.mark.parametrize("dtype", DType)
def test_null_fits_an_optional_column_alone(dtype: DType) -> None:
    required = _check(dtype, None)

    assert _check(dtype, None, required=False) is None
    assert required is not None
    assert required.code == "missing_features"


def test_a_nan_is_a_null_among_numbers_and_nowhere_else() -> None:
    assert _check(DType.DOUBLE, math.nan, required=False) is None
    assert _check(DType.LONG, math.nan, required=False) is None
    assert _check(DType.STRING, math.nan, required=False) is not None


def test_an_optional_long_must_be_exact_as_a_double() -> None:
    assert _check(DType.LONG, 2**53 - 1, required=False) is None
    assert _check(DType.LONG, 2**53, required=False) is not None


SIGNATURE = Signature(
    [
        FeatureSpec(name=name, dtype=DType.DOUBLE, required=name != "optional")
        for name in [*"abcdefg", "optional"]
    ]
)
WHOLE: dict[str, FeatureValue] = dict.fromkeys("abcdefg", 1.0)


def test_names_that_the_signature_does_not_have_are_ignored() -> None:
    assert check_row({**WHOLE, "unknown": "x"}, SIGNATURE) is None


def test_missing_names_are_told_before_wrong_values() -> None:
    problem = check_row({**WHOLE, "a": None, "b": "x"} | {"c": None}, SIGNATURE)

    assert problem == RowError(
        "missing_features",
        "expected a value for a; c; found 0 absent and 2 null. Send every required feature.",
    )


def test_a_row_with_much_wrong_is_told_in_short() -> None:
    problem = check_row({}, SIGNATURE)

    assert problem is not None
    assert "a; b; c; d; e; and 2 more; found 7 absent and 0 null" in problem.message


def test_a_signature_of_an_unknown_type_is_refused() -> None:
    class Spec:
        name, dtype, required, sensitive = "a", "decimal", True, False

    with pytest.raises(ValueError, match=r"expected a dtype of boolean, .*, found 'decimal'"):
        Signature([Spec()])


@pytest.mark.parametrize("value", ["wears a wig", 48_250])
def test_a_sensitive_value_that_does_not_fit_is_named_and_not_quoted(value: FeatureValue) -> None:
    spec = FeatureSpec(name="hair", dtype=DType.BOOLEAN, sensitive=True)

    problem = check_row({"hair": value}, Signature([spec]))

    assert problem is not None
    assert "hair: expected true or false, found another" in problem.message
    assert str(value) not in problem.message
    assert str(value) not in str(misfit(value, spec))
