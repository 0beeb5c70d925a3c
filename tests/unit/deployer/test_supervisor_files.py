from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ekiben_deployer.supervisor.files import Desired, Home, read_document, write_document
from ekiben_deployer.supervisor.identity import Identity
from ekiben_deployer.supervisor.logs import begin, bound, last_error, last_lines
from ekiben_deployer.supervisor.processes import describe_exit
from ekiben_deployer.supervisor.single import AlreadyRunningError, sole
from ekiben_deployer.targets.workers import WorkerDeaths

DESIRED = Desired(name="delay@1", command=("serve", "it"), port=20_001, labels={"model": "delay"})


def test_a_desired_child_is_read_as_it_was_written(tmp_path):
    Home(tmp_path).desired.put("delay@1", DESIRED)

    assert Home(tmp_path).desired.read() == {"delay@1": DESIRED}


def test_a_removed_child_is_desired_no_more_and_removing_it_again_is_fine(tmp_path):
    shelf = Home(tmp_path).desired
    shelf.put("delay@1", DESIRED)

    shelf.remove("delay@1")
    shelf.remove("delay@1")

    assert shelf.read() == {}


def test_a_file_that_nobody_can_read_is_set_aside_and_the_others_are_read(tmp_path):
    home = Home(tmp_path)
    home.desired.put("delay@1", DESIRED)
    (home.serving / "desired" / "broken.json").write_text('{"name": "bro')

    assert home.desired.read() == {"delay@1": DESIRED}
    assert [path.name for path in (home.serving / "desired").glob("*.unreadable")] == ["broken.unreadable"]


def test_a_write_leaves_no_draft_behind(tmp_path):
    write_document(tmp_path / "one.json", DESIRED)

    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


def test_a_running_process_is_found_by_its_pid_and_start_time():
    assert Identity.of(os.getpid()).find().pid == os.getpid()


def test_a_pid_that_was_given_out_again_is_not_the_process_that_had_it():
    mine = Identity.of(os.getpid())

    assert Identity(pid=mine.pid, started=mine.started - 3600).find() is None


def test_a_zombie_is_not_running():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    identity = Identity.of(ended.pid)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)

    assert identity.find() is None
    ended.wait()


def test_a_stale_file_finds_nothing(tmp_path):
    write_document(tmp_path / "supervisor.json", Identity(pid=2**22 - 1, started=1.0))

    assert read_document(tmp_path / "supervisor.json", Identity).find() is None


def test_a_home_has_one_supervisor_at_a_time(tmp_path):
    with sole(tmp_path / "lock"), pytest.raises(AlreadyRunningError), sole(tmp_path / "lock"):
        pytest.fail("two of them")
    with sole(tmp_path / "lock"):
        pass


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (-9, "SIGKILL"),
        (-1234, "signal 1234"),
        (None, "only the supervisor"),
    ],
)
def test_how_a_child_ended_is_told_in_words(code, words):
    assert words in describe_exit(code)


def test_the_last_lines_of_a_log_are_those_that_say_something(tmp_path):
    log = tmp_path / "child.log"
    log.write_text("one\ntwo\n\n  three  \n\n")

    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(tmp_path / "none.log") == []


def test_the_last_error_is_found_above_the_farewells(tmp_path):
    log = tmp_path / "child.log"
    log.write_text(
        "ValueError: first\nTraceback\n  skops.io.UntrustedTypesFoundError: second\nExiting: now\n"
    )

    assert last_error(log) == "skops.io.UntrustedTypesFoundError: second"
    assert last_error(tmp_path / "none.log") is None


def test_an_error_of_an_earlier_life_explains_nothing(tmp_path):
    log = tmp_path / "logs" / "child.log"
    begin(log)
    with log.open("a") as writer:
        writer.write("ValueError: of old\n")

    begin(log)

    assert last_error(log) is None
    assert last_lines(log) == []


def test_workers_that_a_living_server_used_up_are_counted():
    deaths, server = WorkerDeaths(), Identity(pid=1, started=1.0)

    assert [deaths.count("delay@1", server, seen) for seen in ([], [5], [5], [], [6], [7])] == [
        0,
        0,
        0,
        0,
        1,
        2,
    ]


def test_a_server_that_was_started_anew_has_used_up_none():
    deaths = WorkerDeaths()
    deaths.count("delay@1", Identity(pid=1, started=1.0), [5, 6])

    assert deaths.count("delay@1", Identity(pid=2, started=2.0), [7]) == 0


def test_a_log_that_grew_too_large_is_moved_under_its_writer(tmp_path):
    log = tmp_path / "child.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        bound(log, largest=99)
        writer.write(b"y")

    assert log.read_bytes() == b"y"
    assert (tmp_path / "child.log.1").read_bytes() == b"x" * 100
