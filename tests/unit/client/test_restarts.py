"""When a service that died is started again."""

from hypothesis import given
from hypothesis import strategies as st

from ekiben.local.restarts import BackOff, Restart, after_death

POLICY = BackOff(first_s=0.5, longest_s=8.0, healthy_s=60.0)


def test_the_first_death_waits_the_shortest_time():
    assert after_death(POLICY, deaths=0, ready_at=10.0, died_at=11.0) == Restart(0.5, 1)


def test_the_wait_doubles_up_to_the_longest():
    waits = [after_death(POLICY, deaths=n, ready_at=None, died_at=0.0).wait_s for n in range(7)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_being_ready_for_long_enough_starts_anew():
    assert after_death(POLICY, deaths=5, ready_at=100.0, died_at=160.0) == Restart(0.5, 1)


def test_being_ready_only_briefly_does_not():
    assert after_death(POLICY, deaths=2, ready_at=100.0, died_at=159.9) == Restart(2.0, 3)


def test_one_that_was_never_ready_was_not_healthy_however_long_it_lived():
    assert after_death(POLICY, deaths=2, ready_at=None, died_at=1e9) == Restart(2.0, 3)


@given(st.integers(0, 10_000), st.none() | st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_wait_stays_between_the_first_and_the_longest(deaths, ready_at, lived):
    died_at = lived if ready_at is None else ready_at + lived
    restart = after_death(POLICY, deaths=deaths, ready_at=ready_at, died_at=died_at)
    assert POLICY.first_s <= restart.wait_s <= POLICY.longest_s
    assert restart.deaths >= 1
