"""The synthesizer as it runs: from scored events to results and dead letters."""

from __future__ import annotations

import pytest

from ekiben_contracts.models import Method
from ekiben_contracts.prediction import FailureCode
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_RESULTS, SYNTHESIZER, dead_letter_topic
from ekiben_synthesizer.app import build
from ekiben_synthesizer.settings import SynthesizerSettings
from simulation.clock import calendar
from unit.in_memory import PORTLESS, Kafka, running
from unit.synthesizer.building import of_ensemble, route, scored, value

pytestmark = pytest.mark.virtual_time
DEAD = dead_letter_topic(MODEL_OUTPUTS.name, SYNTHESIZER)


@pytest.fixture
def kafka():
    kafka = Kafka(calendar)
    kafka.route(route())
    return kafka


@pytest.fixture
def synthesizer(kafka):
    return build(SynthesizerSettings(), PORTLESS, kafka.cluster, clock=calendar)


async def test_a_scored_event_becomes_a_result_with_its_interval_on_its_own_partition(kafka, synthesizer):
    async with running(synthesizer):
        kafka.send(MODEL_OUTPUTS, scored(value(), calibrations={"minutes": "minutes-1"}), partition=3)
        (result,) = await kafka.events(PREDICTION_RESULTS, 1)
    assert result.interval is not None
    (record,) = kafka.records(PREDICTION_RESULTS.name)
    assert (record.partition, record.key) == (3, b"UA1")
    assert dict(record.headers)["ce_id"] == b"flight-7/result/1"


async def test_outputs_that_do_not_fit_are_answered_and_kept(kafka, synthesizer):
    async with running(synthesizer):
        kafka.send(MODEL_OUTPUTS, of_ensemble(value("a"), value("b"), method=Method.VOTING))
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert (answer.code, answer.dead_letter) == (
        FailureCode.INTERNAL,
        dict(letter.headers)["dlq-id"].decode(),
    )


async def test_an_unreadable_event_is_kept_and_its_request_answered(kafka, synthesizer):
    async with running(synthesizer):
        kafka.send_bytes(MODEL_OUTPUTS, b"no json", ("ce_id", b"flight-8/scored/1"))
        (answer,) = await kafka.events(PREDICTION_RESULTS, 1)
        (letter,) = await kafka.read(DEAD, 1)
    assert answer.request_id == "flight-8"
    assert letter.value == b"no json"
