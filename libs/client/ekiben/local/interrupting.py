"""Ctrl-C, twice: the first lets everything drain, the second hurries."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible(hurry: Callable[[], None]) -> Iterator[None]:
    """The first signal to end cancels the current task, so that its `async with` blocks clean up.

    Every further one calls `hurry`. Of use in the main thread only, where signals arrive.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    told = False

    def on_signal() -> None:
        nonlocal told
        if told:
            hurry()
        else:
            told = True
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
