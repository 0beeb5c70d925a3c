"""Which failures are tried again, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    BreakerOpenError,
    ModelClientError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from ekiben_serving.retrying import RetryPolicy, retry_after

POLICY = RetryPolicy(max_retries=3, first_wait_s=0.1, longest_wait_s=0.3)
INF = float("inf")


def _unavailable(retry_after_s: float | None = None) -> ModelUnavailableError:
    return ModelUnavailableError("m", "http://m", "503", retry_after_s=retry_after_s)


def test_the_wait_doubles_up_to_its_longest_and_then_it_gives_up() -> None:
    waits = [POLICY.wait_before_next(n, _unavailable(), left_s=INF, jitter=1.0) for n in (1, 2, 3, 4)]

    assert waits == [0.1, 0.2, 0.3, None]


@given(st.floats(0, 1), st.integers(1, 3))
def test_jitter_spreads_the_wait_from_nothing_to_all_of_it(jitter: float, attempt: int) -> None:
    wait = POLICY.wait_before_next(attempt, _unavailable(), left_s=INF, jitter=jitter)
    longest = POLICY.wait_before_next(attempt, _unavailable(), left_s=INF, jitter=1.0)

    assert wait is not None
    assert longest is not None
    assert wait == pytest.approx(jitter * longest)


def test_what_the_endpoint_asked_for_is_the_least_it_waits() -> None:
    assert POLICY.wait_before_next(1, _unavailable(2.0), left_s=INF, jitter=0.0) == 2.0


@given(st.floats(0, 3), st.floats(0, 1), st.floats(0, 3))
def test_a_wait_never_uses_up_the_budget(asked: float, jitter: float, left: float) -> None:
    wait = POLICY.wait_before_next(1, _unavailable(asked), left_s=left, jitter=jitter)

    assert wait is None or wait < left


@pytest.mark.parametrize(
    "error",
    [
        ModelTimeoutError("m", "http://m", "slow"),
        BreakerOpenError("m", "http://m", "open"),
        BadRequestError("m", "http://m", "400"),
        BadResponseError("m", "http://m", "500"),
    ],
)
def test_what_may_have_been_answered_or_will_not_get_better_is_not_tried_again(
    error: ModelClientError,
) -> None:
    assert POLICY.wait_before_next(1, error, left_s=INF, jitter=1.0) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Tue, 14 Nov 2023 22:13:25 GMT", 5.0),
        ("Tue, 14 Nov 2023 22:13:15 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1e400", None),
        ("01 Jan 99999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, 1_700_000_000.0) == seconds
