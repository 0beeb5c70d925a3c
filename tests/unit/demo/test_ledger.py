from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben.demo.ledger import Ledger, Phase


def _ledger(*keys: str, phase: Phase = Phase.BULK) -> Ledger:
    ledger = Ledger()
    for at, key in enumerate(keys):
        ledger.sent(key, phase, float(at))
    return ledger


def test_each_record_is_in_one_column() -> None:
    ledger = _ledger("completed", "failed", "unreadable", "lost")
    ledger.answered("completed", 5.0)
    ledger.answered("failed", 5.0, code="unknown_model")
    ledger.buried("letter-1", "failed", 5.0)  # a failure may have a dead letter too
    ledger.buried("letter-2", "unreadable", 5.0)

    accounts = ledger.accounts()

    assert (accounts.sent, accounts.completed, accounts.unreadable, accounts.lost) == (4, 1, 1, 1)
    assert accounts.failed == {"unknown_model": 1}
    assert accounts.dead_letters == 2
    assert accounts.missing == ["lost"]
    assert not accounts.is_whole


def test_the_first_answer_stands_and_others_are_duplicates() -> None:
    ledger = _ledger("a")

    assert ledger.answered("a", 1.0)
    assert not ledger.answered("a", 2.0, code="internal")
    ledger.repeated(2)

    accounts = ledger.accounts()
    assert accounts.duplicates == 3
    assert accounts.completed == 1
    assert accounts.failed == {}


def test_answers_to_somebody_else_are_not_counted() -> None:
    ledger = _ledger("a")

    assert not ledger.answered("somebody-elses", 1.0)
    assert ledger.accounts().completed == 0
    assert not ledger.is_settled()


def test_a_dead_letter_that_is_found_twice_counts_once() -> None:
    ledger = _ledger("a")
    ledger.buried("letter", "a", 1.0)
    ledger.buried("letter", "a", 2.0)

    assert ledger.accounts().dead_letters == 1
    assert ledger.settled_in(Phase.BULK) == 1


def test_a_dead_letter_whose_record_cannot_be_told_settles_nothing() -> None:
    ledger = _ledger("a")
    ledger.buried("letter", None, 1.0)

    assert ledger.accounts().dead_letters == 1
    assert ledger.accounts().lost == 1


def test_a_key_is_used_once() -> None:
    ledger = _ledger("a")

    with pytest.raises(ValueError, match="found 'a' again"):
        ledger.sent("a", Phase.PACED, 1.0)


def test_the_rate_is_from_the_first_sent_to_the_last_settled() -> None:
    ledger = _ledger("a", "b", "c")
    for key, at in (("a", 3.0), ("c", 6.0), ("b", 5.0)):
        ledger.answered(key, at)

    assert ledger.rate(Phase.BULK) == 3 / 6.0
    assert ledger.rate(Phase.PACED) is None


def test_latencies_are_those_of_the_phase() -> None:
    ledger = _ledger("a", "b")
    ledger.sent("c", Phase.PACED, 10.0)
    ledger.sent("d", Phase.PACED, 11.0)
    ledger.answered("a", 9.0)
    ledger.answered("c", 10.5)

    assert ledger.latencies(Phase.PACED) == [0.5]


@given(
    st.lists(
        st.tuples(st.sampled_from(["answered", "failed", "buried"]), st.integers(0, 20)),
        max_size=60,
    )
)
def test_whatever_happens_the_columns_sum_up(happenings: list[tuple[str, int]]) -> None:
    ledger = _ledger(*(f"r{n}" for n in range(10)))
    for at, (what, n) in enumerate(happenings):
        if what == "buried":
            ledger.buried(f"letter-{n}", f"r{n}", float(at))
        else:
            ledger.answered(f"r{n}", float(at), code=None if what == "answered" else "internal")

    accounts = ledger.accounts()
    failed = sum(accounts.failed.values())

    assert accounts.sent == accounts.completed + failed + accounts.unreadable + accounts.lost == 10
    assert accounts.lost == 10 - len({n for _, n in happenings if n < 10})
    assert ledger.settled_in(Phase.BULK) == accounts.sent - accounts.lost
    assert ledger.is_settled() == (accounts.lost == 0)
