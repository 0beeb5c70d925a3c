"""How a long work is shown: bars on a terminal, a line now and then elsewhere. On standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_LINE_EVERY_S = 10.0


class Stage(Protocol):
    """A piece of the work, while it lasts."""

    def tell(self, detail: str) -> None:
        """Say what it is at."""
        ...

    def reach(self, done: int) -> None:
        """Say how much of its total is done."""
        ...


class Show(Protocol):
    """Where the progress of the work is shown."""

    def stage(self, title: str, total: int | None = None) -> AbstractContextManager[Stage]:
        """Show a piece of the work until the block ends; some may last at the same time."""
        ...

    def note(self, text: str) -> None:
        """Show something that is worth a line of its own."""
        ...


@contextmanager
def shown_on(console: Console) -> Iterator[Show]:
    """A show that fits the console."""
    if not console.is_terminal:
        yield Lines(console)
        return
    with Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("[dim]{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        yield Bars(progress)


class Bars:
    """Rich's bars; what has ended stays on the screen with its time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Stage]:
        task = self._progress.add_task(title, total=total, detail="")
        yield _Bar(self._progress, task, total)
        self._progress.update(task, total=total or 1, completed=total or 1)

    def note(self, text: str) -> None:
        self._progress.console.print(text, style="yellow", markup=False, highlight=False)


class _Bar:
    def __init__(self, progress: Progress, task: TaskID, total: int | None) -> None:
        self._progress = progress
        self._task = task
        self._total = total

    def tell(self, detail: str) -> None:
        self._progress.update(self._task, detail=detail.replace("[", r"\["))

    def reach(self, done: int) -> None:
        detail = f"{done:,} of {self._total:,}" if self._total else f"{done:,}"
        self._progress.update(self._task, completed=done, detail=detail)


class Lines:
    """Plain lines: when a stage begins, every ten seconds, and when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Stage]:
        started = time.monotonic()
        self.note(f"{title} …")
        yield _Line(self, title, total)
        self.note(f"{title}: done in {time.monotonic() - started:.1f} s")

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Line:
    def __init__(self, lines: Lines, title: str, total: int | None) -> None:
        self._lines = lines
        self._title = title
        self._total = total
        self._told_at = time.monotonic()

    def tell(self, detail: str) -> None:
        self._lines.note(f"{self._title}: {detail}")

    def reach(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= _LINE_EVERY_S:
            self._told_at = now
            self.tell(f"{done:,} of {self._total:,}" if self._total else f"{done:,}")


class Unseen:
    """A stage that is shown nowhere."""

    def tell(self, detail: str) -> None:
        """Say it to nobody."""

    def reach(self, done: int) -> None:
        """Say it to nobody."""
