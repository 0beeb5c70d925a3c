"""The wire of a simulation: what the seed lets happen to each request, on its way there and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, TypeVar

from aiokafka.errors import KafkaError, RequestTimedOutError

from ekiben_bus.memory import Errand, Request
from simulation.clock import process_name
from simulation.trace import Trace

T = TypeVar("T")


class Fate(StrEnum):
    """What becomes of a request."""

    ANSWERED = "answered"
    LOST = "lost"  # it never arrives, and the client gives up
    UNANSWERED = "unanswered"  # it is done, but the client never hears of it
    LATE = "late"  # it is done after the client has given up


@dataclass(frozen=True)
class Climate:
    """How bad the wire is. Shares are of requests; `bad` has one for each errand that suffers at all."""

    latency_s: float = 0.002
    slow: float = 0.0
    slow_s: float = 1.0
    timeout_s: float = 2.0
    bad: Mapping[Errand, float] = field(default_factory=dict)


class Weather:
    """What was sent arrives, even if its sender is killed meanwhile: it is done in the broker's context.

    A connection keeps its order, so that a process has its requests about one topic or group done in turn;
    those that come late went by a connection that broke.
    """

    def __init__(self, random: Random, climate: Climate, trace: Trace) -> None:
        self.is_stormy = False
        self.refusing: dict[tuple[Errand, str], KafkaError] = {}
        self.faults = 0
        self._random = random
        self._climate = climate
        self._trace = trace
        self._broker: Context = copy_context()
        self._in_turn: dict[tuple[str, str], float] = {}

    async def carry(self, request: Request, do: Callable[[], T]) -> T:
        loop, climate = asyncio.get_running_loop(), self._climate
        fate, there = self._fate_of(request), self._delay()
        answer: asyncio.Future[T] = loop.create_future()
        if fate is Fate.LATE:
            there += climate.timeout_s
        elif fate is not Fate.LOST:
            there = self._after_those_before(request, there)
        if fate is not Fate.LOST:
            loop.call_later(there, self._arrive, request, do, answer, fate, context=self._broker)
        if fate is Fate.ANSWERED:
            return await answer
        self.faults += 1
        self._trace.note(f"{request.errand} {request.subject} {fate}")
        await asyncio.sleep(climate.timeout_s)
        raise RequestTimedOutError

    def _arrive(
        self, request: Request, do: Callable[[], Any], answer: asyncio.Future[Any], fate: Fate
    ) -> None:
        loop, back = asyncio.get_running_loop(), self._delay()
        try:
            refusal = self.refusing.get((request.errand, request.subject))
            if refusal is not None:
                self.faults += 1
                raise refusal
            outcome = do()
        except KafkaError as error:
            self._trace.note(f"{request.errand} {request.subject} refused: {type(error).__name__}")
            if fate is Fate.ANSWERED:
                loop.call_later(back, _settle, answer, None, error, context=self._broker)
            return
        if fate is Fate.ANSWERED:
            loop.call_later(back, _settle, answer, outcome, None, context=self._broker)

    def _fate_of(self, request: Request) -> Fate:
        share = self._climate.bad.get(request.errand, 0.0) if self.is_stormy else 0.0
        if not share or self._random.random() >= share:
            return Fate.ANSWERED
        fates = (Fate.LOST, Fate.UNANSWERED, Fate.LATE)
        # a commit that arrives after a later one undoes it: what is read again then is no news
        return self._random.choice(fates[:2] if request.errand is Errand.COMMIT else fates)

    def _after_those_before(self, request: Request, seconds: float) -> float:
        now, connection = asyncio.get_running_loop().time(), (process_name(), request.subject)
        self._in_turn[connection] = max(self._in_turn.get(connection, 0.0), now + seconds)
        return self._in_turn[connection] - now

    def _delay(self) -> float:
        climate = self._climate
        if self.is_stormy and climate.slow and self._random.random() < climate.slow:
            return self._random.random() * climate.slow_s
        return self._random.random() * climate.latency_s


def _settle(answer: asyncio.Future[Any], outcome: object, error: KafkaError | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(outcome)
