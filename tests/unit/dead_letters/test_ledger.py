"""What is known of many dead letters, on disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben.dead_letters.ledger import Ledger
from ekiben.dead_letters.pacing import Pace
from unit.dead_letters.building import NOW, letter


@pytest.fixture
def ledger():
    with Ledger() as ledger:
        yield ledger


def test_what_somebody_acted_on_is_settled_and_no_other_attempt_of_it(ledger):
    ledger.settle(letter(attempt=1).id, NOW)
    assert ledger.is_settled(letter(attempt=1))
    assert not ledger.is_settled(letter(attempt=2))
    assert not ledger.is_settled(letter(offset=42))


def test_a_later_attempt_settles_those_before_it_even_where_nobody_recorded_the_replay(ledger):
    for attempt in (3, 2):
        ledger.note_return(letter(attempt=attempt))
    settled = [ledger.is_settled(letter(attempt=attempt)) for attempt in (1, 2, 3)]
    assert settled == [True, True, False]
    assert not ledger.is_settled(letter(offset=42))


@given(st.lists(st.integers(0, 20)))
def test_each_id_is_new_once(offsets):
    with Ledger() as ledger:
        new = [offset for offset in offsets if ledger.is_new(letter(offset=offset))]
    assert new == list(dict.fromkeys(offsets))


@given(rate=st.floats(0.5, 1e6), took_s=st.lists(st.floats(0, 1), min_size=1))
def test_a_pace_is_never_exceeded(rate, took_s):
    pace = Pace(rate)
    for took in took_s:
        sent = pace.chunk
        assert sent / max(took + pace.wait_s(sent, took), 1e-12) <= rate * 1.000001


def test_without_a_rate_nothing_waits():
    assert Pace().wait_s(1_000_000, 0.0) == 0.0
