"""How several outputs become one prediction."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Method
from ekiben_synthesizer.combining import CombinationError, combine, shares
from unit.synthesizer.building import odds, value

probability = st.floats(0, 1)
number = st.floats(-1e9, 1e9)
names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True)


@st.composite
def classifiers(draw):
    return [odds(name, draw(probability)) for name in draw(names)]


@st.composite
def regressions(draw):
    return [value(name, draw(number)) for name in draw(names)]


@st.composite
def weighted(draw, members):
    outputs = draw(members)
    return outputs, {output.model: draw(st.floats(0.01, 100)) for output in outputs}


def combined(outputs, method=Method.AVERAGE, weights=None, classes=("on_time", "late")):
    return combine(outputs, shares(outputs, method, weights), classes)


@given(st.data(), weighted(classifiers() | regressions()), st.sampled_from([Method.AVERAGE, Method.WEIGHTED]))
def test_the_order_of_the_members_does_not_matter(data, members, method):
    outputs, weights = members
    turned = data.draw(st.permutations(outputs))
    assert combined(outputs, method, weights) == combined(turned, method, weights)


@given(weighted(classifiers() | regressions()), st.sampled_from([Method.AVERAGE, Method.WEIGHTED]))
def test_the_answer_lies_between_what_the_members_said(members, method):
    outputs, weights = members
    found = combined(outputs, method, weights).prediction
    values = [output.value for output in outputs]
    assert min(values) <= found <= max(values)


@given(classifiers())
def test_probabilities_stay_probabilities(outputs):
    found = combined(outputs).probabilities
    assert all(0 <= p <= 1 for p in found.values())
    assert math.isclose(sum(found.values()), 1, abs_tol=1e-9)


@given(weighted(regressions()))
def test_shares_sum_to_one(members):
    outputs, weights = members
    assert math.isclose(sum(shares(outputs, Method.WEIGHTED, weights)), 1)


def test_an_average_of_regressions_is_the_mean_of_their_values():
    assert combined([value("a", 10.0), value("b", 40.0)]).prediction == 25.0


def test_an_average_of_classifiers_is_the_mean_of_each_class():
    found = combined([odds("a", 0.25), odds("b", 0.75), odds("c", 0.8)])
    assert found.probabilities == {"on_time": pytest.approx(0.4), "late": pytest.approx(0.6)}
    assert (found.prediction, found.label) == (pytest.approx(0.6), "late")


def test_members_that_say_the_same_are_not_changed_by_rounding():
    assert combined([value(name, 0.01) for name in "abc"]).prediction == 0.01


def test_weights_count_as_given():
    outputs = [value("a", 10.0), value("b", 40.0)]
    assert combined(outputs, Method.WEIGHTED, {"a": 1, "b": 3}).prediction == pytest.approx(32.5)


def test_the_weights_of_missing_members_are_shared_by_those_who_answered():
    assert shares([value("a")], Method.WEIGHTED, {"a": 1, "b": 3}) == (1.0,)


def test_of_two_classes_the_prediction_is_the_probability_of_the_last_whoever_wins():
    found = combined([odds("a", 0.3)], Method.SINGLE)
    assert (found.prediction, found.label) == (0.3, "on_time")


def test_the_route_says_which_class_is_the_last():
    found = combined([odds("a", 0.3)], Method.SINGLE, classes=("late", "on_time"))
    assert (found.prediction, found.label) == (0.7, "on_time")


@pytest.mark.parametrize("classes", [None, ("yes", "no")])
def test_where_the_route_does_not_say_the_order_of_the_model_counts(classes):
    assert combined([odds("a", 0.3)], Method.SINGLE, classes=classes).prediction == 0.3


def test_a_tie_of_two_classes_goes_to_the_positive_one():
    assert combined([odds("a", 0.5)], Method.SINGLE).label == "late"


def test_of_three_classes_the_prediction_is_that_of_the_winner():
    three = value("a", 0.5, label="snow", probabilities={"sun": 0.2, "snow": 0.5, "rain": 0.3})
    found = combined([three], Method.SINGLE, classes=("sun", "snow", "rain"))
    assert (found.prediction, found.label) == (0.5, "snow")


def test_labels_without_probabilities_stand_only_where_all_agree():
    agreed = [value("a", 1.0, label="x"), value("b", 1.0, label="x")]
    assert combined(agreed).label == "x"
    assert combined([*agreed, value("c", 0.0, label="y")]).label is None


@pytest.mark.parametrize(
    ("outputs", "method", "weights", "message"),
    [
        ([], Method.AVERAGE, None, "at least one output"),
        ([value("a"), value("b")], Method.SINGLE, None, "expected one output for the method single, found 2"),
        ([value("a")], Method.STACKING, None, "found stacking"),
        (
            [value("a"), value("b")],
            Method.WEIGHTED,
            {"a": 1},
            "expected a weight for every member, found none for b",
        ),
        ([value("a")], Method.WEIGHTED, None, "found none for a"),
        ([value("a"), value("b")], Method.WEIGHTED, {"a": 0, "b": 0}, "a sum above 0"),
        ([value("a"), value("b")], Method.WEIGHTED, {"a": -1, "b": 3}, "weights of 0 or more"),
        ([odds("a"), value("b")], Method.AVERAGE, None, "found no probabilities from b"),
    ],
)
def test_what_cannot_be_combined_says_why(outputs, method, weights, message):
    with pytest.raises(CombinationError, match=message):
        combined(outputs, method, weights)


def test_models_of_other_classes_are_not_combined():
    other = value("b", 0.5, probabilities={"yes": 0.5, "no": 0.5})
    with pytest.raises(CombinationError, match="same classes"):
        combined([odds("a"), other])
