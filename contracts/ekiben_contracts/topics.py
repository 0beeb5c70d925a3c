"""The topics as data: creating them, their documents and the checks all derive from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ekiben_contracts.deployment import (
    DeploymentProgressed,
    DeploymentRequested,
    DeploymentRetireRequested,
    DeploymentRollbackRequested,
    EnsembleRequested,
)
from ekiben_contracts.event import LONGEST_IDENTIFIER, Event
from ekiben_contracts.evolution.upcasting import older_versions
from ekiben_contracts.health import EndpointHealthReported
from ekiben_contracts.operations import DeadLetterDiscarded, DeadLetterReplayed, DeadLetterRevealed
from ekiben_contracts.prediction import (
    ModelsScored,
    ModelsShadowed,
    PredictionCompleted,
    PredictionFailed,
    PredictionOutcomeObserved,
    PredictionRequested,
)
from ekiben_contracts.routing import EnsembleDefined, ModelRouted
from ekiben_contracts.training import ModelTrained, TrainingFailed, TrainingRequested

DAY_MS = 24 * 3600 * 1000
FOREVER = -1
RECORD_LIMIT = 1024 * 1024
"""Bytes of one record on a topic, unless the topic says otherwise."""
HEADROOM = 64 * 1024
"""What the bus's own topics allow beyond the topic they serve: a dead letter always fits."""
LARGEST_RECORD = RECORD_LIMIT + 2 * HEADROOM
"""Bytes: the dead letter of a model output, which is the largest thing any topic takes."""

GATEWAY = "inference-gateway"
SHADOW = "inference-gateway-shadow"
"""The gateway's second group: it asks the versions that are to answer nobody yet."""
SYNTHESIZER = "synthesizer"
DEPLOYER = "deployer"
TRAINER = "trainer"
USERS = "users"
"""Applications that ask for predictions, and tell what came of it."""
OPERATORS = "operators"
"""People who deploy, see to dead letters and keep the topics."""
PEOPLE = (USERS, OPERATORS)
"""They read by no group of the contracts: nobody keeps dead letters for them."""
SERVICES = (GATEWAY, SHADOW, SYNTHESIZER, DEPLOYER, TRAINER)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: what it carries, who writes and reads it, how it is kept.

    `types` are the newest version of each; a record of an older one is read by way of its upcasters.
    `key` is the attribute of its events that keys their records.
    `readers` are consumer groups; each service that reads a topic has a dead-letter topic for it,
    and one to replay through. Those in `retried_by` also retry its records later, and park them.
    Those in `tabled_by` keep it as a table instead, or as well: as all do that read a compacted topic.
    `derived_ids` says that even people make a ce_id out of another id.
    """

    name: str
    key: str
    types: tuple[type[Event], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int = 4
    retention_ms: int = 7 * DAY_MS
    compacted: bool = False
    max_message_bytes: int = RECORD_LIMIT
    retried_by: tuple[str, ...] = ()
    tabled_by: tuple[str, ...] = ()
    derived_ids: bool = False
    by_type: Mapping[str | None, type[Event]] = field(init=False, repr=False, compare=False)
    """The newest versions, by the CloudEvents type of their records; None is that of a record without."""
    older: Mapping[str | None, tuple[type[Event], type[Event]]] = field(init=False, repr=False, compare=False)
    """The versions before them, each with the newest that it becomes; by type or None as above."""
    longest_id: int = field(init=False, repr=False, compare=False)
    """Characters of a ce_id. What people send may become a request id; a service appends to that."""

    def __post_init__(self) -> None:
        by_type: dict[str | None, type[Event]] = {newest.type: newest for newest in self.types}
        older: dict[str | None, tuple[type[Event], type[Event]]] = {
            old.type: (old, newest) for newest in self.types for old in older_versions(newest)
        }
        bare = self.only_type
        if bare is not None and bare in self.types:
            by_type[None] = bare
        elif bare is not None:
            older[None] = older[bare.type]
        object.__setattr__(self, "by_type", by_type)
        object.__setattr__(self, "older", older)
        people_choose = not self.derived_ids and any(each in self.writers for each in PEOPLE)
        object.__setattr__(
            self, "longest_id", LONGEST_IDENTIFIER if people_choose else 2 * LONGEST_IDENTIFIER
        )

    @property
    def only_type(self) -> type[Event] | None:
        """The type of a record without ce_ headers: known only where the topic carries one.

        It is the first version of that: what names no version means for ever what it meant at first.
        """
        return (self.types[0], *older_versions(self.types[0]))[-1] if len(self.types) == 1 else None

    @property
    def versions(self) -> tuple[type[Event], ...]:
        """Every type whose records may stand on it: each newest version, and those before it."""
        return tuple(each for newest in self.types for each in (newest, *older_versions(newest)))

    @property
    def read_by(self) -> tuple[str, ...]:
        """All who read it, as a stream or as a table."""
        return (*self.readers, *(each for each in self.tabled_by if each not in self.readers))

    def key_of(self, event: Event) -> bytes | None:
        """The key of an event's record: an entity, a model or a route. None where the event names none."""
        value: object = getattr(event, self.key)
        return None if value is None else str(value).encode()


PREDICTION_REQUESTS = Topic(
    "ekiben.prediction-requests",
    "entity_id",
    (PredictionRequested,),
    (USERS,),
    (GATEWAY,),
    retried_by=(GATEWAY,),
)
MODEL_OUTPUTS = Topic(
    "ekiben.model-outputs",
    "entity_id",
    (ModelsScored,),
    (GATEWAY,),
    (SYNTHESIZER, SHADOW),
    # it repeats the features of its request, and adds the outputs
    max_message_bytes=RECORD_LIMIT + HEADROOM,
)
PREDICTION_RESULTS = Topic(
    "ekiben.prediction-results",
    "entity_id",
    (PredictionCompleted, PredictionFailed),
    (SYNTHESIZER, GATEWAY),
    (USERS,),
)
SHADOW_OUTPUTS = Topic("ekiben.shadow-outputs", "entity_id", (ModelsShadowed,), (SHADOW,), (USERS,))
PREDICTION_OUTCOMES = Topic(
    "ekiben.prediction-outcomes",
    "entity_id",
    (PredictionOutcomeObserved,),
    (USERS,),
    (TRAINER,),
)
TRAINING_REQUESTS = Topic(
    "ekiben.training-requests", "model", (TrainingRequested,), (USERS,), (TRAINER,), partitions=1
)
TRAINED_MODELS = Topic(
    "ekiben.trained-models",
    "model",
    (ModelTrained, TrainingFailed),
    (TRAINER,),
    (DEPLOYER,),
    partitions=1,
    retention_ms=FOREVER,  # a version may be deployed, or rolled back to, long after its training
    tabled_by=(DEPLOYER,),
)
DEPLOYMENT_REQUESTS = Topic(
    "ekiben.deployment-requests",
    "model",
    (DeploymentRequested, DeploymentRollbackRequested, DeploymentRetireRequested, EnsembleRequested),
    (OPERATORS, DEPLOYER),
    (DEPLOYER,),
    partitions=1,
    tabled_by=(DEPLOYER,),
)
DEPLOYMENT_EVENTS = Topic(
    "ekiben.deployment-events",
    "model",
    (DeploymentProgressed,),
    (DEPLOYER,),
    (OPERATORS, USERS),
    partitions=1,
    retention_ms=FOREVER,
    tabled_by=(DEPLOYER,),
)
ROUTES = Topic(
    "ekiben.routes",
    "key",
    (ModelRouted, EnsembleDefined),
    (DEPLOYER,),
    (GATEWAY, SHADOW, SYNTHESIZER, DEPLOYER, OPERATORS, USERS),
    partitions=1,
    compacted=True,
)
ENDPOINT_HEALTH = Topic(
    "ekiben.endpoint-health",
    "model",
    (EndpointHealthReported,),
    (GATEWAY, SHADOW),
    (OPERATORS,),
    partitions=1,
)
DEAD_LETTER_ACTIONS = Topic(
    "ekiben.dead-letter-actions",
    "dead_letter",
    (DeadLetterReplayed, DeadLetterDiscarded, DeadLetterRevealed),
    (OPERATORS,),
    (OPERATORS,),
    retention_ms=FOREVER,  # as long as the dead letters are
    derived_ids=True,
)

TOPICS: tuple[Topic, ...] = (
    PREDICTION_REQUESTS,
    MODEL_OUTPUTS,
    PREDICTION_RESULTS,
    SHADOW_OUTPUTS,
    PREDICTION_OUTCOMES,
    TRAINING_REQUESTS,
    TRAINED_MODELS,
    DEPLOYMENT_REQUESTS,
    DEPLOYMENT_EVENTS,
    ROUTES,
    ENDPOINT_HEALTH,
    DEAD_LETTER_ACTIONS,
)

BY_NAME: Mapping[str, Topic] = {topic.name: topic for topic in TOPICS}


DEAD_LETTERS = "dlq"
REPLAY = "replay"
RETRIES = ("retry-5s", "retry-1m", "retry-10m")
PARKED = "parked"
KEPT_FOR_EVER = (DEAD_LETTERS, REPLAY, PARKED)
"""What waits for a person or a mended endpoint; a retry has its time."""


def side_topic(topic: str, group: str, purpose: str) -> str:
    """One of the bus's own topics beside a topic, for one group: T.G.dlq, T.G.replay, T.G.parked, …"""
    return f"{topic}.{group}.{purpose}"


def dead_letter_topic(topic: str, group: str) -> str:
    """Where a group's dead letters of a topic go."""
    return side_topic(topic, group, DEAD_LETTERS)


def side_purposes(topic: Topic, group: str) -> tuple[str, ...]:
    """Which of the bus's own topics a group has beside a topic: none beside a compacted one, a table."""
    if topic.compacted or group in PEOPLE:
        return ()
    return (DEAD_LETTERS, REPLAY, *((*RETRIES, PARKED) if group in topic.retried_by else ()))
