"""What counts as seen, and for how long."""

from hypothesis import given
from hypothesis import strategies as st

from ekiben.deduplication import SeenIds

records = st.lists(
    st.tuples(
        st.sampled_from([f"r{n}/result/1" for n in range(6)]),
        st.integers(0, 2),
        st.integers(0, 50),  # milliseconds since the record before
    ),
    max_size=60,
)


def timed(steps):
    now = 1_000
    for ce_id, partition, later in steps:
        now += later
        yield ce_id, partition, now


@given(records)
def test_within_the_window_each_id_is_new_exactly_once(steps):
    seen = SeenIds(most=100, span_ms=60 * 50)
    taken = [
        ce_id for ce_id, partition, at in timed(steps) if seen.is_new(ce_id, partition=partition, at_ms=at)
    ]
    assert taken == list(dict.fromkeys(ce_id for ce_id, _, _ in steps))


@given(records, st.integers(1, 4), st.integers(0, 120))
def test_an_id_never_seen_is_never_dropped(steps, most, span):
    seen = SeenIds(most=most, span_ms=span)
    ever = set()
    for ce_id, partition, at in timed(steps):
        is_new = seen.is_new(ce_id, partition=partition, at_ms=at)
        assert is_new or ce_id in ever
        ever.add(ce_id)


@given(records, st.integers(1, 4), st.integers(0, 120))
def test_memory_is_bounded_for_each_partition(steps, most, span):
    seen = SeenIds(most=most, span_ms=span)
    partitions = set()
    for ce_id, partition, at in timed(steps):
        seen.is_new(ce_id, partition=partition, at_ms=at)
        partitions.add(partition)
        assert len(seen) <= most * len(partitions)


def test_an_id_counts_as_seen_in_every_partition():
    seen = SeenIds()
    assert seen.is_new("a/result/1", partition=0, at_ms=0)
    assert not seen.is_new("a/result/1", partition=3, at_ms=1)


def test_an_id_is_forgotten_after_the_span():
    seen = SeenIds(span_ms=1000)
    assert seen.is_new("a/result/1", partition=0, at_ms=0)
    assert not seen.is_new("a/result/1", partition=0, at_ms=1000)
    assert seen.is_new("a/result/1", partition=0, at_ms=2001)


def test_an_id_is_forgotten_after_enough_others():
    seen = SeenIds(most=2)
    for ce_id in ("a", "b", "c"):
        assert seen.is_new(ce_id, partition=0, at_ms=0)
    assert not seen.is_new("b", partition=0, at_ms=0)
    assert seen.is_new("a", partition=0, at_ms=0)


def test_one_record_from_the_future_does_not_switch_it_off():
    seen = SeenIds(span_ms=1000)
    seen.is_new("far", partition=0, at_ms=10_000_000)
    assert seen.is_new("a", partition=0, at_ms=1)
    assert not seen.is_new("a", partition=0, at_ms=2)
