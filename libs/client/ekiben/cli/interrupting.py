"""Ctrl-C between two steps of a long work: the first is heard there, a second one ends it at once."""

from __future__ import annotations

import asyncio
import signal
from types import TracebackType
from typing import Self

from ekiben.dead_letters import Progress, Watch


class StoppedError(Exception):
    """Somebody pressed Ctrl-C. Raised where nothing is left half-done."""


class Interruption:
    """Hears Ctrl-C until the end of the block; `check` is where the work may stop."""

    def __init__(self) -> None:
        self._heard = False
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Self:
        self._loop.add_signal_handler(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.remove_signal_handler(signal.SIGINT)

    def check(self) -> None:
        """Stop here, if that is wanted.

        Raises:
            StoppedError: it is.
        """
        if self._heard:
            raise StoppedError

    def checked(self, watch: Watch) -> Watch:
        """The same watch; a reading may stop wherever it tells how far it is."""

        def tell(progress: Progress) -> None:
            self.check()
            watch(progress)

        return tell

    def _hear(self) -> None:
        self._heard = True
        self._loop.remove_signal_handler(signal.SIGINT)
