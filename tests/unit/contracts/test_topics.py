"""What the table of topics says to those who write and read."""

from datetime import UTC, datetime

import pytest

from ekiben_contracts.prediction import PredictionFailed, PredictionRequested
from ekiben_contracts.routing import EnsembleDefined
from ekiben_contracts.topics import (
    BY_NAME,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    ROUTES,
    TOPICS,
    Topic,
)

NOW = datetime(2013, 9, 3, tzinfo=UTC)


def test_a_record_is_keyed_by_its_entity():
    request = PredictionRequested(model="flight-delay", entity_id="ÜA-1545")

    assert PREDICTION_REQUESTS.key_of(request) == "ÜA-1545".encode()


def test_a_failure_that_knows_no_entity_has_no_key():
    failed = PredictionFailed(
        request_id="r",
        model=None,
        entity_id=None,
        code="invalid_request",
        message="m",
        retryable=False,
        failed_at=NOW,
    )

    assert PREDICTION_RESULTS.key_of(failed) is None


def test_a_route_is_keyed_by_kind_and_name():
    ensemble = EnsembleDefined(
        ensemble="flight-delay", revision=1, members=["a"], method="average", defined_at=NOW
    )

    assert ROUTES.key_of(ensemble) == b"ensemble/flight-delay"


def test_only_a_topic_of_one_type_tells_the_type_of_bare_json():
    assert PREDICTION_REQUESTS.only_type is PredictionRequested
    assert PREDICTION_RESULTS.only_type is None


def test_a_scored_event_has_room_for_the_request_it_repeats():
    assert MODEL_OUTPUTS.max_message_bytes > PREDICTION_REQUESTS.max_message_bytes


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_found_by_its_name(topic: Topic):
    assert BY_NAME[topic.name] is topic
