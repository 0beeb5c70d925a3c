"""The command line of dead letters: what it asks for before it looks at any broker, and how it tells."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
import typer
from rich.console import Console
from rich.progress import Progress as Bars
from typer.testing import CliRunner

from ekiben.cli.app import app
from ekiben.cli.dlq.selecting import Conditions, parse_time, select
from ekiben.cli.dlq.tallying import MOST_TOLD, Tally
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.interrupting import Interruption, StoppedError
from ekiben.cli.output import Output
from ekiben.cli.watching import shown
from ekiben.dead_letters import Chunk, LeftOut, Progress, Selection, Why
from ekiben.dead_letters.acting import Move
from ekiben_bus.publishing import WireRecord

NOW = datetime(2013, 9, 3, 12, tzinfo=UTC)
NOTHING = WireRecord("t", 0, None, None, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["replay"], "--all"),
        (["replay", "--all", "--reason", "bug"], "two"),
        (["replay", "x/1", "--reason", "bug"], "two"),
        (["replay", "--reason", "bug", "--again"], "ids"),
        (["replay", "--since", "yesterday"], "6h"),
        (["discard", "--all"], "--why"),
        (["discard", "--all", "--why", " "], "reason"),
        (["discard", "--why", "old"], "--all"),
    ],
)
def test_a_command_line_that_may_mean_too_much_is_not_understood(arguments, told, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    ended = CliRunner().invoke(app, ["dlq", *arguments])
    assert ended.exit_code == ExitCode.USAGE
    assert told in ended.output


@pytest.mark.parametrize("patch", ["{}", "@/no/such/file"])
def test_a_patch_that_is_none_is_refused_before_any_broker_is_asked(patch, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    ended = CliRunner().invoke(app, ["dlq", "replay", "--all", "--patch", patch])
    assert ended.exit_code == ExitCode.BAD_INPUT


def test_ids_and_conditions_become_a_selection():
    conditions = Conditions(reason="bug", key="Zürich", since="2h", until="2013-09-03")
    selection = select(None, conditions, everything=False)
    assert (selection.reason, selection.key) == ("bug", "Zürich".encode())
    assert selection.until == datetime(2013, 9, 3, tzinfo=UTC)
    assert select(["a", "b"], Conditions(), everything=False) == Selection(ids=frozenset(["a", "b"]))
    assert select(None, Conditions(), everything=True).is_everything


def test_a_key_of_any_bytes_can_be_meant():
    assert Conditions(key=os.fsdecode(b"\xff\x01")).selection().key == b"\xff\x01"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2d", NOW - timedelta(days=2)),
        ("2013-09-03T08:00:00+02:00", datetime(2013, 9, 3, 6, tzinfo=UTC)),
        ("2013-09-03T08:00", datetime(2013, 9, 3, 8, tzinfo=UTC)),
    ],
)
def test_times_are_told_by_the_clock_or_by_how_long_ago(text, meant):
    assert parse_time(text, NOW, "--since") == meant


def test_a_time_that_cannot_be_read_is_refused():
    with pytest.raises(typer.BadParameter, match="found 'soon'"):
        parse_time("soon", NOW, "--since")


def moves(count):
    return [Move(f"x/{number}", NOTHING, NOTHING) for number in range(count)]


def test_a_tally_counts_all_and_names_the_first_hundred():
    tally = Tally("replay", dry_run=True)
    for _ in range(3):
        tally.add(Chunk(moves(80), [LeftOut("y", Why.RETURNING, "again")] * 80))
    document = tally.as_document()
    assert (document["would_replay"], len(document["ids"])) == (240, MOST_TOLD)
    assert document["left_out"] == {"returning": 240, "refused": 0}
    assert len(document["left_out_letters"]) == MOST_TOLD


@pytest.mark.parametrize(
    ("chunk", "missed", "interrupted", "code"),
    [
        (Chunk(), (), False, ExitCode.OK),
        (Chunk(moves(1), [LeftOut("y", Why.RETURNING, "")]), (), False, ExitCode.OK),
        (Chunk(moves(1), [LeftOut("y", Why.REFUSED, "")]), (), False, ExitCode.BAD_INPUT),
        (Chunk(moves(1)), ("z",), False, ExitCode.NOT_FOUND),
        (Chunk(moves(1), [LeftOut("y", Why.REFUSED, "")]), (), True, ExitCode.INTERRUPTED),
    ],
)
def test_the_exit_code_says_what_was_left_undone(chunk, missed, interrupted, code):
    tally = Tally("replay", dry_run=False)
    tally.add(chunk)
    tally.miss(set(missed), set())
    tally.interrupted = interrupted
    assert tally.code == code


def test_nothing_to_do_is_said(capsys):
    Tally("discard", dry_run=False).tell(Output())
    assert "nothing to discard" in capsys.readouterr().out


def test_machines_get_one_document(capsys):
    tally = Tally("replay", dry_run=False)
    tally.add(Chunk(moves(2)))
    tally.tell(Output(as_json=True))
    assert json.loads(capsys.readouterr().out)["replayed"] == 2


async def works_on(interruption):
    async with asyncio.timeout(20):
        while True:
            interruption.check()
            await asyncio.sleep(0)


async def test_the_first_ctrl_c_is_heard_between_two_steps():
    seen = []
    with Interruption() as interruption:
        watch = interruption.checked(seen.append)
        watch(Progress("t", 1, 2))
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StoppedError):
            await works_on(interruption)
        with pytest.raises(StoppedError):
            watch(Progress("t", 2, 2))
    assert [progress.read for progress in seen] == [1]


def test_a_long_reading_is_shown_on_a_terminal():
    screen = io.StringIO()
    with Bars(console=Console(file=screen, force_terminal=True, width=100), transient=True) as bars:
        shown(bars)(Progress("the.topic.dlq", 1000, 2000))
        bars.refresh()
    assert "reading the.topic.dlq" in screen.getvalue()
    assert "50%" in screen.getvalue()


def test_where_no_terminal_is_nothing_is_shown(capsys):
    with Output().progress() as bars:
        shown(bars)(Progress("the.topic.dlq", 1000, 2000))
        bars.refresh()
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")
