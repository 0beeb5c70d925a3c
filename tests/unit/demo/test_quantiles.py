from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben.demo.quantiles import quantile


@pytest.mark.parametrize(("q", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_of_a_hundred_numbers_the_quantile_is_the_one_at_that_place(q: float, expected: int) -> None:
    assert quantile([float(n) for n in reversed(range(1, 101))], q) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_it_was_observed_and_enough_of_the_others_are_no_larger(observed: list[float], q: float) -> None:
    found = quantile(observed, q)

    assert found in observed
    assert sum(one <= found for one in observed) >= q * len(observed)


def test_of_nothing_there_is_none() -> None:
    assert quantile([], 0.5) is None
