"""The judge is judged: every history with a wrong in it is found out, and a good one is let go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.soak.ledger import Seen, Sent, audit

REQUESTS = [Sent(f"r{n}", ("mild", "keen")[n % 2], n % 3, n) for n in range(30)]


def made(stage, requests=REQUESTS):
    return [
        Seen(f"{one.request_id}/{stage}/1", one.request_id, one.partition, offset)
        for offset, one in enumerate(requests)
    ]


SCORED, RESULTS = made("scored"), made("result")


def wrongs(scored=SCORED, results=RESULTS, aside=()):
    return {name: len(found) for name, found in audit(REQUESTS, scored, results, aside).wrongs.items()}


def at(seen, offset):
    return seen._replace(offset=offset)


def test_a_good_history_has_no_wrongs_and_all_of_it_was_judged():
    found = audit(REQUESTS, SCORED, RESULTS, ())
    assert found.wrongs == {}
    assert (found.requests, found.ordered, found.aside, found.failed, found.redelivered) == (30, 30, 0, 0, 0)


def test_nothing_sent_and_nothing_answered_is_not_called_thirty_requests():
    assert audit([], [], [], ()).requests == 0


def test_a_request_without_its_terminal_event_is_lost_though_it_was_scored():
    assert wrongs(results=RESULTS[:7] + RESULTS[8:]) == {"lost": 1}


def test_a_second_terminal_event_under_another_id_is_a_duplicate():
    second = RESULTS[-1]._replace(ce_id="r29/result/2", offset=99)
    assert wrongs(results=[*RESULTS, second]) == {"duplicated": 1, "unasked": 1}


def test_redelivered_events_with_equal_ids_are_dropped_and_counted():
    again = [at(seen, seen.offset + 100) for seen in RESULTS[:5]]
    found = audit(REQUESTS, SCORED, [*RESULTS, *again], ())
    assert found.wrongs == {}
    assert found.redelivered == 5


@pytest.mark.parametrize("hop", ["scored", "results"])
def test_an_event_behind_a_later_one_of_its_partition_and_model_is_out_of_order_on_either_hop(hop):
    history = {"scored": list(SCORED), "results": list(RESULTS)}
    first, later = history[hop][0], history[hop][6]  # both of partition 0 and one model
    history[hop][0], history[hop][6] = at(first, later.offset), at(later, first.offset)
    assert wrongs(**history) == {"out_of_order": 1}


@pytest.mark.parametrize("other", [1, 3], ids=["partition", "model"])
def test_order_across_partitions_and_models_is_nobodys_promise(other):
    results = list(RESULTS)
    results[0], results[other] = at(RESULTS[0], RESULTS[other].offset), at(RESULTS[other], 0)
    assert wrongs(results=results) == {}


def test_a_redelivered_first_does_not_make_up_for_the_order_it_came_in():
    results = [at(seen, 100 + seen.offset) for seen in RESULTS]
    results.append(at(RESULTS[6], 50))  # its first occurrence stands, before all the others
    assert wrongs(results=results) == {"out_of_order": 1}


def test_what_was_parked_retried_or_replayed_has_no_order_and_is_counted_apart():
    results = [at(RESULTS[0], 99), *RESULTS[1:]]
    assert wrongs(results=results) == {"out_of_order": 1}
    found = audit(REQUESTS, SCORED, results, {"r0"})
    assert found.wrongs == {}
    assert (found.ordered, found.aside) == (29, 1)


def test_what_was_set_aside_and_never_answered_is_lost_all_the_same():
    assert wrongs(results=RESULTS[1:], aside={"r0"}) == {"lost": 1}


def test_a_result_on_another_partition_than_its_request_is_misplaced():
    assert wrongs(results=[RESULTS[0]._replace(partition=2), *RESULTS[1:]]) == {"misplaced": 1}


def test_a_copy_of_a_result_on_another_partition_is_misplaced_though_its_id_is_equal():
    assert wrongs(results=[*RESULTS, RESULTS[0]._replace(partition=2, offset=99)]) == {"misplaced": 1}


@pytest.mark.parametrize(
    "stranger",
    [Seen("x1/result/1", "x1", 0, 99), Seen("some-uuid", "r1", 1, 99), Seen("", "r1", 1, 99)],
    ids=["a request that nobody sent", "a random id", "no id"],
)
def test_an_answer_to_nobody_or_under_a_wrong_id_was_not_asked_for(stranger):
    assert wrongs(results=[*RESULTS, stranger])["unasked"] == 1


def test_a_failed_result_is_a_terminal_event_and_counted():
    found = audit(REQUESTS, SCORED, [RESULTS[0]._replace(status="failed"), *RESULTS[1:]], ())
    assert found.wrongs == {}
    assert found.failed == 1


@given(st.sets(st.sampled_from(range(30)), min_size=1))
def test_whatever_is_missing_is_named(missing):
    kept = [seen for number, seen in enumerate(RESULTS) if number not in missing]
    assert set(audit(REQUESTS, SCORED, kept, ()).lost) == {f"r{number}" for number in missing}


@given(st.permutations(RESULTS))
def test_the_order_in_which_records_were_read_does_not_matter(shuffled):
    assert audit(REQUESTS, SCORED, shuffled, ()) == audit(REQUESTS, SCORED, RESULTS, ())
