"""Where the demo works: a system that runs already, a home that is given, or a fresh one of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ekiben.local import running
from ekiben.local.home import Home

_OWN = "demo"


@dataclass(frozen=True, slots=True)
class Place:
    """A home, what is in it already, and what ends the request ids of this run.

    Request ids are never used twice: only where nobody was before do they need no ending.
    """

    home: Home
    is_running: bool
    is_fresh: bool
    run: str


def choose_place(
    given: Path | None, *, is_broker_named: bool, now: datetime, is_alone: bool = False
) -> Place:
    """The home that is given, or has a running system; else `demo` in the usual one, to be emptied.

    On a broker of the user's own the usual home it is: its topics know what came before. A demo that
    `is_alone` uses no system that runs already.
    """
    usual, own = Home.of(given), Home(Home.of(given).path / _OWN)
    run = now.strftime("%Y%m%dT%H%M%S")
    for home in (usual, own):
        if running.is_held(home) and not is_alone:
            return Place(home, is_running=True, is_fresh=False, run=run)
    if is_alone and given is None:
        # one that runs there has it to itself, and is told so when ours begins
        return Place(own, is_running=False, is_fresh=not running.is_held(own), run="")
    if given is not None or is_broker_named:
        return Place(usual, is_running=False, is_fresh=False, run=run)
    return Place(own, is_running=False, is_fresh=True, run="")


def make_ready(place: Place) -> None:
    """Empty the demo's own home of what an earlier demo left."""
    if place.is_fresh:
        shutil.rmtree(place.home.path, ignore_errors=True)
    place.home.path.mkdir(parents=True, exist_ok=True)
