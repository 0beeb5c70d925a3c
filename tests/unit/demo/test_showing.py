from __future__ import annotations

import io

import pytest
from rich.console import Console

from ekiben.demo.showing import Bars, Lines, shown_on


def _console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=terminal, width=120, highlight=False), file


def test_a_terminal_gets_bars_and_a_file_gets_lines() -> None:
    for terminal, kind in ((True, Bars), (False, Lines)):
        console, _ = _console(terminal=terminal)
        with shown_on(console) as show:
            assert isinstance(show, kind)


def test_a_stage_in_a_file_has_a_line_for_its_start_its_news_and_its_end() -> None:
    console, file = _console(terminal=False)
    with shown_on(console) as show, show.stage("Training") as stage:
        stage.tell("the first model [1/2]")

    lines = file.getvalue().splitlines()
    assert lines[:2] == ["Training …", "Training: the first model [1/2]"]
    assert lines[2].startswith("Training: done in ")
    assert "\x1b" not in file.getvalue()


def test_a_bar_says_how_far_it_is() -> None:
    console, file = _console(terminal=True)
    with shown_on(console) as show, show.stage("Replaying", 30_000) as stage:
        stage.reach(12_000)

    assert "Replaying" in file.getvalue()
    assert "12,000 of 30,000" in file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_stage_that_fails_is_not_called_done(terminal: bool) -> None:
    console, file = _console(terminal=terminal)

    def fail() -> None:
        with shown_on(console) as show, show.stage("Training"):
            raise RuntimeError("no data")

    with pytest.raises(RuntimeError, match="no data"):
        fail()
    assert "done" not in file.getvalue()
    assert "✓" not in file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_note_is_taken_literally(terminal: bool) -> None:
    console, file = _console(terminal=terminal)
    with shown_on(console) as show:
        show.note("gateway died: [bold] is no markup")

    assert "[bold] is no markup" in file.getvalue()
