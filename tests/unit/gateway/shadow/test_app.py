"""Shadow scoring as it runs: from records of outputs to records of shadow outputs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ekiben_contracts.cloudevents import decode
from ekiben_contracts.topics import (
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    SHADOW,
    SHADOW_OUTPUTS,
    dead_letter_topic,
)
from ekiben_inference_gateway.app import build as build_gateway
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_inference_gateway.shadow.app import build
from ekiben_inference_gateway.shadow.settings import ShadowSettings
from simulation.clock import calendar
from unit.gateway.building import FakeModels, model
from unit.gateway.building import received as requested
from unit.gateway.shadow.shadowing import CHALLENGED, CHAMPION, scored
from unit.in_memory import PORTLESS, Kafka, running, until

pytestmark = pytest.mark.virtual_time
DEAD = dead_letter_topic(MODEL_OUTPUTS.name, SHADOW)


@pytest.fixture
def kafka():
    kafka = Kafka(calendar)
    kafka.route(model("delay", CHAMPION, CHALLENGED))
    return kafka


@pytest.fixture
def models():
    return FakeModels()


@pytest.fixture
def shadow(kafka, models):
    return build(ShadowSettings(client_sweep_s=0.01), PORTLESS, kafka.cluster, models.open, clock=calendar)


async def test_beside_the_gateway_a_request_has_its_shadow_s_answer_on_its_own_partition(
    kafka, models, shadow
):
    async with running(
        build_gateway(GatewaySettings(), PORTLESS, kafka.cluster, models.open, clock=calendar), shadow
    ):
        kafka.send(PREDICTION_REQUESTS, requested(7).event, partition=2)
        (record,) = await kafka.read(SHADOW_OUTPUTS.name, 1)
    headers = dict(record.headers)
    assert (record.partition, record.key) == (2, b"UA1")
    assert (headers["ce_id"], headers["ce_source"]) == (
        b"flight-7/shadow-2/1",
        b"/ekiben/inference-gateway-shadow",
    )
    (event,) = await kafka.events(SHADOW_OUTPUTS, 1)
    assert (event.champion.version, event.shadow.version, event.difference) == ("1", "2", 0.0)


async def test_a_shadow_that_breaks_leaves_no_dead_letter_and_holds_nothing(kafka, models, shadow):
    models.breaks("delay", "2")
    async with running(shadow):
        for n in range(5):
            kafka.send(MODEL_OUTPUTS, scored(n))
        events = await kafka.events(SHADOW_OUTPUTS, 5)
        assert {event.status for event in events} == {"failed"}
        models.up("delay", "2")
        kafka.send(MODEL_OUTPUTS, scored(5))
        events = await kafka.events(SHADOW_OUTPUTS, 6)
    assert events[-1].status == "answered"
    assert kafka.records(DEAD) == []


async def test_outputs_that_cannot_be_read_are_kept_and_delay_nobody(kafka, shadow):
    async with running(shadow):
        kafka.send_bytes(MODEL_OUTPUTS, b"\xff no json")
        kafka.send(MODEL_OUTPUTS, scored(1))
        (event,) = await kafka.events(SHADOW_OUTPUTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert event.request_id == "flight-1"
    assert letter.value == b"\xff no json"


async def test_clients_of_versions_that_shadow_no_more_are_closed_while_it_runs(kafka, models, shadow):
    async with running(shadow):
        kafka.send(MODEL_OUTPUTS, scored())
        await kafka.read(SHADOW_OUTPUTS.name, 1)
        kafka.route(model("delay", CHAMPION, revision=2))
        await until(lambda: models.client("delay", "2").closed)


async def test_what_is_far_behind_is_skipped_with_a_word(kafka, models):
    settings, in_two_minutes = ShadowSettings(longest_lag_s=60), lambda: calendar() + timedelta(minutes=2)
    behind = build(settings, PORTLESS, kafka.cluster, models.open, clock=in_two_minutes)
    async with running(behind):
        await until(lambda: behind.owns(MODEL_OUTPUTS))
        for n in range(3):
            kafka.send(MODEL_OUTPUTS, scored(n))
        events = await kafka.events(SHADOW_OUTPUTS, 3)
    assert [event.status for event in events] == ["skipped"] * 3
    assert models.clients == {}
    assert behind.registry.get_sample_value(
        "ekiben_shadow_requests_total", {"model": "delay", "version": "2", "status": "skipped"}
    ) == len(events)


def told(kafka):
    """What is on the topic now."""
    found = kafka.records(SHADOW_OUTPUTS.name)
    return [decode(record.value, record.headers, SHADOW_OUTPUTS).data for record in found]


async def test_outputs_are_read_while_there_is_a_shadow_and_by_nobody_else(kafka, models, shadow):
    kafka.route(model("delay", CHAMPION, revision=2))
    group = kafka.cluster.group(SHADOW)
    async with running(shadow):
        await until(lambda: shadow._started)
        kafka.send(MODEL_OUTPUTS, scored(1))
        assert (shadow._problems(), shadow.owns(MODEL_OUTPUTS)) == ([], False)
        kafka.route(model("delay", CHAMPION, CHALLENGED, revision=3))
        await until(lambda: shadow.owns(MODEL_OUTPUTS))
        kafka.send(MODEL_OUTPUTS, scored(2))
        await until(lambda: {event.request_id for event in told(kafka)} == {"flight-1", "flight-2"})
        kafka.route(model("delay", CHAMPION, revision=4))
        await until(lambda: not shadow.owns(MODEL_OUTPUTS))
        kafka.send(MODEL_OUTPUTS, scored(3))
    assert sum(group.committed.values()) == len(told(kafka)) == 2
