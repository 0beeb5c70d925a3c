"""One endpoint is left alone after failures in a row, and asked again by one probe."""

from __future__ import annotations

import asyncio

import pytest

from ekiben_serving.breaker import EndpointBreaker
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    BreakerOpenError,
    ModelTransientError,
    ModelUnavailableError,
)
from unit.serving.frozen_clock import FrozenClock

DOWN = ModelUnavailableError("m", "http://m", "refused")
REFUSED = BadRequestError("m", "http://m", "400")
BROKEN = ModelTransientError("m", "http://m", "500")
NONSENSE = BadResponseError("m", "http://m", "found 3 answers to 4 rows")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def breaker(clock: FrozenClock) -> EndpointBreaker:
    return EndpointBreaker("m", "http://m", clock=clock, fail_max=3, reset_timeout_s=2.0)


def _call(breaker: EndpointBreaker, error: BaseException | None = None) -> None:
    """Make a call that ends as told; what the breaker itself raises comes through."""
    try:
        with breaker.guard():
            if error is not None:
                raise error  # noqa: TRY301
    except BaseException as raised:
        if raised is not error:  # it is the breaker's own
            raise


def _trip(breaker: EndpointBreaker) -> None:
    for _ in range(3):
        _call(breaker, DOWN)
    assert breaker.state == "open"


def test_it_opens_after_failures_in_a_row_and_lets_nothing_through(
    breaker: EndpointBreaker, clock: FrozenClock
) -> None:
    _trip(breaker)
    clock.now += 0.5

    with pytest.raises(BreakerOpenError, match="after 3 failures in a row") as caught:
        _call(breaker)

    assert caught.value.retry_after_s == 1.5


def test_the_failing_call_itself_gets_its_own_error(breaker: EndpointBreaker) -> None:
    _call(breaker, DOWN)
    _call(breaker, DOWN)

    with pytest.raises(ModelUnavailableError) as caught, breaker.guard():
        raise DOWN

    assert caught.value is DOWN


@pytest.mark.parametrize("error", [None, REFUSED, BROKEN, NONSENSE])
def test_any_answer_of_whatever_use_ends_the_row_of_failures(
    breaker: EndpointBreaker, error: BaseException | None
) -> None:
    for _ in range(3):
        _call(breaker, DOWN)
        _call(breaker, DOWN)
        _call(breaker, error)

    assert breaker.state == "closed"


def test_a_cancelled_call_says_nothing(breaker: EndpointBreaker) -> None:
    _call(breaker, DOWN)
    _call(breaker, DOWN)
    _call(breaker, asyncio.CancelledError())
    assert breaker.state == "closed"

    _call(breaker, DOWN)
    assert breaker.state == "open"


def test_after_a_while_one_probe_goes_through_and_only_one(
    breaker: EndpointBreaker, clock: FrozenClock
) -> None:
    _trip(breaker)
    clock.now += 2.0

    with breaker.guard():
        for _ in range(50):
            with pytest.raises(BreakerOpenError):
                _call(breaker)

    assert breaker.state == "closed"


def test_a_probe_that_fails_opens_it_for_another_while(breaker: EndpointBreaker, clock: FrozenClock) -> None:
    _trip(breaker)
    clock.now += 2.0

    _call(breaker, DOWN)

    assert breaker.state == "open"
    with pytest.raises(BreakerOpenError) as caught:
        _call(breaker)
    assert caught.value.retry_after_s == 2.0


def test_a_cancelled_probe_neither_closes_it_nor_keeps_the_next_probe_away(
    breaker: EndpointBreaker, clock: FrozenClock
) -> None:
    _trip(breaker)
    clock.now += 2.0

    _call(breaker, asyncio.CancelledError())
    assert breaker.state == "half-open"

    _call(breaker)
    assert breaker.state == "closed"


def test_what_was_under_way_when_it_opened_is_old_news(breaker: EndpointBreaker, clock: FrozenClock) -> None:
    with breaker.guard():
        _trip(breaker)
    assert breaker.state == "open"

    with pytest.raises(ModelUnavailableError), breaker.guard():
        pytest.fail("expected the breaker to let nothing through")


def test_each_turn_is_told_once(clock: FrozenClock) -> None:
    turns: list[str] = []
    breaker = EndpointBreaker(
        "m", "http://m", clock=clock, fail_max=3, reset_timeout_s=2.0, on_turn=turns.append
    )
    _call(breaker)
    _trip(breaker)
    clock.now += 2.0
    _call(breaker, DOWN)
    clock.now += 2.0
    _call(breaker)

    assert turns == ["open", "half-open", "open", "half-open", "closed"]
