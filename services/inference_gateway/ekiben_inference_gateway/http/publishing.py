"""What was answered over HTTP, published as its events: beside the answers, which never wait for Kafka."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter
from structlog.stdlib import get_logger

from ekiben_bus.outbox import OutputTooLargeError
from ekiben_bus.publishing import PublishError
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.topics import MODEL_OUTPUTS
from ekiben_inference_gateway.answers import refused_event, scored_event, terminal
from ekiben_inference_gateway.http.wording import is_final
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.scoring import Scored

log = get_logger(__name__)

_MOST_TOGETHER = 1024
_MOST_BYTES = 128 * 1024 * 1024
_HELD_FOR_A_BYTE = 5
"""Bytes of memory for each of an event's JSON: 4.1 to 5.3 were measured, of 0 to 1,000 features."""
_AGAIN_IN_S = 1.0
_COLLECTS_S = 0.05
"""A publish costs a millisecond of CPU, however few events it has; who asks alone would wait for it."""

Publish = Callable[[Sequence[Outgoing]], Awaitable[None]]


class _Waiting(NamedTuple):
    outgoing: Outgoing
    size: int


class AnswerEvents:
    """Events that wait for Kafka, so many and in 128 MiB of memory at the most: those of 50 ms go together.

    What cannot be published is kept and sent again under the same ids. What finds no room is counted, and
    the first of a row of them logged.
    """

    def __init__(
        self,
        publish: Publish,
        most: int,
        drain_s: float,
        clock: Callable[[], datetime],
        registry: CollectorRegistry,
    ) -> None:
        self._publish = publish
        self._most = most
        self._drain_s = drain_s
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._is_full = False
        self._arrived = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._sending: asyncio.Future[None] | None = None
        self._lost = Counter(
            "ekiben_http_answers_lost",
            "Answers given over HTTP whose events were not published, by why",
            ["why"],
            registry=registry,
        )

    def offer(self, request: Request, answer: Scored | Refusal) -> None:
        """Publish what became of a request, in a while; a refusal that is not final is told nobody else."""
        if isinstance(answer, Refusal) and not is_final(answer):
            return
        if len(self._waiting) >= self._most or self._waiting_bytes >= _MOST_BYTES:
            self._lose(request)
            return
        self._is_full = False
        outgoing = _event(request, answer, self._clock())
        waiting = _Waiting(outgoing, _HELD_FOR_A_BYTE * len(outgoing.event.to_json()))
        self._waiting.append(waiting)
        self._waiting_bytes += waiting.size
        self._arrived.set()

    def _lose(self, request: Request) -> None:
        self._lost.labels("full").inc()
        if not self._is_full:
            log.error(
                "answers over HTTP find no room to wait for Kafka",
                first=request.id,
                waiting=len(self._waiting),
            )
        self._is_full = True

    async def run(self) -> None:
        """Publish what arrives, a little later."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_COLLECTS_S)
            self._arrived.clear()
            # to give a publish up costs the producer that the answers on the bus go through, too
            self._sending = asyncio.ensure_future(self._send_waiting())
            await asyncio.shield(self._sending)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[AnswerEvents]:
        """At the end, when nobody is answered any more, publish what still waits."""
        try:
            yield self
        finally:
            try:
                async with asyncio.timeout(self._drain_s):
                    await self._send_waiting()
            except TimeoutError:
                log.warning("answers over HTTP not published to the end", lost=len(self._waiting))
                self._lost.labels("stopped").inc(len(self._waiting))
            if self._sending is not None:
                self._sending.cancel()

    async def _send_waiting(self) -> None:
        """Those that wait now: what arrives meanwhile collects for the next time."""
        async with self._one_at_a_time:
            left = len(self._waiting)
            while left:
                together = list(islice(self._waiting, min(left, _MOST_TOGETHER)))
                try:
                    await self._send([one.outgoing for one in together])
                except PublishError as error:
                    log.warning(
                        "answers over HTTP not published yet", waiting=len(self._waiting), why=str(error)
                    )
                    await asyncio.sleep(_AGAIN_IN_S)
                    continue
                left -= len(together)
                for _ in together:
                    self._waiting_bytes -= self._waiting.popleft().size

    async def _send(self, events: Sequence[Outgoing]) -> None:
        """Publish, in halves where one is too large for its topic: the others have done nothing."""
        try:
            await self._publish(events)
        except OutputTooLargeError as error:
            if len(events) == 1:
                log.warning("an answer over HTTP is too large to publish", id=events[0].id, why=str(error))
                self._lost.labels("too_large").inc()
                return
            middle = len(events) // 2
            await self._send(events[:middle])
            await self._send(events[middle:])


def _event(request: Request, answer: Scored | Refusal, now: datetime) -> Outgoing:
    if isinstance(answer, Refusal):
        return terminal(refused_event(request, answer, None, now))
    event = scored_event(answer)
    return Outgoing(MODEL_OUTPUTS, event, output_id(event.request_id, Stage.SCORED, event.attempt))
