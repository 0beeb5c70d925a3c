"""How long the system took to recover from each fault, and whether it hurt anybody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from faults.soak.ledger import Seen, Sent, first_of_each
from faults.soak.nemesis import Fault

_READ_WITHIN_S = 0.5


@dataclass(frozen=True)
class Recovery:
    """Of one fault: the requests that were unanswered when it fell, and the seconds until they were.

    They are counted from its end, and to the last answer of all that was sent before that.
    """

    fault: Fault
    unanswered: int
    seconds: float


def recoveries(
    faults: Iterable[Fault], sent: Sequence[Sent], results: Sequence[Seen], answered_at: Mapping[str, float]
) -> list[Recovery]:
    """`answered_at`: when a reader first saw the answer of each request.

    A request was unanswered at a fault if its result was made later, or made and not acknowledged: then
    no reader can have it, and a reader is never half a second behind.
    """
    made_at = {seen.request_id: seen.at for seen in first_of_each(results)}

    def was_unanswered(one: Sent, moment: float) -> bool:
        made, read = made_at.get(one.request_id, 0.0), answered_at.get(one.request_id, 0.0)
        return one.at <= moment and (made > moment or read > moment + _READ_WITHIN_S)

    return [
        Recovery(
            fault,
            sum(was_unanswered(one, fault.began) for one in sent),
            max(0.0, _last_answer(fault, sent, answered_at) - fault.lifted),
        )
        for fault in faults
    ]


def _last_answer(fault: Fault, sent: Sequence[Sent], answered_at: Mapping[str, float]) -> float:
    waiting = (
        answered_at[one.request_id]
        for one in sent
        if one.at <= fault.lifted and one.request_id in answered_at
    )
    return max(waiting, default=0.0)
