"""The ledger: from what was sent and what came out to what the system did wrong. Pure, and no Ekiben code.

It judges as a reader does who drops equal ids: of the records with one ce_id the first by offset stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SCORED = "scored"
RESULT = "result"


class Sent(NamedTuple):
    """A request that the broker acknowledged: its place on the requests topic, and when that was."""

    request_id: str
    model: str
    partition: int
    offset: int
    at: float = 0.0


class Seen(NamedTuple):
    """A record that came out, at its place; `at` is when its producer made it."""

    ce_id: str
    request_id: str
    partition: int
    offset: int
    status: str = "completed"
    at: float = 0.0


@dataclass(frozen=True)
class Audit:
    """What the system did to the requests. The first five are the wrongs; the rest is told beside them.

    `aside` were parked, retried or replayed: they have no order. `ordered` have one, on either hop.
    """

    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    out_of_order: tuple[str, ...]
    misplaced: tuple[str, ...]
    unasked: tuple[str, ...]
    requests: int
    ordered: int
    aside: int
    failed: int
    redelivered: int

    @property
    def wrongs(self) -> dict[str, tuple[str, ...]]:
        """What must not be, by its name; empty where all is well."""
        names = ("lost", "duplicated", "out_of_order", "misplaced", "unasked")
        return {name: found for name in names if (found := getattr(self, name))}


def audit(
    sent: Iterable[Sent], scored: Sequence[Seen], results: Sequence[Seen], aside: Collection[str]
) -> Audit:
    """Compare. `aside` names the requests that were found parked, retried or replayed."""
    asked = {one.request_id: one for one in sent}
    first_scored, first_results = first_of_each(scored), first_of_each(results)
    terminal: defaultdict[str, list[Seen]] = defaultdict(list)
    for seen in first_results:
        terminal[seen.request_id].append(seen)
    in_order = asked.keys() - frozenset(aside)
    return Audit(
        lost=tuple(name for name in asked if name not in terminal),
        duplicated=tuple(name for name, found in terminal.items() if len(found) > 1),
        out_of_order=(
            *_overtaken(asked, first_scored, in_order),
            *_overtaken(asked, first_results, in_order),
        ),
        misplaced=tuple(seen.ce_id for seen in (*scored, *results) if _is_misplaced(seen, asked)),
        unasked=tuple(seen.ce_id for seen in (*first_scored, *first_results) if not _answers(seen, asked)),
        requests=len(asked),
        ordered=len(in_order),
        aside=len(asked) - len(in_order),
        failed=sum(seen.status == "failed" for seen in first_results),
        redelivered=len(results) - len(first_results),
    )


def first_of_each(seen: Iterable[Seen]) -> list[Seen]:
    """What stands of records with equal ids: the first by offset, partition by partition."""
    first: dict[str, Seen] = {}
    for one in sorted(seen, key=lambda one: (one.partition, one.offset)):
        first.setdefault(one.ce_id, one)
    return list(first.values())


def _overtaken(asked: Mapping[str, Sent], first: Sequence[Seen], in_order: Collection[str]) -> list[str]:
    """Those that came out behind a later request of their partition and model."""
    furthest: dict[tuple[int, str], int] = {}
    late: list[str] = []
    for seen in first:
        if seen.request_id not in in_order:
            continue
        request = asked[seen.request_id]
        lane = seen.partition, request.model
        if request.offset < furthest.get(lane, -1):
            late.append(seen.ce_id)
        furthest[lane] = max(request.offset, furthest.get(lane, -1))
    return late


def _answers(seen: Seen, asked: Mapping[str, Sent]) -> bool:
    """Whether it is about a request that was sent, under the id that its first attempt has to have."""
    allowed = {f"{seen.request_id}/{stage}/1" for stage in (SCORED, RESULT)}
    return seen.request_id in asked and seen.ce_id in allowed


def _is_misplaced(seen: Seen, asked: Mapping[str, Sent]) -> bool:
    return seen.request_id in asked and seen.partition != asked[seen.request_id].partition
