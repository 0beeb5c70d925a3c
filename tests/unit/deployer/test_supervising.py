from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_deployer.supervisor.deciding import Action, Policy, decide
from ekiben_deployer.supervisor.files import Child, Desired
from ekiben_deployer.supervisor.identity import Identity

POLICY = Policy(first_wait_s=0.5, longest_wait_s=30, steady_after_s=60, stop_grace_s=10)
DESIRED = Desired(name="delay@1", command=("serve",), port=20_001)
NOW = 1_000_000.0


def child(*, up_for=None, **rest):
    process = None if up_for is None else Identity(pid=7, started=NOW - up_for)
    return Child(name="delay@1", desired=DESIRED, process=process, **rest)


def decided(desired, found, *, alive=False):
    return decide(desired, found, alive=alive, now=NOW, policy=POLICY)


def test_a_desired_child_that_never_ran_is_launched():
    assert decided(DESIRED, None) is Action.LAUNCH


def test_a_child_that_runs_as_desired_is_left_alone():
    assert decided(DESIRED, child(up_for=5), alive=True) is Action.NOTHING


def test_a_child_that_died_is_mourned_then_waited_for_then_launched():
    assert decided(DESIRED, child(up_for=5)) is Action.MOURN
    assert decided(DESIRED, child(deaths=1, retry_at=NOW + 0.1)) is Action.NOTHING
    assert decided(DESIRED, child(deaths=1, retry_at=NOW)) is Action.LAUNCH


def test_a_child_that_is_desired_otherwise_is_stopped_and_launched_anew_without_a_wait():
    moved = DESIRED.model_copy(update={"port": 20_002})

    assert decided(moved, child(up_for=5), alive=True) is Action.TERMINATE
    assert decided(moved, child(deaths=3, retry_at=NOW + 30, port_taken=True)) is Action.LAUNCH


def test_a_child_that_nobody_desires_is_stopped_and_then_forgotten():
    assert decided(None, child(up_for=5), alive=True) is Action.TERMINATE
    assert decided(None, child(up_for=5, stopping_since=NOW - 1), alive=True) is Action.NOTHING
    assert decided(None, child(up_for=5, stopping_since=NOW - 1)) is Action.REST
    assert decided(None, child()) is Action.FORGET


def test_a_child_that_does_not_stop_within_the_grace_is_killed():
    assert decided(None, child(up_for=50, stopping_since=NOW - 10), alive=True) is Action.KILL


def test_a_child_that_was_told_to_stop_stops_even_if_it_is_desired_again_meanwhile():
    assert decided(DESIRED, child(up_for=50, stopping_since=NOW - 10), alive=True) is Action.KILL
    assert decided(DESIRED, child(up_for=50, stopping_since=NOW - 1)) is Action.REST


def test_deaths_count_no_more_once_a_child_ran_steadily():
    assert decided(DESIRED, child(up_for=59, deaths=3), alive=True) is Action.NOTHING
    assert decided(DESIRED, child(up_for=60, deaths=3), alive=True) is Action.ABSOLVE


@pytest.mark.parametrize(("deaths", "wait_s"), [(1, 0.5), (2, 1), (3, 2), (7, 30), (10_000, 30)])
def test_the_wait_doubles_with_each_death_up_to_the_longest(deaths, wait_s):
    assert POLICY.wait(deaths) == wait_s


@given(
    wanted=st.booleans(),
    found=st.none()
    | st.builds(
        child,
        up_for=st.none() | st.floats(0, 100),
        deaths=st.integers(0, 5),
        retry_at=st.floats(NOW - 10, NOW + 10),
        stopping_since=st.none() | st.floats(NOW - 20, NOW),
    ),
    alive=st.booleans(),
)
def test_nothing_is_launched_beside_a_living_child_and_nothing_undesired_is_launched(wanted, found, alive):
    action = decided(DESIRED if wanted else None, found, alive=alive and found is not None)

    if action is Action.LAUNCH:
        assert wanted
        assert found is None or found.process is None
