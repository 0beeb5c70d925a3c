from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.backing_off import backoff, is_power_of_two


def test_it_doubles_up_to_the_longest():
    assert [backoff(n, 0.2, 5.0) for n in (1, 2, 3, 4, 5, 6, 7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


@given(st.integers(1, 10**9))
def test_an_outage_may_last_for_years(failures: int):
    assert 0.2 <= backoff(failures, 0.2, 5.0) <= 5.0


def test_it_is_told_less_and_less_often():
    assert [n for n in range(1, 40) if is_power_of_two(n)] == [1, 2, 4, 8, 16, 32]
