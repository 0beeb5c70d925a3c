"""What the gateway decides about requests: scored, answered, dead-lettered or held."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from ekiben_bus.verdicts import DeadLetter, Emit, Hold, Park, Retry
from ekiben_contracts.models import Method, Quorum, Role
from ekiben_contracts.prediction import FailureCode, ModelsScored, PredictionFailed, PredictionRequested
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_RESULTS
from ekiben_inference_gateway.pacing import Bounds, Paces
from ekiben_serving.errors import BadResponseError, ModelTimeoutError
from ekiben_serving.splitting import UnresolvedRowError
from ekiben_serving.validation import RowError
from unit.gateway.building import (
    FEATURES,
    LEAST_PATIENCE_S,
    NOW,
    FakeRoutes,
    Gateway,
    calibration,
    ensemble,
    model,
    only,
    received,
    version,
)


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay"), model("weather"), ensemble("both", ["delay", "weather"])))


def failed(verdict) -> PredictionFailed:
    """The failure that a verdict answers with."""
    outgoing = only(verdict)
    assert outgoing.topic is PREDICTION_RESULTS
    assert isinstance(outgoing.event, PredictionFailed)
    assert outgoing.id == f"{outgoing.event.request_id}/result/{outgoing.event.attempt}"
    return outgoing.event


def scored(verdict) -> ModelsScored:
    """The scored event that a verdict sends on."""
    assert isinstance(verdict, Emit), verdict
    outgoing = only(verdict)
    assert outgoing.topic is MODEL_OUTPUTS
    assert outgoing.id == f"{outgoing.event.request_id}/scored/{outgoing.event.attempt}"
    return outgoing.event


class SlowClient:
    """A model whose answer takes some turns of the event loop."""

    def __init__(self, client):
        self._client = client
        self.answered = False

    async def predict_batch(self, rows, **rest):
        for _ in range(10):
            await asyncio.sleep(0)
        answers = await self._client.predict_batch(rows, **rest)
        self.answered = True
        return answers


class TestASingleModel:
    async def test_a_request_goes_on_with_what_its_model_answered(self, gateway):
        (verdict,) = await gateway.answer(received(7))
        event = scored(verdict)
        assert (event.request_id, event.model, event.entity_id) == ("flight-7", "delay", "UA1")
        assert (event.method, event.revision, event.missing) == (Method.SINGLE, None, [])
        (output,) = event.outputs
        assert (output.model, output.version, output.role) == ("delay", "1", Role.CHAMPION)
        assert (output.value, output.label, output.latency_ms) == (0.35, "on_time", 3.5)
        assert output.probabilities == {"on_time": 0.65, "late": 0.35}

    async def test_what_the_request_said_is_passed_on(self, gateway):
        deadline = NOW + timedelta(seconds=30)
        asked = {"context": True, "time_horizon": "long_term", "deadline": deadline, "requested_at": NOW}
        event = scored((await gateway.answer(received(**asked)))[0])
        assert {name: getattr(event, name) for name in asked} == asked
        assert event.features == FEATURES

    async def test_a_request_without_a_time_was_made_when_its_record_was_stamped(self, gateway):
        assert scored((await gateway.answer(received()))[0]).requested_at == NOW

    async def test_the_calibration_of_the_version_that_answered_is_pinned(self):
        route = model("delay", version("1", calibration=calibration("delay-1")))
        gateway = Gateway(FakeRoutes.of(route))
        assert scored((await gateway.answer(received()))[0]).calibrations == {"delay": "delay-1"}

    async def test_a_challenger_s_output_says_so(self):
        route = model("delay", version("1", 0, Role.RETIRED), version("2", 10_000, Role.CHALLENGER))
        event = scored((await Gateway(FakeRoutes.of(route)).answer(received()))[0])
        assert (event.outputs[0].version, event.outputs[0].role) == ("2", Role.CHALLENGER)


class TestABatch:
    async def test_is_one_call_a_model_whatever_the_order_of_its_requests(self, gateway):
        names = ["delay", "weather", "delay", "weather", "delay"]
        verdicts = await gateway.answer(*[received(n, model=name) for n, name in enumerate(names)])
        assert [scored(verdict).outputs[0].model for verdict in verdicts] == names
        assert [len(rows) for rows in gateway.models.client("delay").calls] == [3]
        assert [len(rows) for rows in gateway.models.client("weather").calls] == [2]

    async def test_is_cut_into_bodies_of_the_most_rows(self, gateway):
        gateway.paces = Paces(Bounds(rows=4))
        verdicts = await gateway.answer(*[received(n) for n in range(10)])
        assert [scored(verdict).request_id for verdict in verdicts] == [f"flight-{n}" for n in range(10)]
        assert [len(rows) for rows in gateway.models.client().calls] == [4, 4, 2]

    async def test_each_request_gets_its_own_answer(self, gateway):
        distances = [400, 4000, 1200, 0]
        batch = [received(n, features={**FEATURES, "distance": d}) for n, d in enumerate(distances)]
        values = [scored(verdict).outputs[0].value for verdict in await gateway.answer(*batch)]
        assert values == [0.1, 1.0, 0.3, 0.0]

    async def test_of_a_canary_is_split_by_request(self):
        route = model("delay", version("1", 5000), version("2", 5000, Role.CHALLENGER))
        gateway = Gateway(FakeRoutes.of(route))
        verdicts = await gateway.answer(*[received(n) for n in range(100)])
        of_2 = sum(scored(verdict).outputs[0].version == "2" for verdict in verdicts)
        assert 25 < of_2 < 75
        assert len(gateway.models.client("delay", "2").calls[0]) == of_2

    async def test_drawn_by_entity_keeps_an_entity_on_one_version(self):
        route = model("delay", version("1", 5000), version("2", 5000, Role.CHALLENGER))
        gateway = Gateway(FakeRoutes.of(route), draw_by="entity_id")
        verdicts = await gateway.answer(*[received(n, entity_id="UA9") for n in range(20)])
        assert len({scored(verdict).outputs[0].version for verdict in verdicts}) == 1

    async def test_that_is_empty_asks_nobody_and_has_no_verdict(self, gateway):
        assert await gateway.answer() == []
        assert gateway.models.clients == {}

    async def test_without_any_request_to_score_asks_nobody(self, gateway):
        await gateway.answer(received(features=None))
        assert gateway.models.clients == {}

    async def test_a_bug_in_a_client_is_raised_for_the_bus_to_find(self, gateway):
        gateway.models.client("weather").failure = ZeroDivisionError("a bug")
        with pytest.raises(ZeroDivisionError):
            await gateway.answer(received(0), received(1, model="weather"))

    async def test_leaves_no_call_running_when_another_raises_a_bug(self, gateway):
        gateway.models.client("weather").failure = ZeroDivisionError("a bug")
        slow = gateway.models.clients["delay", "1"] = SlowClient(gateway.models.client("delay"))
        with pytest.raises(ZeroDivisionError):
            await gateway.answer(received(0), received(1, model="weather"))
        assert slow.answered


class TestIdentity:
    async def test_a_request_without_an_id_has_its_envelope_s(self, gateway):
        (verdict,) = await gateway.answer(received(request_id=None, ce_id="ce-1"))
        assert scored(verdict).request_id == "ce-1"

    async def test_failing_that_the_place_of_its_record(self, gateway):
        (verdict,) = await gateway.answer(received(9, request_id=None))
        assert scored(verdict).request_id == "ekiben.prediction-requests-1-9"

    async def test_a_request_id_used_twice_gives_the_same_ids_so_that_the_first_stands(self, gateway):
        batch = [received(0, request_id="twice"), received(1, request_id="twice")]
        first, second = await gateway.answer(*batch)
        assert only(first).id == only(second).id == "twice/scored/1"

    async def test_a_redelivered_request_gives_the_same_ids(self, gateway):
        (one,) = await gateway.answer(received(3, request_id=None))
        gateway.wait(5)
        (again,) = await gateway.answer(received(3, request_id=None))
        assert only(one).id == only(again).id

    async def test_a_replay_gives_the_ids_of_the_next_attempt(self, gateway):
        (verdict,) = await gateway.answer(received(attempt=2))
        assert scored(verdict).attempt == 2
        assert only(verdict).id == "flight-0/scored/2"

    async def test_the_attempt_that_a_sender_claims_is_not_trusted(self, gateway):
        event = PredictionRequested(model="delay", entity_id="UA1", features=FEATURES, attempt=9)
        claimed = received(event=event)
        assert scored((await gateway.answer(claimed))[0]).attempt == 1


class TestDeadlines:
    async def test_a_request_past_its_deadline_is_answered_and_not_computed(self, gateway):
        (verdict,) = await gateway.answer(received(deadline=NOW - timedelta(seconds=2)))
        assert isinstance(verdict, Emit)
        answer = failed(verdict)
        assert (answer.code, answer.dead_letter, answer.retryable) == (
            FailureCode.DEADLINE_EXCEEDED,
            None,
            False,
        )
        assert "2.000 s later" in answer.message
        assert gateway.models.clients == {}

    async def test_a_deadline_within_the_clock_skew_is_still_computed(self, gateway):
        (verdict,) = await gateway.answer(received(deadline=NOW - timedelta(seconds=0.5)))
        scored(verdict)
        assert gateway.models.client().budgets_s == [pytest.approx(0.5)]

    async def test_one_request_s_deadline_does_not_cut_its_neighbour_s_budget(self, gateway):
        await gateway.answer(received(0, deadline=NOW - timedelta(seconds=0.9)), received(1))
        assert gateway.models.client().budgets_s == [1.0]

    async def test_a_read_of_features_counts_against_a_deadline(self, gateway):
        async def fill_slowly(admitted):
            gateway.wait(3.5)
            return list(admitted)

        gateway.fill = fill_slowly
        past, within = await gateway.answer(
            received(0, deadline=NOW + timedelta(seconds=2)), received(1, deadline=NOW + timedelta(seconds=3))
        )
        assert failed(past).code is FailureCode.DEADLINE_EXCEEDED
        assert scored(within).request_id == "flight-1"
        client = gateway.models.client()
        assert ([len(rows) for rows in client.calls], client.budgets_s) == ([1], [0.5])


class TestUnknownModels:
    async def test_are_dead_letters_that_the_answer_names(self, gateway):
        (verdict,) = await gateway.answer(received(5, model="nobody"))
        assert isinstance(verdict, DeadLetter)
        assert verdict.reason == "unknown-model"
        answer = failed(verdict)
        assert (answer.code, answer.model, answer.retryable) == (FailureCode.UNKNOWN_MODEL, "nobody", True)
        assert answer.dead_letter == "ekiben.prediction-requests/inference-gateway/1/5/1"
        assert "'nobody'; routed are both, delay, weather" in answer.message

    async def test_a_route_just_written_is_read_before_its_model_is_called_unknown(self):
        gateway = Gateway(FakeRoutes.of(unread=[model("delay")]))
        (verdict,) = await gateway.answer(received())
        scored(verdict)

    async def test_a_member_just_routed_is_read_too(self):
        gateway = Gateway(FakeRoutes.of(ensemble(), model("delay"), unread=[model("weather")]))
        (verdict,) = await gateway.answer(received(model="both"))
        assert scored(verdict).missing == []

    async def test_routes_are_read_to_their_end_once_a_batch_and_only_for_the_unknown(self, gateway):
        await gateway.answer(received(0), received(1, model="weather"), received(2, model="both"))
        assert gateway.routes.caught_up == 0
        await gateway.answer(received(0, model="nobody"), received(1, model="no-one"), received(2))
        assert gateway.routes.caught_up == 1

    async def test_are_held_while_the_routes_cannot_be_read_and_the_others_go_on(self, gateway):
        gateway.routes.broken = True
        unknown, known = await gateway.answer(received(0, model="nobody"), received(1))
        assert isinstance(unknown, Hold)
        scored(known)

    async def test_an_ensemble_waits_too_for_the_route_of_a_member_while_the_routes_cannot_be_read(self):
        both = ensemble("both", ["delay", "weather"], missing_policy="all")
        gateway = Gateway(FakeRoutes.of(both, model("delay")))
        gateway.routes.broken = True
        (verdict,) = await gateway.answer(received(model="both"))
        assert isinstance(verdict, Hold)
        gateway.routes.broken = False
        (verdict,) = await gateway.answer(received(model="both"))
        assert failed(verdict).code is FailureCode.INSUFFICIENT_MODELS

    async def test_do_not_become_labels_of_metrics(self, gateway):
        await gateway.answer(received(model="nobody"))
        count = gateway.count("ekiben_gateway_requests_total", model="(unrouted)", outcome="unknown_model")
        assert count == 1

    @pytest.mark.parametrize(
        ("asked", "outcome"),
        [({}, "waiting"), ({"deadline": datetime(2000, 1, 1, tzinfo=UTC)}, "deadline_exceeded")],
        ids=["while the routes cannot be read", "past their deadline"],
    )
    async def test_do_not_become_labels_of_metrics_either_way(self, gateway, asked, outcome):
        gateway.routes.broken = True
        await gateway.answer(received(model="nobody", **asked))
        assert gateway.count("ekiben_gateway_requests_total", model="(unrouted)", outcome=outcome) == 1
        assert not gateway.count("ekiben_gateway_requests_total", model="nobody", outcome=outcome)


class TestFeatures:
    async def test_null_features_are_missing_and_the_message_names_them(self, gateway):
        (verdict,) = await gateway.answer(received(features=None))
        assert isinstance(verdict, DeadLetter)
        assert verdict.reason == "missing-features"
        answer = failed(verdict)
        assert answer.code is FailureCode.MISSING_FEATURES
        assert "distance, carrier of delay, found null" in answer.message
        assert "no feature service in its route" in answer.message
        assert "seats" not in answer.message

    async def test_a_missing_feature_costs_nobody_but_its_own_request(self, gateway):
        bad, good = await gateway.answer(received(0, features={"carrier": "UA"}), received(1))
        assert isinstance(bad, DeadLetter)
        assert "distance" in failed(bad).message
        scored(good)

    async def test_a_feature_of_the_wrong_type_is_a_plain_answer(self, gateway):
        (verdict,) = await gateway.answer(received(features={**FEATURES, "distance": "far"}))
        assert isinstance(verdict, Emit)
        answer = failed(verdict)
        assert (answer.code, answer.dead_letter) == (FailureCode.INVALID_REQUEST, None)
        assert "distance: expected a finite number, found 'far'" in answer.message

    async def test_a_row_that_breaks_its_model_is_a_dead_letter(self, gateway):
        gateway.models.row_errors["XX"] = RowError("internal", "division by zero")
        bad, good = await gateway.answer(received(0, features={**FEATURES, "carrier": "XX"}), received(1))
        assert bad.reason == "model-error"
        assert failed(bad).code is FailureCode.INTERNAL
        scored(good)

    async def test_a_row_that_may_not_be_the_bad_one_of_its_body_is_tried_again(self, gateway):
        gateway.models.row_errors["XX"] = UnresolvedRowError("internal", "some of 8 rows")
        open_, good = await gateway.answer(received(0, features={**FEATURES, "carrier": "XX"}), received(1))
        assert isinstance(open_, Retry)
        assert "some of 8 rows" in open_.reason
        scored(good)


class TestAModelThatIsDown:
    async def test_has_its_requests_parked_and_delays_no_other_model(self, gateway):
        gateway.models.down("delay")
        sick, healthy = await gateway.answer(received(0), received(1, model="weather"))
        assert isinstance(sick, Park)
        assert "connection refused" in sick.reason
        assert sick.endpoint.startswith("delay/1 at http://")
        scored(healthy)

    async def test_has_everything_held_in_place_while_nothing_routed_answers(self, gateway):
        gateway.models.down("delay")
        gateway.models.down("weather")
        verdicts = await gateway.answer(received(0), received(1, model="weather"), received(2, model="both"))
        assert [type(verdict) for verdict in verdicts] == [Hold, Hold, Hold]

    async def test_answers_what_was_parked_once_it_is_back(self, gateway):
        gateway.models.down()
        await gateway.answer(received())
        gateway.wait(59)
        gateway.models.up()
        scored((await gateway.answer(received()))[0])

    async def test_that_came_back_is_given_all_the_patience_again(self, gateway):
        gateway.models.down()
        await gateway.hold(55, received())
        gateway.models.up()
        await gateway.answer(received())
        gateway.wait(5)
        gateway.models.down()
        assert isinstance((await gateway.answer(received()))[0], Park)

    async def test_for_too_long_makes_dead_letters_of_its_requests(self, gateway):
        gateway.models.down()
        assert await gateway.hold(60, received()) == {Park}
        (verdict,) = await gateway.answer(received())
        assert isinstance(verdict, DeadLetter)
        assert verdict.reason == "model-unavailable"
        answer = failed(verdict)
        assert (answer.code, answer.retryable) == (FailureCode.MODEL_UNAVAILABLE, True)
        assert answer.dead_letter == received().dead_letter_id
        assert "connection refused" in answer.message

    async def test_for_too_long_does_not_make_the_next_batch_wait_as_long_again(self, gateway):
        gateway.models.down()
        await gateway.hold(60, received(0))
        assert [type(v) for v in await gateway.answer(received(0), received(1))] == [DeadLetter] * 2

    async def test_has_requests_answered_when_their_deadline_is_over_first(self, gateway):
        gateway.models.down()
        request = received(deadline=NOW + timedelta(seconds=5))
        assert isinstance((await gateway.answer(request))[0], Park)
        gateway.wait(7)
        assert failed((await gateway.answer(request))[0]).code is FailureCode.DEADLINE_EXCEEDED

    async def test_includes_one_that_is_too_slow(self, gateway):
        gateway.models.client().failure = ModelTimeoutError("delay", "http://x", "no answer in 1 s")
        assert isinstance((await gateway.answer(received()))[0], Park)

    async def test_does_not_include_one_that_answers_nonsense(self, gateway):
        gateway.models.client().failure = BadResponseError("delay", "http://x", "found 3 answers for 4 rows")
        (verdict,) = await gateway.answer(received())
        assert verdict.reason == "model-error"
        assert failed(verdict).code is FailureCode.INTERNAL

    async def test_is_asked_once_and_then_left_to_the_parked_lane(self, gateway):
        gateway.models.down()
        for n in range(5):
            assert isinstance((await gateway.answer(received(n)))[0], Park)
        assert len(gateway.models.client().calls) == 1
        assert isinstance((await gateway.answer_parked(received(0)))[0], Park)
        assert len(gateway.models.client().calls) == 2

    async def test_says_what_its_last_call_ended_with_also_where_it_is_not_asked(self, gateway):
        gateway.models.down()
        await gateway.answer(received(0))
        (verdict,) = await gateway.answer(received(1))
        assert "connection refused" in verdict.reason

    async def test_is_asked_by_the_main_flow_again_once_the_parked_lane_had_its_answer(self, gateway):
        gateway.models.down()
        await gateway.answer(received(0))
        gateway.models.up()
        assert isinstance((await gateway.answer(received(1)))[0], Park)
        scored((await gateway.answer_parked(received(0)))[0])
        scored((await gateway.answer(received(2)))[0])

    async def test_is_asked_by_the_main_flow_where_nobody_has_for_a_while(self, gateway):
        gateway.models.down()
        await gateway.answer(received(0))
        gateway.models.up()
        gateway.wait(5)
        scored((await gateway.answer(received(1)))[0])

    async def test_is_first_asked_for_one_row(self, gateway):
        gateway.models.down()
        await gateway.answer(received())
        batch = [received(n) for n in range(4)]
        assert [type(v) for v in await gateway.answer_parked(*batch)] == [Park] * 4
        gateway.models.up()
        verdicts = await gateway.answer_parked(*batch)
        assert [scored(verdict).request_id for verdict in verdicts] == [f"flight-{n}" for n in range(4)]
        assert [len(rows) for rows in gateway.models.client().calls] == [1, 1, 1, 3]

    async def test_is_not_taken_to_be_back_by_a_row_that_never_left_for_it(self, gateway):
        gateway.models.down()
        await gateway.answer(received())
        bad = received(0, features={**FEATURES, "distance": "far"})
        gateway.models.client().failure = None
        (verdict,) = await gateway.answer_parked(bad)
        assert failed(verdict).code is FailureCode.INVALID_REQUEST
        assert isinstance((await gateway.answer(received(1)))[0], Park)

    async def test_does_not_fail_others_for_a_bad_row_that_is_asked_first(self, gateway):
        gateway.models.down()
        await gateway.answer(received())
        gateway.models.up()
        bad = received(0, features={**FEATURES, "distance": "far"})
        first, second = await gateway.answer_parked(bad, received(1))
        assert failed(first).code is FailureCode.INVALID_REQUEST
        scored(second)

    async def test_is_given_no_more_time_than_it_usually_takes_while_others_answer(self, gateway):
        await gateway.answer(received(0))
        await gateway.answer(received(1))
        assert gateway.models.client().budgets_s == [1.0, LEAST_PATIENCE_S]
        await gateway.answer_parked(received(2))
        assert gateway.models.client().budgets_s[2] == 1.0

    async def test_is_counted(self, gateway):
        gateway.models.down()
        await gateway.answer(received(0), received(1))
        assert gateway.count("ekiben_gateway_requests_total", model="delay", outcome="waiting") == 2
        calls = gateway.count(
            "ekiben_model_calls_total", model="delay", version="1", outcome="ModelUnavailableError"
        )
        assert calls == 1


class TestAModelThatBreaks:
    """It answers, but with a 500, or not to the end: its requests may be the cause."""

    async def test_has_its_requests_tried_again_later_and_not_parked(self, gateway):
        gateway.models.breaks("delay")
        broken, well = await gateway.answer(received(0), received(1, model="weather"))
        assert isinstance(broken, Retry)
        assert "found 500" in broken.reason
        scored(well)

    async def test_has_them_answered_and_kept_once_all_tries_are_over(self, gateway):
        gateway.models.breaks()
        (verdict,) = await gateway.answer(received())
        letter = verdict.otherwise
        assert (letter.reason, letter.error_class) == ("retries-exhausted", "internal")
        answer = failed(letter)
        assert (answer.code, answer.dead_letter) == (FailureCode.INTERNAL, received().dead_letter_id)
        assert "found 500" in answer.message

    async def test_is_not_down(self, gateway):
        gateway.models.down()
        await gateway.answer(received(0))
        gateway.models.breaks()
        assert isinstance((await gateway.answer_parked(received(0)))[0], Retry)
        assert isinstance((await gateway.answer(received(1)))[0], Retry)

    async def test_is_tried_again_also_while_nothing_else_answers(self, gateway):
        gateway.models.down("weather")
        await gateway.answer(received(0, model="weather"))
        gateway.models.breaks("delay")
        assert isinstance((await gateway.answer(received(1)))[0], Retry)

    async def test_has_a_deadline_answered_that_is_over_before_the_next_try(self, gateway):
        gateway.models.breaks()
        request = received(deadline=NOW + timedelta(seconds=3))
        assert isinstance((await gateway.answer(request))[0], Retry)
        gateway.wait(5)
        assert failed((await gateway.answer(request))[0]).code is FailureCode.DEADLINE_EXCEEDED

    async def test_is_counted(self, gateway):
        gateway.models.breaks()
        await gateway.answer(received(0), received(1))
        assert gateway.count("ekiben_gateway_requests_total", model="delay", outcome="failing") == 2


def of_policy(policy, **rest):
    both = ensemble("both", ["delay", "weather"], missing_policy=policy, **rest)
    return Gateway(FakeRoutes.of(both, model("delay"), model("weather")))


class TestAnEnsemble:
    async def test_has_every_member_s_output_and_its_definition_in_one_event(self):
        weights = {"delay": 2.0, "weather": 1.0}
        gateway = of_policy("all", method=Method.WEIGHTED, weights=weights, coverage=0.8)
        event = scored((await gateway.answer(received(model="both")))[0])
        assert [output.model for output in event.outputs] == ["delay", "weather"]
        assert (event.model, event.revision, event.method) == ("both", 7, Method.WEIGHTED)
        assert (event.weights, event.coverage) == (weights, 0.8)

    async def test_shares_a_call_with_requests_for_its_member(self):
        gateway = of_policy("all")
        await gateway.answer(received(0, model="both"), received(1, model="delay"))
        assert [len(rows) for rows in gateway.models.client("delay").calls] == [2]

    async def test_goes_on_without_a_member_where_its_policy_allows_and_names_the_gap(self):
        gateway = of_policy("any")
        gateway.models.down("weather")
        event = scored((await gateway.answer(received(model="both")))[0])
        assert [output.model for output in event.outputs] == ["delay"]
        (missing,) = event.missing
        assert (missing.model, missing.reason) == ("weather", "model_unavailable")
        assert "connection refused" in missing.detail

    async def test_goes_on_without_a_member_that_is_not_routed(self):
        gateway = Gateway(FakeRoutes.of(ensemble("both", ["delay", "weather"]), model("delay")))
        event = scored((await gateway.answer(received(model="both")))[0])
        assert [(gap.model, gap.reason) for gap in event.missing] == [("weather", "unknown_model")]

    @pytest.mark.parametrize("policy", ["all", Quorum(quorum=2)])
    async def test_is_parked_while_its_policy_is_not_met_and_the_member_may_come_back(self, policy):
        gateway = of_policy(policy)
        gateway.models.down("weather")
        assert isinstance((await gateway.answer(received(model="both")))[0], Park)

    async def test_is_tried_again_where_a_member_that_breaks_is_needed(self):
        gateway = of_policy("all")
        gateway.models.breaks("weather")
        (verdict,) = await gateway.answer(received(model="both"))
        assert isinstance(verdict, Retry)
        answer = failed(verdict.otherwise)
        assert answer.code is FailureCode.INSUFFICIENT_MODELS
        assert "weather: internal, model weather" in answer.message

    async def test_goes_on_without_a_member_that_breaks_where_its_policy_allows(self):
        gateway = of_policy("any")
        gateway.models.breaks("weather")
        event = scored((await gateway.answer(received(model="both")))[0])
        assert [gap.reason for gap in event.missing] == ["internal"]

    async def test_fails_as_insufficient_once_patience_is_over(self):
        gateway = of_policy("all")
        gateway.models.down("weather")
        await gateway.hold(60, received(model="both"))
        (verdict,) = await gateway.answer(received(model="both"))
        assert verdict.reason == "insufficient-models"
        answer = failed(verdict)
        assert (answer.code, answer.retryable) == (FailureCode.INSUFFICIENT_MODELS, True)
        assert "at least 2 members of both, found 1. Missing are weather: model_unavailable" in answer.message

    async def test_is_not_held_for_a_member_whose_return_would_not_be_enough(self):
        gateway = Gateway(
            FakeRoutes.of(ensemble("both", ["delay", "weather"], missing_policy="all"), model("delay"))
        )
        gateway.models.down("delay")
        (verdict,) = await gateway.answer(received(model="both"))
        assert failed(verdict).code is FailureCode.INSUFFICIENT_MODELS

    async def test_that_lacks_a_feature_says_so_rather_than_that_models_are_missing(self):
        (verdict,) = await of_policy("any").answer(received(model="both", features={"carrier": "UA"}))
        assert failed(verdict).code is FailureCode.MISSING_FEATURES
