"""What the table of topics says to those who write and read."""

from datetime import UTC, datetime

import pytest

from ekiben_contracts.cloudevents import decode, encode
from ekiben_contracts.identity import action_id, dead_letter_id
from ekiben_contracts.operations import DeadLetterDiscarded
from ekiben_contracts.prediction import PredictionFailed, PredictionRequested
from ekiben_contracts.routing import EnsembleDefined
from ekiben_contracts.topics import (
    BY_NAME,
    DEAD_LETTER_ACTIONS,
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


def test_an_action_has_room_for_the_id_of_its_dead_letter():
    longest_kafka_allows = "t" * 249
    dead_letter = dead_letter_id(longest_kafka_allows, "inference-gateway", 2**31 - 1, 2**63 - 1, 2**31 - 1)
    discarded = DeadLetterDiscarded(
        dead_letter=dead_letter, topic="t", group="g", by="ann", why="old", acted_at=NOW
    )
    value, headers = encode(discarded, id=action_id(dead_letter, "discarded"), source="/test", time=NOW)

    assert decode(value, headers, DEAD_LETTER_ACTIONS).data == discarded
    assert DEAD_LETTER_ACTIONS.key_of(discarded) == dead_letter.encode()
