from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from ekiben.demo.ranking import auc

SCORES = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])  # ties matter


@given(
    st.lists(st.tuples(SCORES, st.booleans()), min_size=2).filter(
        lambda pairs: len({p for _, p in pairs}) == 2
    )
)
def test_it_is_the_area_that_scikit_learn_finds(pairs: list[tuple[float, bool]]) -> None:
    scores, happened = zip(*pairs, strict=True)

    assert auc(scores, happened) == pytest.approx(roc_auc_score(happened, scores))


def test_a_perfect_ranking_is_one_and_a_reversed_one_zero() -> None:
    assert auc([0.1, 0.2, 0.8, 0.9], [False, False, True, True]) == 1.0
    assert auc([0.9, 0.8, 0.2, 0.1], [False, False, True, True]) == 0.0


@pytest.mark.parametrize("happened", [[], [True, True], [False]])
def test_outcomes_that_are_all_alike_cannot_be_ranked(happened: list[bool]) -> None:
    assert auc([0.5] * len(happened), happened) is None
