"""Where a consumer stands before a poll: a poll that fails must not have moved on.

aiokafka's poll takes what it has partition by partition, and each position moves on with that. When the
batch of a later partition cannot be read (a wrong checksum, data that do not decompress), it raises, and
what it took of the earlier ones is never seen: the next commit would pass it over.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


class Standing:
    """The positions of a consumer at one moment; those that are not known yet are left out."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._assignment = _assignment(consumer)
        self._positions = _positions(self._assignment)

    def go_back(self) -> None:
        """Read again what was taken since: where a position was not known, from what is committed."""
        assignment = _assignment(self._consumer)
        before = self._positions if assignment is self._assignment else {}
        for place, position in _positions(assignment).items():
            if place not in before:
                _forget(self._consumer, place)
            elif position != before[place]:
                self._consumer.seek(place, before[place])


# aiokafka tells no position without waiting for one, and has no call that forgets one


def _assignment(consumer: Any) -> Any:
    subscription = consumer._subscription.subscription  # noqa: SLF001
    return None if subscription is None else subscription.assignment


def _positions(assignment: Any) -> dict[TopicPartition, int]:
    if assignment is None:
        return {}
    states = {place: assignment.state_value(place) for place in assignment.tps}
    return {place: state.position for place, state in states.items() if state.has_valid_position}


def _forget(consumer: Any, place: TopicPartition) -> None:
    consumer._fetcher.request_offset_reset([place], None)  # noqa: SLF001 - no strategy: as just assigned
