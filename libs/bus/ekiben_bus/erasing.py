"""Deleting the oldest records of topics that keep for ever: Kafka can take away a log's beginning, no more.

Source: KIP-107.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from ekiben_bus.administration import administration
from ekiben_bus.forbidden import refusals_named
from ekiben_bus.principals import principal_of
from ekiben_bus.settings import KafkaSettings


async def delete_before(settings: KafkaSettings, offsets: Mapping[TopicPartition, int]) -> None:
    """Delete what lies before an offset of each partition. Nobody can bring it back.

    Raises:
        UnreachableError: no broker answered.
        ForbiddenError: the caller may not delete.
        KafkaError: the cluster refuses.
    """
    if offsets:
        async with administration(settings) as admin:
            with refusals_named(principal_of(settings), "Delete"):
                until = {place: RecordsToDelete(before) for place, before in offsets.items()}
                await admin.delete_records(until)
