"""Which ids a reader has seen lately: what makes one result out of a redelivered one."""

from __future__ import annotations

from collections import OrderedDict

MOST_IDS = 100_000
SPAN_MS = 10 * 60 * 1000


class SeenIds:
    """The ids of each partition, at most `most` of them and at most `span_ms` back.

    Time is that of the records, so that reading an old log again drops the same duplicates. An id
    counts as seen whichever partition it came in: using a request id again, even for another
    entity, means the same request.
    """

    def __init__(self, *, most: int = MOST_IDS, span_ms: int = SPAN_MS) -> None:
        self._most = most
        self._span_ms = span_ms
        self._windows: dict[int, OrderedDict[str, int]] = {}

    def is_new(self, id: str, *, partition: int, at_ms: int) -> bool:
        """Whether this is the first record with this id within the window; it is remembered either way."""
        window = self._windows.setdefault(partition, OrderedDict())
        while window and at_ms - next(iter(window.values())) > self._span_ms:
            window.popitem(last=False)
        known = any(id in seen for seen in self._windows.values())
        window.pop(id, None)
        window[id] = at_ms
        if len(window) > self._most:
            window.popitem(last=False)
        return not known

    def __len__(self) -> int:
        return sum(map(len, self._windows.values()))
