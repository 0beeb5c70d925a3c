"""What becomes of each question to a shadow: an answer, a failure, or the word that it was skipped."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ekiben_contracts.models import Role
from ekiben_contracts.prediction import ModelsShadowed
from ekiben_contracts.topics import SHADOW_OUTPUTS
from ekiben_serving.validation import RowError
from unit.gateway.building import FEATURES, FakeRoutes, model, version
from unit.gateway.shadow.shadowing import CHALLENGED, CHAMPION, LONGEST_LAG, Shadow, output, received, scored


@pytest.fixture
def shadow():
    return Shadow(FakeRoutes.of(model("delay", CHAMPION, CHALLENGED)))


async def only(shadow, event, age_s=0.0, attempt=1):
    ((outgoing,),) = await shadow.answer(received(event, age_s, attempt=attempt))
    return outgoing


async def test_both_answers_their_difference_and_latencies_are_told(shadow):
    outgoing = await only(shadow, scored(7, output(value=0.25)))
    event = outgoing.event
    assert (outgoing.topic, outgoing.id, outgoing.key) == (SHADOW_OUTPUTS, "flight-7/shadow-2/1", None)
    assert (event.status, event.error, event.model, event.version) == ("answered", None, "delay", "2")
    assert (event.request_id, event.entity_id) == ("flight-7", "UA1")
    assert (event.shadow.value, event.shadow.role, event.shadow.version) == (0.35, Role.SHADOW, "2")
    assert event.difference == pytest.approx(0.10)
    assert (event.champion.latency_ms, event.shadow.latency_ms) == (2.0, 3.5)
    told = ModelsShadowed.from_json(event.to_json())
    assert told.champion == output(value=0.25)
    assert (told.status, told.difference) == (event.status, event.difference)


async def test_a_redelivery_tells_it_under_the_same_id_and_a_replay_under_another(shadow):
    ids = [(await only(shadow, scored(7, attempt=attempt))).id for attempt in (1, 1, 2)]
    assert ids == ["flight-7/shadow-2/1", "flight-7/shadow-2/1", "flight-7/shadow-2/2"]


async def test_a_replay_of_the_outputs_alone_is_another_attempt_too(shadow):
    told = [await only(shadow, scored(7, attempt=2), attempt=attempt) for attempt in (1, 2)]
    assert [one.id for one in told] == ["flight-7/shadow-2/2", "flight-7/shadow-2/3"]
    assert [one.event.attempt for one in told] == [2, 3]


async def test_two_members_with_shadows_of_one_version_are_told_apart():
    shadow = Shadow(FakeRoutes.of(*(model(name, CHAMPION, CHALLENGED) for name in ("delay", "weather"))))
    event = scored(7, output("delay"), output("weather"), model="both")
    (told,) = await shadow.answer(received(event))
    assert [one.id for one in told] == ["flight-7/shadow-delay:2/1", "flight-7/shadow-weather:2/1"]
    assert [one.event.model for one in told] == ["delay", "weather"]


async def test_without_a_shadow_there_is_nothing_to_tell():
    shadow = Shadow(FakeRoutes.of(model("delay", CHAMPION)))
    assert await shadow.answer(received(scored())) == [()]
    assert shadow.models.clients == {}


async def test_the_champion_is_never_asked(shadow):
    await shadow.answer(*(received(scored(n)) for n in range(3)))
    assert shadow.models.clients.keys() == {("delay", "2")}


async def test_a_batch_is_asked_in_one_body(shadow):
    await shadow.answer(*(received(scored(n)) for n in range(50)))
    assert [len(rows) for rows in shadow.models.client("delay", "2").calls] == [50]


async def test_one_that_is_down_has_failed_at_once_and_is_asked_again_after_a_while(shadow):
    shadow.models.down("delay", "2")
    first = (await only(shadow, scored(1))).event
    assert (first.status, first.shadow, first.difference) == ("failed", None, None)
    assert first.error.startswith("model_unavailable: ")
    assert "connection refused" in first.error
    await shadow.answer(*(received(scored(n)) for n in range(500)))
    assert len(shadow.models.client("delay", "2").calls) == 1, "nobody waits for it to fail again"
    shadow.models.up("delay", "2")
    shadow.timer += shadow.probe_after_s
    assert (await only(shadow, scored(2))).event.status == "answered"
    assert (shadow.count("failed"), shadow.count("answered")) == (501, 1)


async def test_one_that_breaks_has_failed(shadow):
    shadow.models.breaks("delay", "2")
    event = (await only(shadow, scored())).event
    assert (event.status, event.error.split(":")[0]) == ("failed", "internal")


async def test_a_row_that_it_refuses_costs_the_others_nothing(shadow):
    shadow.models.row_errors["XX"] = RowError("invalid_request", "expected a carrier, found XX")
    batch = [scored(0), scored(1, features={**FEATURES, "carrier": "XX"}), scored(2)]
    told = [one.event for (one,) in await shadow.answer(*map(received, batch))]
    assert [event.status for event in told] == ["answered", "failed", "answered"]
    assert told[1].error == "invalid_request: expected a carrier, found XX"


async def test_outputs_without_features_are_a_failure_that_nobody_is_asked_for(shadow):
    event = (await only(shadow, scored(features=None))).event
    assert (event.status, event.error.split(":")[0]) == ("failed", "missing_features")
    assert shadow.models.clients == {}


async def test_what_was_scored_too_long_ago_is_told_to_be_skipped_and_not_asked(shadow):
    late = LONGEST_LAG.total_seconds() + 1
    (old,), (new,) = await shadow.answer(received(scored(0), late), received(scored(1), late - 2))
    assert (old.event.status, old.event.shadow) == ("skipped", None)
    assert old.event.error == "skipped: expected it within 60 s of its scoring, found it 61.0 s later"
    assert new.event.status == "answered"
    assert [len(rows) for rows in shadow.models.client("delay", "2").calls] == [1]
    assert (shadow.count("skipped"), shadow.count("answered")) == (1, 1)
    assert shadow.registry.get_sample_value("ekiben_shadow_behind_seconds") == late


async def test_what_has_no_turn_within_the_budget_has_failed(shadow):
    shadow.budget_s = 0.0
    event = (await only(shadow, scored())).event
    assert event.status == "failed"
    assert "expected its turn" in event.error
    assert shadow.models.clients == {}


async def test_a_shadow_at_an_address_that_gets_traffic_is_not_asked():
    shared = version("2", 0, Role.SHADOW).model_copy(update={"url": CHAMPION.url})
    shadow = Shadow(FakeRoutes.of(model("delay", CHAMPION, shared)))
    event = (await only(shadow, scored())).event
    assert (event.status, shadow.models.clients) == ("failed", {})
    assert "expected an address of its own" in event.error


async def test_a_difference_that_no_float_holds_is_left_out(shadow):
    event = (await only(shadow, scored(0, output(value=-1.7e308)))).event
    assert event.difference is not None
    shadow.models.client("delay", "2")._answer = lambda row: replace(
        shadow.models._answer("delay", "2", row), value=1.7e308
    )
    event = (await only(shadow, scored(0, output(value=-1.7e308)))).event
    assert (event.status, event.difference) == ("answered", None)
    told = ModelsShadowed.from_json(event.to_json())
    assert (told.champion.value, told.shadow.value) == (-1.7e308, 1.7e308)


async def test_one_sick_shadow_does_not_keep_the_answers_of_another():
    shadow = Shadow(FakeRoutes.of(model("delay", CHAMPION, CHALLENGED, version("3", 0, Role.SHADOW))))
    shadow.models.down("delay", "2")
    (told,) = await shadow.answer(received(scored()))
    assert [(one.event.version, one.event.status) for one in told] == [("2", "failed"), ("3", "answered")]
