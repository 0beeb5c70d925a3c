"""How far a long reading is, on a terminal."""

from __future__ import annotations

from rich.progress import Progress as Bars
from rich.progress import TaskID

from ekiben.dead_letters import Progress, Watch


def shown(bars: Bars) -> Watch:
    """One bar for each topic, for as long as it is read."""
    tasks: dict[str, TaskID] = {}

    def show(progress: Progress) -> None:
        if progress.topic not in tasks:
            tasks[progress.topic] = bars.add_task(f"reading {progress.topic}")
        bars.update(
            tasks[progress.topic],
            completed=progress.read,
            total=progress.total,
            visible=progress.read < progress.total,
        )

    return show
