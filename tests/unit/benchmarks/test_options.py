"""What the harness can be asked for."""

from __future__ import annotations

import pytest

from benchmarks.effort import effort_of
from benchmarks.options import GATEWAY, MLSERVER, NAIVE, PIPELINE, SIDES, read_options


def test_all_sides_run_unless_some_are_named() -> None:
    assert read_options([]).sides == SIDES
    assert read_options(["--sides", "gateway,naive"]).sides == (GATEWAY, NAIVE)


def test_a_side_that_nobody_knows_is_refused_with_those_that_are(capsys) -> None:
    with pytest.raises(SystemExit):
        read_options(["--sides", "gateway,seldon"])

    assert "found seldon" in capsys.readouterr().err


def test_a_model_of_one_s_own_needs_rows_to_ask_it_about(capsys) -> None:
    with pytest.raises(SystemExit):
        read_options(["--model-url", "http://127.0.0.1:3000"])

    assert "--rows" in capsys.readouterr().err


def test_slow_sides_get_fewer_events_and_never_more_than_the_fast() -> None:
    effort = effort_of(read_options([]))

    assert effort.events(NAIVE) < effort.events(MLSERVER) < effort.events(PIPELINE)
    assert effort_of(read_options(["--events", "50"])).events(NAIVE) == 50


def test_quick_is_one_run() -> None:
    assert effort_of(read_options(["--quick"])).runs == 1
