"""Carries out the plan: each fault falls behind a burst of requests, so that some of them are unanswered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from e2e.waiting import until
from faults.soak.plan import Blow, Planned, Victim
from faults.soak.victims import Target

_BACK_WITHIN_S = 180


@dataclass(frozen=True)
class Fault:
    """What was done, by the clock: `lifted` is when nobody held it down any more, `back` when it worked."""

    victim: Victim
    blow: Blow
    name: str
    began: float
    lifted: float
    back: float

    @property
    def kind(self) -> tuple[Victim, Blow]:
        return self.victim, self.blow


class Nemesis:
    """Strikes at its times, whether others are down or not; but nobody who is down already.

    Args:
        aim: finds the processes of a planned fault.
        burst: sends requests, and returns once they are on their way.
        tell: is told each fault when its victim is back.
    """

    def __init__(
        self, aim: Callable[[Planned], Target], burst: Callable[[], None], tell: Callable[[Fault], None]
    ) -> None:
        self._aim = aim
        self._burst = burst
        self._tell = tell
        self._never = threading.Event()

    def run(self, plan: Sequence[Planned]) -> list[Fault]:
        """All of them, in the order of the plan; returns when every victim is back.

        Raises:
            TimeoutError: one did not come back.
        """
        down: dict[Victim, Future[Fault]] = {}
        faults: list[Future[Fault]] = []
        with ThreadPoolExecutor(len(Victim)) as hands:
            for planned in plan:
                self._never.wait(planned.after_s)
                if planned.victim in down:
                    down[planned.victim].result()
                down[planned.victim] = hands.submit(self._inflict, planned)
                faults.append(down[planned.victim])
            return [fault.result() for fault in faults]

    def _inflict(self, planned: Planned) -> Fault:
        target = self._aim(planned)
        self._burst()
        began = time.time()  # at once: the burst is answered in a moment
        target.strike()
        if target.needs_lifting:
            self._never.wait(planned.hold_s)
            target.lift()
            lifted = time.time()
        else:
            lifted = began
        until(target.is_back, f"{target.name}, {planned.blow}, to be back", _BACK_WITHIN_S)
        fault = Fault(planned.victim, planned.blow, target.name, began, lifted, time.time())
        self._tell(fault)
        return fault
