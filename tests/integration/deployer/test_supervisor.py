from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from ekiben_deployer.supervisor.files import write_document
from ekiben_deployer.supervisor.identity import Identity
from ekiben_deployer.supervisor.processes import marked
from integration.deployer.children import (
    DEADLINE_S,
    Supervised,
    answering,
    free_port,
    kill_hard,
    runs,
    server,
    server_with_a_worker,
    supervised,
    until,
)


@pytest.fixture
def here(tmp_path) -> Iterator[Supervised]:
    with supervised(tmp_path / "home") as found:
        yield found


def test_a_desired_child_is_started_on_its_port_and_an_undesired_one_is_stopped(here):
    port = free_port()
    here.want("one", server(port), port)
    here.start()
    pid = until(lambda: answering(port))

    here.home.desired.remove("one")

    until(lambda: here.child("one") is None)
    assert not runs(pid)


def test_a_killed_child_comes_back_on_the_same_port_and_the_log_says_why(here):
    port = free_port()
    here.want("one", server(port), port)
    here.start()
    first = until(lambda: answering(port))

    kill_hard(first)

    second = until(lambda: answering(port))
    assert second != first
    assert here.child("one").deaths == 1
    assert "was killed by SIGKILL" in here.log()


def test_a_worker_that_outlives_its_killed_parent_does_not_keep_the_port(here):
    port = free_port()
    here.want("one", server_with_a_worker(port), port)
    here.start()
    worker = until(lambda: answering(port))

    kill_hard(here.child("one").process.pid)

    assert until(lambda: (found := answering(port)) != worker and found)
    assert not runs(worker)


def test_a_child_that_cannot_start_is_tried_again_with_longer_and_longer_waits(here):
    here.want("one", ("/nowhere/to/be/found",), free_port())
    here.start()

    until(lambda: (child := here.child("one")) and child.deaths >= 2)

    assert "could not start" in here.child("one").last_exit
    assert '"again_in_s": 0.5' in here.log()
    assert '"again_in_s": 1.0' in here.log()


def test_the_last_words_of_a_child_that_fails_are_in_the_log_of_the_supervisor(here):
    here.want("one", ("python", "-c", "raise ValueError('the model file is missing')"), free_port())
    here.start()

    until(lambda: (child := here.child("one")) and child.deaths)

    assert here.child("one").last_exit == "ended with exit code 1: ValueError: the model file is missing"
    assert '"said": [' in here.log()


def test_a_port_that_somebody_else_has_is_left_to_them_and_said_so(here):
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        port = foreign.getsockname()[1]
        here.want("one", server(port), port)
        here.start()

        child = until(lambda: here.child("one"))

    assert child.port_taken
    assert f"port {port} is taken" in child.last_exit


def test_a_supervisor_that_was_killed_is_followed_by_one_that_adopts_its_children(here):
    port = free_port()
    here.want("one", server(port), port)
    first = here.start()
    pid = until(lambda: answering(port))

    kill_hard(first.pid)
    here.start()
    other = free_port()
    here.want("two", server(other), other)
    until(lambda: answering(other))

    assert answering(port) == pid
    assert here.child("one").deaths == 0


def test_an_adopted_child_that_dies_comes_back_too(here):
    port = free_port()
    here.want("one", server(port), port)
    first = here.start()
    pid = until(lambda: answering(port))
    kill_hard(first.pid)
    here.start()

    kill_hard(pid)

    assert until(lambda: answering(port)) != pid


def test_a_child_whose_start_its_supervisor_did_not_live_to_note_is_ended(here):
    port = free_port()
    here.want("one", server(port), port)
    first = here.start()
    unknown = until(lambda: answering(port))
    kill_hard(first.pid)
    here.home.children.remove("one")
    here.home.desired.remove("one")

    here.start()

    until(lambda: not runs(unknown))


def test_of_two_supervisors_of_one_home_the_second_leaves(here):
    here.start()

    second = subprocess.run(here.command(), capture_output=True, timeout=DEADLINE_S, text=True, check=False)

    assert second.returncode == 0
    assert "runs already" in second.stderr


def test_sigterm_stops_every_child_with_all_it_started(here):
    port = free_port()
    here.want("one", server_with_a_worker(port), port)
    supervisor = here.start()
    until(lambda: answering(port))

    supervisor.send_signal(signal.SIGTERM)

    assert supervisor.wait(DEADLINE_S) == 0
    assert marked(f"{here.home.serving}/") == []
    assert list(here.home.desired.read()) == ["one"]


def test_what_was_stopped_starts_again_on_the_same_port_with_the_next_supervisor(here):
    port = free_port()
    here.want("one", server(port), port)
    here.start()
    until(lambda: answering(port))
    here.stop()
    assert answering(port) is None

    here.start()

    assert until(lambda: answering(port))


def test_stopping_ends_the_children_of_a_supervisor_that_was_killed(here):
    port = free_port()
    here.want("one", server(port), port)
    supervisor = here.start()
    pid = until(lambda: answering(port))
    kill_hard(supervisor.pid)

    here.stop()

    assert not runs(pid)


def test_stopping_where_nothing_runs_is_fine_and_spares_whoever_has_the_pid_now(here):
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        stale = Identity(pid=bystander.pid, started=Identity.of(bystander.pid).started - 3600)
        write_document(here.home.supervisor, stale)

        here.stop()

        assert bystander.poll() is None
        assert not here.home.supervisor.exists()
    finally:
        bystander.kill()
        bystander.wait()
