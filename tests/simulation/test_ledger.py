"""A ledger is worth what it finds: each promise is broken once here, and has to be reported."""

from __future__ import annotations

from dataclasses import replace

from aiokafka import TopicPartition

from simulation.claims import Claim, Copy, Due, Event, Letter, Place, Written
from simulation.custody import Custody
from simulation.ledger import (
    disordered,
    misplaced,
    unanswered,
    unasked,
    uncommitted,
    wrong_lanes,
    wrong_letters,
)

LOG = TopicPartition("requests", 0)


def due(offset: int, *, model: str = "delay", letter: str | None = None, attempt: int = 1) -> Due:
    written = Written("results", f"r{offset}/result/{attempt}")
    claim = Claim("requests", 0, offset, attempt)
    return Due(claim, model, b"k", b"v%d" % offset, [("own", b"\xfe")], frozenset({written}), letter)


def event(offset: int, at: int, *, attempt: int = 1) -> Event:
    return Event(Place("results", 0, at), f"r{offset}/result/{attempt}", b"k")


def letter(offset: int, name: str = "L") -> Letter:
    of = due(offset, letter=name)
    return Letter(Place("dlq", 0, 0), name, of.claim, of.key, of.value, of.headers, "bug")


def copy(offset: int, lane: str) -> Copy:
    return Copy(Place(lane, 0, 0), lane, due(offset).claim, due(offset).value)


def told(violations) -> list[str]:
    return [violation.invariant for violation in violations]


def test_a_good_history_has_no_violation():
    dues = [due(0), due(1, letter="L"), due(2)]
    events = [event(0, 0), event(1, 1), event(0, 2), event(2, 3)]
    assert unanswered(dues, events, [letter(1)]) == []
    assert unasked(dues, events) == []
    assert misplaced(dues, events) == []
    assert wrong_letters(dues, [letter(1), letter(1)]) == []
    assert disordered(dues, events, []) == []
    assert wrong_lanes(dues, [copy(0, "parked"), copy(0, "retry-5s")], []) == []
    assert uncommitted({LOG: 3}, {LOG: 3}) == []


def test_a_request_without_its_answer_is_reported():
    assert told(unanswered([due(0), due(1)], [event(0, 0)], [])) == ["every request is answered"]


def test_a_missing_dead_letter_is_reported():
    assert told(unanswered([due(0, letter="L")], [event(0, 0)], [])) == ["every request is answered"]


def test_a_second_attempt_that_nobody_made_is_reported():
    assert told(unasked([due(0)], [event(0, 0), event(0, 1, attempt=2)])) == [
        "one terminal event for each attempt"
    ]


def test_a_replay_may_have_its_own_terminal_event():
    assert unasked([due(0), due(0, attempt=2)], [event(0, 0), event(0, 1, attempt=2)]) == []


def test_another_key_or_partition_is_reported():
    wrong_key = replace(event(0, 0), key=b"other")
    wrong_partition = replace(event(0, 0), place=Place("results", 1, 0))
    assert len(misplaced([due(0)], [wrong_key, wrong_partition])) == 2


def test_a_dead_letter_of_a_healthy_record_is_reported():
    assert told(wrong_letters([due(0)], [letter(0)])) == ["a dead letter only where one is due"]


def test_a_dead_letter_with_other_bytes_key_or_headers_is_reported():
    good = letter(0)
    bad = [replace(good, value=b"other"), replace(good, key=None), replace(good, headers=[])]
    assert told(wrong_letters([due(0, letter="L")], bad)) == ["a dead letter is its record unchanged"] * 3


def test_a_dead_letter_that_names_another_offset_or_attempt_is_reported():
    good = letter(0)
    bad = [
        replace(good, claim=good.claim._replace(offset=7)),
        replace(good, claim=good.claim._replace(attempt=2)),
    ]
    assert told(wrong_letters([due(0, letter="L")], bad)) == ["a dead letter names its record"] * 2


def test_an_answer_that_overtakes_is_reported():
    assert told(disordered([due(0), due(1)], [event(1, 0), event(0, 1)], [])) == [
        "order by partition and model"
    ]


def test_order_is_judged_by_first_occurrences_and_by_model():
    again = [event(0, 0), event(1, 1), event(0, 2)]
    assert disordered([due(0), due(1)], again, []) == []
    assert disordered([due(0, model="a"), due(1, model="b")], [event(1, 0), event(0, 1)], []) == []


def test_what_was_moved_is_outside_of_the_order():
    assert disordered([due(0), due(1)], [event(1, 0), event(0, 1)], [copy(0, "parked")]) == []


def test_a_retry_that_was_skipped_is_reported():
    copies = [copy(0, "retry-5s"), copy(0, "retry-10m")]
    assert told(wrong_lanes([due(0)], copies, [])) == ["retries are taken in turn"]


def test_a_replay_as_the_same_attempt_is_reported():
    assert told(wrong_lanes([due(0)], [copy(0, "replay")], [])) == ["a replay is another attempt"]


def test_giving_up_before_the_last_retry_is_reported():
    early = replace(letter(0), reason="retries-exhausted")
    assert told(wrong_lanes([due(0)], [copy(0, "retry-5s")], [early])) == ["all retries are taken"]


def test_a_moved_record_that_changed_is_reported():
    changed = replace(copy(0, "parked"), value=b"other")
    assert told(wrong_lanes([due(0)], [changed], [])) == ["a moved record is unchanged"]


def test_a_group_that_stands_still_is_reported():
    assert told(uncommitted({LOG: 2}, {LOG: 3})) == ["progress is committed"]
    assert told(uncommitted({}, {LOG: 3})) == ["progress is committed"]


def custody_of(*dues: Due) -> Custody:
    custody = Custody()
    for each in dues:
        custody.expect(each)
        custody.keep(each.claim, Place(*each.claim[:3]))
    return custody


def test_a_commit_past_an_unanswered_record_is_reported():
    custody = custody_of(due(0), due(1))
    custody.write(Written("results", "r0/result/1"))
    custody.commit({LOG: 2}, {LOG: 2})
    assert told(custody.violations) == ["nothing is lost at a crash"]
    assert "offset=1" in str(custody.violations[0])


def test_a_commit_of_what_is_answered_or_waits_elsewhere_is_good():
    custody = custody_of(due(0), due(1))
    custody.write(Written("results", "r0/result/1"))
    custody.keep(due(1).claim, Place("parked", 0, 0))
    custody.commit({LOG: 2}, {LOG: 2})
    assert custody.violations == []
    assert list(custody.open) == [due(1).claim]


def test_a_commit_past_the_last_copy_is_reported():
    custody = custody_of(due(0))
    custody.keep(due(0).claim, Place("parked", 0, 0))
    custody.commit({LOG: 1}, {LOG: 1})
    custody.commit({TopicPartition("parked", 0): 1}, {TopicPartition("parked", 0): 1})
    assert told(custody.violations) == ["nothing is lost at a crash"]


def test_an_event_without_its_dead_letter_is_not_an_answer():
    custody = custody_of(due(0, letter="L"))
    custody.write(Written("results", "r0/result/1"))
    custody.commit({LOG: 1}, {LOG: 1})
    assert told(custody.violations) == ["nothing is lost at a crash"]


def test_a_commit_past_the_end_is_reported():
    custody = custody_of()
    custody.commit({LOG: 1}, {LOG: 0})
    assert told(custody.violations) == ["nothing is lost at a crash"]


def test_a_commit_that_was_forgotten_is_no_commit():
    custody = custody_of(due(0))
    custody.write(Written("results", "r0/result/1"))
    custody.commit({LOG: 1}, {LOG: 1})
    custody.rewind(LOG, 0)
    custody.expect(due(0, attempt=2))
    assert custody.committed == {LOG: 0}
