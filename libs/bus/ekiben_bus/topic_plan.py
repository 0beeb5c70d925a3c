"""Which topics the contracts want on a cluster, and how a cluster differs from that: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ekiben_bus.naming import Naming
from ekiben_contracts.topics import FOREVER, HEADROOM, KEPT_FOR_EVER, PEOPLE, Topic, side_purposes

_MOST_REPLICAS = 3


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """A topic as it should be. `fed_by` names those whose partition numbers its records keep."""

    name: str
    partitions: int
    replicas: int
    configs: Mapping[str, str]
    fed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the cluster has it."""

    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Drift:
    """A setting of a topic that differs from the contracts. It works; nobody changes it unasked."""

    topic: str
    setting: str
    expected: str
    found: str | None

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} expected {self.expected}, found {self.found or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A topic with too few partitions: a record could not keep its partition number on the way."""

    topic: str
    expected: int
    found: int
    because_of: str

    def __str__(self) -> str:
        expected = f"at least {self.expected} partitions ({self.because_of})"
        return f"{self.topic}: expected {expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be created, what is there, and how what is there differs."""

    missing: tuple[WantedTopic, ...]
    existing: tuple[str, ...]
    shortfalls: tuple[Shortfall, ...]
    drifts: tuple[Drift, ...]


def wanted_topics(
    topics: Iterable[Topic], naming: Naming, *, brokers: int, partitions: Mapping[str, int] | None = None
) -> tuple[WantedTopic, ...]:
    """Every topic, and the bus's own beside it for each service that reads it as a stream.

    `partitions` overrides the contracts' by the name of a topic without its prefix.
    """
    listed = tuple(topics)
    overrides = partitions or {}
    wanted: list[WantedTopic] = []
    for topic in listed:
        count = overrides.get(topic.name, topic.partitions)
        sources = tuple(naming.topic(source) for source in listed if _feeds(source, topic))
        name, replicas = naming.topic(topic), min(_MOST_REPLICAS, brokers)
        wanted.append(WantedTopic(name, count, replicas, _configs(topic, replicas), sources))
        wanted.extend(
            WantedTopic(
                naming.side(topic, reader, purpose),
                count,
                replicas,
                _side_configs(topic, purpose, replicas),
                (name,),
            )
            for reader in topic.readers
            for purpose in side_purposes(topic, reader)
        )
    return tuple(wanted)


def plan(wanted: Sequence[WantedTopic], found: Mapping[str, FoundTopic]) -> Plan:
    """Compare. A topic that is to be created gets the partitions of the largest topic that feeds it."""
    needed = _needed_partitions(wanted, found)
    present = [topic for topic in wanted if topic.name in found]
    return Plan(
        missing=tuple(
            replace(topic, partitions=needed[topic.name]) for topic in wanted if topic.name not in found
        ),
        existing=tuple(topic.name for topic in present),
        shortfalls=tuple(
            Shortfall(topic.name, needed[topic.name], found[topic.name].partitions, _why(topic, needed))
            for topic in present
            if found[topic.name].partitions < needed[topic.name]
        ),
        drifts=tuple(drift for topic in present for drift in _drifts(topic, found[topic.name])),
    )


def _services_reading(topic: Topic) -> tuple[str, ...]:
    """Those whose dead letters of it are kept. A compacted topic is read as a table, and has none."""
    return () if topic.compacted else tuple(reader for reader in topic.readers if reader not in PEOPLE)


def _feeds(source: Topic, topic: Topic) -> bool:
    """True if a service turns records of the one into records of the other under the same key."""
    shared = set(_services_reading(source)) & set(topic.writers)
    return bool(shared) and source.key == topic.key and source.name != topic.name


def _needed_partitions(wanted: Sequence[WantedTopic], found: Mapping[str, FoundTopic]) -> dict[str, int]:
    needed = {topic.name: topic.partitions for topic in wanted}
    for _ in wanted:  # as many rounds as the longest way from topic to topic
        for topic in wanted:
            feeding = (max(needed[name], _partitions(found, name)) for name in topic.fed_by)
            needed[topic.name] = max(needed[topic.name], *feeding, 0)
    return needed


def _partitions(found: Mapping[str, FoundTopic], name: str) -> int:
    return found[name].partitions if name in found else 0


def _why(topic: WantedTopic, needed: Mapping[str, int]) -> str:
    if needed[topic.name] == topic.partitions:
        return "as the contracts say, or as was asked"
    return "as many as " + " and ".join(topic.fed_by)


def _drifts(wanted: WantedTopic, found: FoundTopic) -> Iterable[Drift]:
    for setting, expected in wanted.configs.items():
        value = found.configs.get(setting)
        if value != expected:
            yield Drift(wanted.name, setting, expected, value)


def _configs(topic: Topic, replicas: int) -> dict[str, str]:
    kept = {"cleanup.policy": "compact"} if topic.compacted else _kept_for(topic.retention_ms)
    return {**kept, **_durability(replicas), "max.message.bytes": str(topic.max_message_bytes)}


def _side_configs(topic: Topic, purpose: str, replicas: int) -> dict[str, str]:
    kept = _kept_for(FOREVER if purpose in KEPT_FOR_EVER else topic.retention_ms)
    return {**kept, **_durability(replicas), "max.message.bytes": str(topic.max_message_bytes + HEADROOM)}


def _kept_for(retention_ms: int) -> dict[str, str]:
    # by time alone: a limit in bytes would delete what nobody has read
    return {"cleanup.policy": "delete", "retention.ms": str(retention_ms), "retention.bytes": "-1"}


def _durability(replicas: int) -> dict[str, str]:
    # one replica may be away; with two, waiting for both would stop at the first death
    return {"min.insync.replicas": "2" if replicas >= _MOST_REPLICAS else "1"}
