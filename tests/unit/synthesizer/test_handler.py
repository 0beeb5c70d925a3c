"""What the synthesizer makes of scored requests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ekiben_bus.verdicts import DeadLetter, Emit, Hold
from ekiben_contracts.lean import COMPLETED
from ekiben_contracts.models import Method
from ekiben_contracts.prediction import FailureCode
from ekiben_contracts.topics import PREDICTION_RESULTS
from unit.synthesizer.building import (
    NOW,
    FakeRoutes,
    Synthesizer,
    missing,
    odds,
    of_ensemble,
    only,
    received,
    route,
    scored,
    value,
)

PINNED = {"minutes": "minutes-1"}
DELAY = route("delay", None, classes=["on_time", "late"])


@pytest.fixture
def synthesizer():
    return Synthesizer(FakeRoutes.of(route(), DELAY))


class TestASingleModel:
    async def test_completes_with_its_own_answer(self, synthesizer):
        (verdict,) = await synthesizer.answer(scored(odds(late=0.75)))
        assert isinstance(verdict, Emit)
        outgoing = only(verdict)
        assert outgoing.topic is PREDICTION_RESULTS
        assert outgoing.id == "flight-7/result/1"
        result = outgoing.event
        assert isinstance(result, COMPLETED)
        assert (result.request_id, result.model, result.entity_id) == ("flight-7", "delay", "UA1")
        assert (result.prediction, result.label, result.confidence) == (0.75, "late", 0.75)
        assert result.probabilities == {"on_time": 0.25, "late": 0.75}
        assert (result.method, result.agreement, result.interval) == (Method.SINGLE, None, None)

    async def test_of_a_regression_has_the_interval_of_the_calibration_it_pins(self, synthesizer):
        result = await synthesizer.result(scored(value(of=30.0), calibrations=PINNED))
        assert (result.interval.low, result.interval.high, result.interval.coverage) == (15.0, 45.0, 0.9)
        assert result.confidence == pytest.approx(30 / 45)

    async def test_that_is_a_binary_classifier_has_an_interval_within_zero_and_one(self):
        calibrated = route("delay", "delay-1", {"0.9": 0.4}, classes=["on_time", "late"])
        synthesizer = Synthesizer(FakeRoutes.of(calibrated))
        result = await synthesizer.result(scored(odds(late=0.75), calibrations={"delay": "delay-1"}))
        assert (result.interval.low, result.interval.high) == (pytest.approx(0.35), 1.0)

    async def test_of_many_classes_has_no_interval(self):
        three = route("sky", "sky-1", {"0.9": 0.4}, classes=["sun", "snow", "rain"])
        output = value("sky", 0.5, label="snow", probabilities={"sun": 0.2, "snow": 0.5, "rain": 0.3})
        result = await Synthesizer(FakeRoutes.of(three)).result(scored(output, calibrations={"sky": "sky-1"}))
        assert (result.prediction, result.label, result.interval) == (0.5, "snow", None)

    async def test_knows_how_long_the_request_waited(self, synthesizer):
        result = await synthesizer.result(scored(value()))
        assert (result.latency_ms, result.completed_at) == (40.0, NOW)

    async def test_never_waited_less_than_nothing(self, synthesizer):
        result = await synthesizer.result(scored(value(), requested_at=NOW + timedelta(seconds=3)))
        assert result.latency_ms == 0

    @pytest.mark.parametrize(("seconds", "late"), [(-1, True), (0, False), (1, False)])
    async def test_says_when_it_is_past_its_deadline(self, synthesizer, seconds, late):
        result = await synthesizer.result(scored(value(), deadline=NOW + timedelta(seconds=seconds)))
        assert result.late is late


class TestAnEnsemble:
    async def test_combines_its_members_and_names_the_gaps(self, synthesizer):
        event = of_ensemble(odds("delay", 0.6), odds("weather", 0.8), missing=[missing("third")])
        result = await synthesizer.result(event)
        assert result.prediction == pytest.approx(0.7)
        assert result.agreement == pytest.approx(0.8)
        assert result.confidence == pytest.approx(0.7 * 0.8 * 2 / 3)
        assert [gap.model for gap in result.missing] == ["third"]
        assert [output.model for output in result.outputs] == ["delay", "weather"]

    async def test_answered_by_one_model_alone_is_little_trusted(self, synthesizer):
        result = await synthesizer.result(of_ensemble(odds(late=0.99), missing=[missing()]))
        assert result.confidence == 0.30

    async def test_has_the_coverage_it_is_defined_with(self, synthesizer):
        event = of_ensemble(value(of=30.0), coverage=0.8, calibrations=PINNED)
        assert (await synthesizer.result(event)).interval.coverage == 0.8

    async def test_of_two_calibrated_models_guarantees_its_coverage(self):
        synthesizer = Synthesizer(FakeRoutes.of(route(), route("other", "other-1")))
        event = of_ensemble(
            value("minutes", 20.0), value("other", 40.0), calibrations={**PINNED, "other": "other-1"}
        )
        found = (await synthesizer.result(event)).interval
        assert (found.low, found.high, found.coverage) == (10.0, 50.0, 0.9)

    async def test_explains_itself_by_the_weighted_mean_of_its_members(self, synthesizer):
        event = of_ensemble(
            value("a"),
            value("b"),
            method=Method.WEIGHTED,
            weights={"a": 1, "b": 3},
            explanations={"a": {"distance": 4.0}, "b": {"distance": 8.0, "carrier": 2.0}},
        )
        assert (await synthesizer.result(event)).explanation == {"distance": 7.0, "carrier": 1.5}

    async def test_explains_itself_by_those_members_that_do(self, synthesizer):
        event = of_ensemble(value("a"), value("b"), explanations={"b": {"distance": 8.0}})
        assert (await synthesizer.result(event)).explanation == {"distance": 8.0}

    async def test_says_why_a_member_is_missing_from_the_explanation(self, synthesizer):
        event = of_ensemble(
            value("a"), value("b"), explanations={"b": {"distance": 8.0}}, unexplained={"a": "too slow"}
        )
        assert (await synthesizer.result(event)).unexplained == {"a": "too slow"}

    async def test_that_nobody_explains_says_why_and_is_answered(self, synthesizer):
        result = await synthesizer.result(of_ensemble(value("a"), unexplained={"a": "too slow"}))
        assert (result.explanation, result.unexplained) == (None, {"a": "too slow"})

    async def test_of_two_classes_explains_the_positive_one_whoever_wins(self, synthesizer):
        event = of_ensemble(
            odds("delay", late=0.9),
            odds("weather", late=0.2),
            explanations={"delay": {"x": 0.4}, "weather": {"x": -0.2}},
        )
        assert (await synthesizer.result(event)).explanation == {"x": pytest.approx(0.1)}

    async def test_of_more_classes_leaves_out_members_that_explain_another_class(self, synthesizer):
        event = of_ensemble(
            three("delay", a=0.6, b=0.3, c=0.1),
            three("weather", a=0.7, b=0.2, c=0.1),
            three("third", a=0.1, b=0.8, c=0.1),
            explanations={"delay": {"x": 0.2}, "weather": {"x": 0.4}, "third": {"x": 9.0}},
        )
        result = await synthesizer.result(event)
        assert result.label == "a"
        assert result.explanation == {"x": pytest.approx(0.3)}
        assert result.unexplained == {"third": "it explains b, and the answer is a"}


def three(model, **probabilities):
    """What a classifier of three classes answered."""
    label = max(probabilities, key=probabilities.__getitem__)
    return value(model, probabilities[label], label=label, probabilities=probabilities)


class TestPins:
    async def test_a_calibration_just_routed_is_read_before_the_interval_is_given_up(self):
        synthesizer = Synthesizer(FakeRoutes.of(unread=[route()]))
        assert (await synthesizer.result(scored(value(), calibrations=PINNED))).interval is not None

    async def test_routes_are_read_to_their_end_once_a_batch_and_only_where_a_pin_is_unknown(
        self, synthesizer
    ):
        await synthesizer.answer(scored(value(), calibrations=PINNED), scored(odds()))
        assert synthesizer.routes.caught_up == 0
        unknown = scored(value(), calibrations={"minutes": "minutes-0"})
        await synthesizer.answer(unknown, unknown)
        assert synthesizer.routes.caught_up == 1

    async def test_a_calibration_that_is_gone_leaves_the_interval_out(self, synthesizer):
        result = await synthesizer.result(scored(value(), calibrations={"minutes": "minutes-0"}))
        assert (result.interval, result.confidence) == (None, 0.5)

    async def test_what_cannot_be_looked_up_now_is_held_and_the_rest_goes_on(self, synthesizer):
        synthesizer.routes.broken = True
        unknown = scored(value(), calibrations={"minutes": "minutes-2"})
        held, answered = await synthesizer.answer(unknown, scored(odds()))
        assert isinstance(held, Hold)
        assert isinstance(answered, Emit)


class TestIds:
    async def test_of_a_redelivered_event_are_the_same(self, synthesizer):
        first, again = [(await synthesizer.answer(scored(value())))[0] for _ in range(2)]
        assert only(first).id == only(again).id

    @pytest.mark.parametrize(("requests", "events", "attempt"), [(1, 1, 1), (2, 1, 2), (1, 2, 2), (2, 2, 3)])
    async def test_rise_with_a_replay_of_the_request_and_of_the_scored_event(
        self, synthesizer, requests, events, attempt
    ):
        (verdict,) = await synthesizer.answer(scored(value(), attempt=requests), attempt=events)
        assert only(verdict).id == f"flight-7/result/{attempt}"
        assert only(verdict).event.attempt == attempt


class TestOutputsThatDoNotFit:
    EVENT = of_ensemble(value("a"), value("b"), method=Method.STACKING)

    async def test_are_a_dead_letter_and_a_failure_that_names_it(self, synthesizer):
        (verdict,) = await synthesizer.answer(self.EVENT)
        assert isinstance(verdict, DeadLetter)
        assert verdict.reason == "uncombinable"
        answer = only(verdict).event
        assert (answer.code, answer.model, answer.entity_id) == (FailureCode.INTERNAL, "both", "UA1")
        assert answer.dead_letter == received(self.EVENT).dead_letter_id
        assert "found stacking" in answer.message

    async def test_have_the_id_that_their_result_would_have(self, synthesizer):
        (verdict,) = await synthesizer.answer(self.EVENT)
        assert only(verdict).id == "flight-7/result/1"

    async def test_cost_nobody_else_their_answer(self, synthesizer):
        bad, good = await synthesizer.answer(self.EVENT, scored(value()))
        assert isinstance(bad, DeadLetter)
        assert isinstance(good, Emit)


async def test_answers_are_counted_by_model(synthesizer):
    await synthesizer.answer(scored(value()), scored(value(), deadline=NOW - timedelta(seconds=1)))
    count = synthesizer.registry.get_sample_value
    assert count("ekiben_predictions_completed_total", {"model": "minutes"}) == 2
    assert count("ekiben_predictions_late_total", {"model": "minutes"}) == 1
    assert count("ekiben_prediction_latency_seconds_count", {"model": "minutes"}) == 2
