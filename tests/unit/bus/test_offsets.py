"""Offsets: only what is finished is committed, and nothing for partitions that are gone."""

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.offsets import OffsetTracker

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


def test_what_is_finished_is_to_commit_until_the_broker_has_it():
    tracker = OffsetTracker()
    tracker.finish({A: 5, B: 2})
    assert tracker.uncommitted() == {A: 5, B: 2}
    tracker.commit({A: 5})
    assert tracker.uncommitted() == {B: 2}


def test_a_batch_that_finishes_during_a_commit_is_still_to_commit_after_it():
    tracker = OffsetTracker()
    tracker.finish({A: 5})
    committing = tracker.uncommitted()
    tracker.finish({A: 9})
    tracker.commit(committing)
    assert tracker.uncommitted() == {A: 9}


def test_a_revoked_partition_is_never_committed_again():
    tracker = OffsetTracker()
    tracker.finish({A: 5, B: 2})
    tracker.forget([A])
    assert tracker.uncommitted() == {B: 2}


def test_a_partition_that_comes_back_further_behind_is_committed_where_it_is():
    tracker = OffsetTracker()
    tracker.finish({A: 9})
    tracker.commit({A: 9})
    tracker.forget([A])
    tracker.finish({A: 9})
    assert tracker.uncommitted() == {A: 9}


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 1000), st.booleans())))
def test_committed_and_uncommitted_together_are_the_last_that_finished(steps):
    tracker, last, stored = OffsetTracker(), {}, {}
    for place, offset, commits in steps:
        tracker.finish({place: offset})
        last[place] = offset
        if commits:
            stored |= tracker.uncommitted()
            tracker.commit(tracker.uncommitted())
    assert stored | tracker.uncommitted() == last
