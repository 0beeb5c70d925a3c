"""As the operator's tool does: a dead letter again, by its own lane, its attempt raised."""

from __future__ import annotations

from collections.abc import Sequence

from ekiben_bus.lanes import MovedRecord, replay
from ekiben_bus.publishing import WireRecord
from ekiben_contracts.topics import REPLAY
from simulation.claims import Letter
from simulation.history import READ, side
from simulation.plan import PREFIX


def replays(letters: Sequence[Letter], most: int) -> list[WireRecord]:
    """Of the first few dead letters by id."""
    by_id = {letter.id: letter for letter in letters}
    return [_replay(by_id[id_]) for id_ in sorted(by_id)[:most]]


def _replay(letter: Letter) -> WireRecord:
    topic, group = next((t, g) for t, g, _ in READ if PREFIX + t.name == letter.claim.topic)
    claim = letter.claim
    died = MovedRecord(
        claim.topic,
        claim.partition,
        claim.offset,
        0,
        letter.key,
        letter.value,
        letter.headers,
        claim.attempt,
    )
    return replay(died, side(topic, group, REPLAY))
