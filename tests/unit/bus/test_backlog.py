from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.backlog import BATCH_BYTES, Backlog

MIB = 1024 * 1024
VALUES = {size: bytes(size) for size in (0, 1, 1000, MIB, 3 * MIB, 5 * MIB)}


def record(size):
    return SimpleNamespace(value=VALUES[size] or None)


records = st.lists(st.sampled_from(sorted(VALUES)).map(record), max_size=30)


@given(records, records, st.integers(1, 9))
def test_every_record_is_taken_once_in_order_in_batches_bounded_in_records_and_bytes(first, later, most):
    backlog = Backlog(first)
    backlog.add(later)
    taken = []
    while backlog.records:
        filled, before = backlog.fills(most), len(backlog.records)
        batch = backlog.take(most)
        sizes = [len(one.value or b"") for one in batch]
        assert 1 <= len(batch) <= most
        assert sum(sizes[:-1]) < BATCH_BYTES, "only its last record takes a batch over"
        assert filled == (
            before >= most or sum(len(one.value or b"") for one in [*batch, *backlog.records]) >= BATCH_BYTES
        )
        taken += batch
    assert [id(one) for one in taken] == [id(one) for one in [*first, *later]]
    assert not backlog.fills(1)


def test_few_large_records_are_enough():
    assert not Backlog([record(MIB)] * 3).fills(512)
    assert Backlog([record(MIB)] * 4).fills(512)
