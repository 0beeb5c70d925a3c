"""Lines out of chunks, wherever the chunks are cut."""

from hypothesis import given
from hypothesis import strategies as st

from ekiben.cli.lines import LineSplitter


def split(chunks, longest=1000):
    splitter = LineSplitter(longest)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return [(line.number, line.text) for line in [*lines, *splitter.finish()]]


@given(st.lists(st.binary(max_size=20).map(lambda raw: raw.replace(b"\r", b"")), max_size=10))
def test_the_same_lines_come_out_however_the_bytes_are_cut(chunks):
    whole = b"".join(chunks)
    assert split(chunks) == split([whole])
    texts = whole.split(b"\n")
    expected = texts if texts[-1] else texts[:-1]
    assert split(chunks) == list(enumerate(expected, start=1))


@given(st.lists(st.binary(max_size=30), max_size=10), st.integers(1, 10))
def test_no_line_is_longer_than_the_longest(chunks, longest):
    lines = split(chunks, longest)
    assert all(text is None or len(text) <= longest for _, text in lines)
    assert [number for number, _ in lines] == list(range(1, len(lines) + 1))


def test_a_line_too_long_is_told_and_the_next_one_is_read():
    assert split([b"12345", b"67890\nshort\n"], longest=6) == [(1, None), (2, b"short")]


def test_of_a_line_too_long_nothing_is_kept_while_it_lasts():
    splitter = LineSplitter(longest=10)
    for _ in range(5):
        assert list(splitter.feed(b"x" * 8)) == []
        assert len(splitter._rest) <= 10


def test_the_ends_of_lines_of_other_systems_are_taken_off():
    assert split([b"a\r\nb\r\n"]) == [(1, b"a"), (2, b"b")]
