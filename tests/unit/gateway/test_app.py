"""The gateway as it runs: from request records to records of outputs, results and dead letters."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from ekiben_contracts.identity import dead_letter_id
from ekiben_contracts.models import Role
from ekiben_contracts.prediction import FailureCode
from ekiben_contracts.topics import (
    GATEWAY,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    RECORD_LIMIT,
    dead_letter_topic,
    side_topic,
)
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_synthesizer.app import build as build_synthesizer
from ekiben_synthesizer.settings import SynthesizerSettings
from simulation.clock import calendar
from unit.gateway.building import FEATURES, FakeModels, ensemble, model, received, version
from unit.in_memory import PORTLESS, Kafka, running, until

pytestmark = pytest.mark.virtual_time
DEAD = dead_letter_topic(PREDICTION_REQUESTS.name, GATEWAY)


@pytest.fixture
def kafka():
    kafka = Kafka(calendar)
    kafka.route(model("delay"), model("weather"), ensemble("both", ["delay", "weather"]))
    return kafka


@pytest.fixture
def models():
    return FakeModels()


@pytest.fixture
def gateway(kafka, models):
    return build(GatewaySettings(client_sweep_s=0.01), PORTLESS, kafka.cluster, models.open, clock=calendar)


def ask(kafka, offset=0, **rest):
    kafka.send(PREDICTION_REQUESTS, received(offset, **rest).event)


def ask_in_bare_json(kafka, key: bytes | None = b"UA1", **rest):
    body = {"model": "delay", "entity_id": "UA1", "features": FEATURES, **rest}
    kafka.send_bytes(PREDICTION_REQUESTS, json.dumps(body).encode(), key=key, partition=2)


async def test_a_request_in_bare_json_becomes_a_scored_event_on_its_own_partition(kafka, gateway):
    async with running(gateway):
        ask_in_bare_json(kafka)
        (record,) = await kafka.read(MODEL_OUTPUTS.name, 1)
    headers = dict(record.headers)
    assert (record.partition, record.key) == (2, b"UA1")
    assert headers["ce_id"] == b"ekiben.prediction-requests-2-0/scored/1"
    assert headers["ce_source"] == b"/ekiben/inference-gateway"


async def test_an_output_of_a_record_without_a_key_has_its_entity_s(kafka, gateway):
    async with running(gateway):
        ask_in_bare_json(kafka, key=None, entity_id="UA9")
        (record,) = await kafka.read(MODEL_OUTPUTS.name, 1)
    assert (record.partition, record.key) == (2, b"UA9")


async def test_an_unknown_model_is_a_result_and_a_dead_letter_byte_for_byte(kafka, gateway):
    async with running(gateway):
        ask(kafka, model="nobody")
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert answer.code is FailureCode.UNKNOWN_MODEL
    assert answer.dead_letter == dict(letter.headers)["dlq-id"].decode()
    assert answer.dead_letter == dead_letter_id(PREDICTION_REQUESTS.name, GATEWAY, 1, 0)
    assert dict(letter.headers)["dlq-reason"] == b"unknown-model"
    assert letter.value == kafka.records(PREDICTION_REQUESTS.name)[0].value


async def test_bytes_that_say_nothing_are_kept_and_delay_nobody(kafka, gateway):
    async with running(gateway):
        kafka.send_bytes(PREDICTION_REQUESTS, b"\xff no json")
        ask(kafka, 1)
        await kafka.events(MODEL_OUTPUTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert letter.value == b"\xff no json"
    assert kafka.records(PREDICTION_RESULTS.name) == []


async def test_an_invalid_request_is_answered_and_leaves_no_dead_letter(kafka, gateway):
    async with running(gateway):
        ask_in_bare_json(kafka, request_id="r1", features={"distance": []})
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
    assert (answer.request_id, answer.code) == ("r1", FailureCode.INVALID_REQUEST)
    assert kafka.records(DEAD) == []


async def test_a_model_routed_while_the_gateway_runs_is_asked(kafka, gateway):
    async with running(gateway):
        ask(kafka, 0)
        await kafka.read(MODEL_OUTPUTS.name, 1)
        kafka.route(model("new"))
        ask(kafka, 1, model="new")
        events = await kafka.events(MODEL_OUTPUTS, 2)
    assert [event.model for event in events] == ["delay", "new"]


async def test_a_request_whose_model_is_down_is_answered_when_it_is_back(kafka, gateway, models):
    models.down("delay")
    async with running(gateway):
        ask(kafka, 7)
        await until(lambda: len(models.client("delay").calls) >= 3)
        assert kafka.records(MODEL_OUTPUTS.name) == []
        models.up("delay")
        (event,) = await kafka.events(MODEL_OUTPUTS, 1)
    assert event.request_id == "flight-7"
    assert kafka.records(DEAD) == []
    assert kafka.records(PREDICTION_RESULTS.name) == []


async def test_a_request_whose_model_is_not_waited_for_is_a_dead_letter(kafka, models):
    models.down("delay")
    impatient = build(
        GatewaySettings(outage_patience_s=0), PORTLESS, kafka.cluster, models.open, clock=calendar
    )
    async with running(impatient):
        ask(kafka)
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert answer.code is FailureCode.MODEL_UNAVAILABLE
    assert dict(letter.headers)["dlq-reason"] == b"model-unavailable"


async def test_a_request_that_breaks_its_model_is_tried_four_times_and_then_kept(kafka, models):
    models.breaks("delay")
    quick = PORTLESS.model_copy(update={"retry_delays_s": (0.05, 0.05, 0.05)})
    async with running(build(GatewaySettings(), quick, kafka.cluster, models.open, clock=calendar)):
        ask(kafka, 7)
        ask(kafka, 8, model="weather")
        (well,) = await kafka.events(MODEL_OUTPUTS, 1)
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert well.request_id == "flight-8"
    assert (answer.request_id, answer.code) == ("flight-7", FailureCode.INTERNAL)
    assert dict(letter.headers)["dlq-reason"] == b"retries-exhausted"
    assert len(models.client("delay").calls) == 4
    assert kafka.records(side_topic(PREDICTION_REQUESTS.name, GATEWAY, "parked")) == []


async def test_while_a_model_is_down_only_what_is_parked_asks_it(kafka, gateway, models):
    models.down("delay")
    async with running(gateway):
        ask(kafka, 0)
        await until(lambda: len(models.client("delay").calls) >= 3)
        for n in range(1, 50):
            ask(kafka, n)
            ask(kafka, 100 + n, model="weather")
        await kafka.read(MODEL_OUTPUTS.name, 49)
        assert {len(rows) for rows in models.client("delay").calls} == {1}
        models.up("delay")
        events = await kafka.events(MODEL_OUTPUTS, 99)
    assert len({event.request_id for event in events}) == 99
    assert kafka.records(DEAD) == []


async def test_a_record_that_breaks_a_client_is_found_and_the_others_are_answered(kafka, gateway, models):
    healthy = models.client("delay")._answer
    models.client("delay")._answer = lambda row: 1 / 0 if row["carrier"] == "XX" else healthy(row)
    for n in range(8):
        ask(kafka, n, features={**FEATURES, "carrier": "XX" if n == 5 else "UA"})
    async with running(gateway):
        scored = await kafka.events(MODEL_OUTPUTS, 7)
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert {event.request_id for event in scored} == {f"flight-{n}" for n in range(8) if n != 5}
    assert (answer.request_id, answer.code) == ("flight-5", FailureCode.INTERNAL)
    assert b"ZeroDivisionError" in dict(letter.headers)["dlq-error-stack"]


async def test_a_request_too_large_to_be_passed_on_is_answered_and_kept(kafka, models):
    """The outputs of many members, with long probabilities, may not fit where their request did."""
    kafka.cluster.create_topic(MODEL_OUTPUTS.name, MODEL_OUTPUTS.partitions)
    gateway = build(GatewaySettings(), PORTLESS, kafka.cluster, models.open, clock=calendar)
    huge = {f"class-{n}-" + "x" * 100: 0.0 for n in range(RECORD_LIMIT // 100)}
    healthy = models.client("delay")._answer
    models.client("delay")._answer = lambda row: replace(healthy(row), probabilities=huge)
    async with running(gateway):
        ask(kafka)
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert (answer.code, answer.request_id) == (FailureCode.INTERNAL, "flight-0")
    assert dict(letter.headers)["dlq-stage"] == b"publish"


async def test_clients_of_versions_that_left_the_routes_are_closed_while_it_runs(kafka, gateway, models):
    async with running(gateway):
        ask(kafka)
        await kafka.read(MODEL_OUTPUTS.name, 1)
        kafka.route(model("delay", version("1", 0, Role.RETIRED), version("2"), revision=2))
        await until(lambda: models.client("delay", "1").closed)


async def test_every_client_is_closed_after_the_drain(kafka, gateway, models):
    async with running(gateway):
        ask(kafka)
        await kafka.read(MODEL_OUTPUTS.name, 1)
    assert models.client("delay").closed


async def test_a_model_that_only_a_file_names_is_served_without_a_route(kafka, models, tmp_path):
    written = tmp_path / "model_endpoints.yaml"
    written.write_text("models: {storms: {version: '4', endpoints: [{url: 'http://127.0.0.1:3009'}]}}")
    gateway = build(
        GatewaySettings(endpoints_file=written), PORTLESS, kafka.cluster, models.open, clock=calendar
    )
    async with running(gateway):
        ask(kafka, 0, model="storms")
        ask(kafka, 1, model="delay")
        storms, delay = await kafka.events(MODEL_OUTPUTS, 2)
    assert (storms.outputs[0].model, storms.outputs[0].version) == ("storms", "4")
    assert delay.outputs[0].model == "delay"


async def test_with_the_synthesizer_a_request_becomes_a_prediction(kafka, gateway):
    synthesizer = build_synthesizer(SynthesizerSettings(), PORTLESS, kafka.cluster, clock=calendar)
    async with running(gateway, synthesizer):
        ask(kafka, 0)
        ask(kafka, 1, model="both")
        single, both = await kafka.events(PREDICTION_RESULTS, 2)
    assert (single.request_id, single.prediction, single.label) == ("flight-0", 0.35, "on_time")
    assert (both.request_id, both.prediction, both.agreement) == ("flight-1", 0.35, 1.0)
