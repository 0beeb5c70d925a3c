"""Which dead letters are meant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ekiben.dead_letters.graves import graves, graves_of
from ekiben.dead_letters.selection import Selection
from ekiben_bus.naming import Naming
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, SYNTHESIZER
from unit.dead_letters.building import NOW, THE_DAY_BEFORE, letter, letter_id

DIED = THE_DAY_BEFORE + timedelta(minutes=41)


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(), True),
        (Selection(ids=frozenset([letter_id()])), True),
        (Selection(ids=frozenset([letter_id(7)])), False),
        (Selection(reason="unknown-model"), True),
        (Selection(reason="bug"), False),
        (Selection(error_class="UnknownModelError"), True),
        (Selection(error_class="ValueError"), False),
        (Selection(key=b"UA-1545"), True),
        (Selection(key=b"UA-1546"), False),
        (Selection(since=DIED), True),
        (Selection(since=DIED + timedelta(seconds=1)), False),
        (Selection(until=DIED), False),
        (Selection(until=DIED + timedelta(seconds=1)), True),
        (Selection(reason="unknown-model", key=b"another"), False),
    ],
)
def test_every_condition_has_to_hold(selection, meant):
    assert selection.has(letter()) is meant


def test_a_letter_that_does_not_say_when_it_died_is_in_no_span_of_time():
    assert not Selection(since=NOW - timedelta(days=9999)).has(letter(failed_at="yesterday"))


def test_topics_and_groups_are_known_with_the_prefix_and_without():
    staging = Naming("staging.")
    by_contract = graves(staging, PREDICTION_REQUESTS.name, GATEWAY)
    assert [grave.replay for grave in by_contract] == [
        "staging.ekiben.prediction-requests.inference-gateway.replay"
    ]
    assert graves(staging, "staging.ekiben.prediction-requests", "staging.inference-gateway") == by_contract
    assert graves(staging, PREDICTION_REQUESTS.name, SYNTHESIZER) == []


def test_an_id_tells_where_to_look_and_one_that_does_not_is_looked_for_everywhere():
    naming = Naming("staging.")
    placed = f"staging.{letter_id()}"
    assert [grave.group for grave in graves_of([placed], naming)] == [GATEWAY]
    assert graves_of([placed, "x/1"], naming) == graves(naming)
