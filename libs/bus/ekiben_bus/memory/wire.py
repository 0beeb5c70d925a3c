"""Between a client and the cluster in memory: the one place where requests may be late, lost or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

T = TypeVar("T")


class Errand(StrEnum):
    """What a request asks for."""

    CONNECT = "connect"
    FETCH = "fetch"
    PRODUCE = "produce"
    OFFSETS = "offsets"
    COMMIT = "commit"
    JOIN = "join"
    SYNC = "sync"
    HEARTBEAT = "heartbeat"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way. `subject` is the topic, or the group, that it is about."""

    errand: Errand
    subject: str


class Wire(Protocol):
    """Carries a request to the broker, which does it at one instant, and its answer back.

    A bad wire raises one of aiokafka's errors: before the broker has done it, after, or both ways round.
    """

    async def carry(self, request: Request, do: Callable[[], T]) -> T: ...


class PerfectWire:
    """Every request arrives, and every answer."""

    async def carry(self, request: Request, do: Callable[[], T]) -> T:  # noqa: ARG002 - all fare alike
        await asyncio.sleep(0)
        return do()
