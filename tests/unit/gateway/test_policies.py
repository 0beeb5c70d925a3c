"""When an ensemble has enough answers, and what it says when not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Quorum
from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.policies import Gap, Sufficiency, failure_code, needed, sufficiency
from ekiben_inference_gateway.routing import Router
from unit.gateway.building import FakeRoutes, ensemble, model

THREE = ("a", "b", "c")


def plan_of(policy):
    defined = ensemble("all-of-them", THREE, missing_policy=policy)
    return Router(FakeRoutes.of(defined, *map(model, THREE))).plan("all-of-them")


@pytest.mark.parametrize(("policy", "least"), [("all", 3), ("any", 1), (Quorum(quorum=2), 2)])
def test_a_policy_says_how_many_must_answer(policy, least):
    assert needed(policy, 3) == least


@pytest.mark.parametrize(
    ("policy", "answered", "failing", "recovering", "amounts_to"),
    [
        ("all", 3, 0, 0, Sufficiency.ENOUGH),
        ("all", 2, 0, 1, Sufficiency.WAITING),
        ("all", 2, 1, 0, Sufficiency.FAILING),
        ("all", 1, 1, 1, Sufficiency.WAITING),
        ("all", 1, 1, 0, Sufficiency.SHORT),
        ("all", 2, 0, 0, Sufficiency.SHORT),
        ("any", 1, 1, 1, Sufficiency.ENOUGH),
        ("any", 0, 1, 1, Sufficiency.FAILING),
        ("any", 0, 0, 1, Sufficiency.WAITING),
        ("any", 0, 0, 0, Sufficiency.SHORT),
        (Quorum(quorum=2), 2, 0, 1, Sufficiency.ENOUGH),
        (Quorum(quorum=2), 1, 1, 1, Sufficiency.FAILING),
        (Quorum(quorum=2), 1, 0, 1, Sufficiency.WAITING),
        (Quorum(quorum=2), 1, 0, 0, Sufficiency.SHORT),
    ],
)
def test_a_request_waits_or_is_tried_again_only_while_that_can_help(
    policy, answered, failing, recovering, amounts_to
):
    assert sufficiency(plan_of(policy), answered, failing, recovering) is amounts_to


@given(
    st.sampled_from(["all", "any", Quorum(quorum=2)]),
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_one_more_answer_is_never_worse(policy, answered, failing, recovering):
    plan = plan_of(policy)
    order = [Sufficiency.SHORT, Sufficiency.WAITING, Sufficiency.FAILING, Sufficiency.ENOUGH]
    before, after = (sufficiency(plan, n, failing, recovering) for n in (answered, answered + 1))
    assert order.index(after) >= order.index(before)


def gaps(*codes):
    return [Gap(name, code, "") for name, code in zip(THREE, codes, strict=False)]


def test_a_single_model_fails_with_its_own_code():
    plan = Router(FakeRoutes.of(model("delay"))).plan("delay")
    assert failure_code(plan, gaps(FailureCode.MODEL_UNAVAILABLE)) is FailureCode.MODEL_UNAVAILABLE


def test_what_the_request_did_to_every_member_is_the_request_s_own_failure():
    every = gaps(*[FailureCode.MISSING_FEATURES] * 3)
    assert failure_code(plan_of("any"), every) is FailureCode.MISSING_FEATURES


@pytest.mark.parametrize(
    "some",
    [
        [FailureCode.MISSING_FEATURES],
        [FailureCode.MISSING_FEATURES, FailureCode.INVALID_REQUEST, FailureCode.MISSING_FEATURES],
        [FailureCode.MODEL_UNAVAILABLE] * 3,
    ],
)
def test_other_shortages_of_an_ensemble_are_insufficient_models(some):
    assert failure_code(plan_of("all"), gaps(*some)) is FailureCode.INSUFFICIENT_MODELS
