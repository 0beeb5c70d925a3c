"""The names on the cluster: a prefix per environment before every topic and group."""

from __future__ import annotations

from dataclasses import dataclass

from ekiben_contracts.topics import DEAD_LETTERS, Topic, side_topic


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of one environment, such as `staging.`."""

    prefix: str = ""

    def topic(self, topic: Topic) -> str:
        return self.prefix + topic.name

    def group(self, service: str) -> str:
        return self.prefix + service

    def side(self, topic: Topic, service: str, purpose: str) -> str:
        """One of the bus's own topics beside a topic, for one service."""
        return self.prefix + side_topic(topic.name, service, purpose)

    def dead_letters(self, topic: Topic, service: str) -> str:
        return self.side(topic, service, DEAD_LETTERS)
