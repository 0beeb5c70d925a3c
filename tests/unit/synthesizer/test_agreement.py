"""How far models agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_synthesizer.agreement import agreement
from unit.synthesizer.building import odds, value

members = st.lists(st.floats(0, 1), min_size=2, max_size=5).map(
    lambda all_of: [odds(f"m{n}", p) for n, p in enumerate(all_of)]
) | st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=5).map(
    lambda all_of: [value(f"m{n}", v) for n, v in enumerate(all_of)]
)
half_widths = st.none() | st.floats(0, 1e6)


@given(members, half_widths)
def test_agreement_is_between_zero_and_one(outputs, half_width):
    assert 0 <= agreement(outputs, half_width) <= 1


@given(st.data(), members, half_widths)
def test_the_order_of_the_models_does_not_matter(data, outputs, half_width):
    turned = data.draw(st.permutations(outputs))
    assert agreement(outputs, half_width) == agreement(turned, half_width)


@given(st.sampled_from([value("a", 7.0), odds("a", 0.3), value("a", 0.0)]), half_widths)
def test_models_that_say_the_same_agree_wholly(output, half_width):
    assert agreement([output, output, output], half_width) == 1


def test_one_model_agrees_with_nobody():
    assert agreement([odds()], 1.0) is None


def test_classifiers_that_exclude_each_other_do_not_agree_at_all():
    assert agreement([odds("a", 0.0), odds("b", 1.0)], None) == 0


def test_classifiers_agree_by_the_distance_of_their_probabilities():
    assert agreement([odds("a", 0.5), odds("b", 0.8)], None) == pytest.approx(0.7)


def test_regressions_agree_by_their_difference_beside_what_they_are_expected_to_err():
    outputs = [value("a", 10.0), value("b", 15.0)]
    assert agreement(outputs, 20.0) == 0.75
    assert agreement(outputs, None) == pytest.approx(2 / 3)
    assert agreement(outputs, 2.0) == 0
