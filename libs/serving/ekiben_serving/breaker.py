"""The circuit breaker of one endpoint: unanswered some times in a row, it is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pybreaker

from ekiben_contracts.health import BreakerState
from ekiben_serving.clock import Clock
from ekiben_serving.errors import BreakerOpenError, ModelClientError, ModelUnavailableError


class EndpointBreaker:
    """pybreaker's states and counts, with what it lacks for asyncio.

    - Half-open, it lets every concurrent call through (50 of 50): here one probe, and only one.
    - It takes an excluded exception for a success, so a cancelled probe would close it: here a
      cancelled call says nothing at all. Any answer, of whatever use, does say that the endpoint lives:
      were it left alone for its 500s, requests would wait for it that are themselves the cause.
    - Its calls take no clock: here the state machine is only told results, and never asked for time.
    """

    def __init__(
        self,
        model: str,
        endpoint: str,
        *,
        clock: Clock,
        fail_max: int = 5,
        reset_timeout_s: float = 2.0,
        on_turn: Callable[[BreakerState], None] | None = None,
    ) -> None:
        self._model = model
        self._endpoint = endpoint
        self._clock = clock
        self._reset_timeout_s = reset_timeout_s
        self._machine: Final = pybreaker.CircuitBreaker(
            fail_max=fail_max,
            throw_new_error_on_trip=False,
            listeners=[] if on_turn is None else [_Turns(on_turn)],
        )
        self._opened_at = 0.0
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """closed, open or half-open."""
        return BreakerState(self._machine.current_state)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around one attempt.

        Raises:
            BreakerOpenError: the attempt must not be made.
        """
        probe = self._admit()
        try:
            yield
        except ModelUnavailableError as error:
            self._record(error, probe)
            raise
        except ModelClientError:
            self._record(None, probe)
            raise
        else:
            self._record(None, probe)
        finally:
            if probe:
                self._probing = False

    def check(self) -> None:
        """Before a wait for the right to ask. It takes no probe: the next one to ask does.

        Raises:
            BreakerOpenError: an attempt must not be made now.
        """
        if self.state == BreakerState.CLOSED:
            return
        left = self._opened_at + self._reset_timeout_s - self._clock.monotonic()
        if self._probing or left > 0:
            raise BreakerOpenError(
                self._model,
                self._endpoint,
                f"expected an endpoint that answers, found its circuit breaker {self.state} "
                f"after {self._machine.fail_max} failures in a row. Ask again in {max(left, 0):.1f} s.",
                retry_after_s=max(left, 0.0),
            )

    def _admit(self) -> bool:
        """Whether this attempt is the probe."""
        self.check()
        if self.state == BreakerState.CLOSED:
            return False
        self._machine.half_open()
        self._probing = True
        return True

    def _record(self, error: ModelUnavailableError | None, probe: bool) -> None:
        """Tell pybreaker a result; that of an attempt from before it opened is old news."""
        if self.state != BreakerState.CLOSED and not probe:
            return
        try:
            self._machine.call(_outcome, error)
        except ModelUnavailableError:
            if self.state == BreakerState.OPEN:
                self._opened_at = self._clock.monotonic()


class _Turns(pybreaker.CircuitBreakerListener):
    """Passes on each new state."""

    def __init__(self, on_turn: Callable[[BreakerState], None]) -> None:
        self._on_turn = on_turn

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        """See CircuitBreakerListener."""
        del cb, old_state
        self._on_turn(BreakerState(new_state.name))


def _outcome(error: ModelUnavailableError | None) -> None:
    if error is not None:
        raise error
