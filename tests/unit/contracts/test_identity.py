"""Ids are computed from what is known of a record, never drawn."""

from ekiben_contracts.identity import Stage, dead_letter_id, output_id, request_identity, shadow_stage
from ekiben_contracts.topics import PREDICTION_REQUESTS, dead_letter_topic


def test_a_request_is_its_own_id_else_its_envelopes_else_its_place():
    assert request_identity("mine", "envelope", "t", 2, 7) == "mine"
    assert request_identity(None, "envelope", "t", 2, 7) == "envelope"
    assert request_identity(None, None, "t", 2, 7) == "t-2-7"


def test_both_terminal_events_of_an_attempt_share_one_id():
    assert output_id("flight-7", Stage.RESULT) == "flight-7/result/1"
    assert output_id("flight-7", Stage.SCORED, 2) == "flight-7/scored/2"
    assert output_id("flight-7", shadow_stage("4"), 1) == "flight-7/shadow-4/1"


def test_the_shadows_of_two_members_never_share_an_id():
    assert output_id("flight-7", shadow_stage("4", "trees"), 1) == "flight-7/shadow-trees:4/1"
    assert shadow_stage("b-4", "a") != shadow_stage("4", "a-b")


def test_the_longest_id_of_an_output_fits_where_services_read_it():
    longest = output_id("x" * 256, shadow_stage("v" * 64, "m" * 128), 2**31 - 1)

    assert len(longest) <= 2 * PREDICTION_REQUESTS.longest_id


def test_a_dead_letter_is_named_by_the_place_of_its_record():
    assert dead_letter_id("t", "g", 2, 7) == "t/g/2/7/1"
    assert dead_letter_topic("t", "g") == "t.g.dlq"
