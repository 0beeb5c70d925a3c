"""The cluster: a broker that answers, and the topics on it."""

from __future__ import annotations

from ekiben.doctor.check import Check, fail, ok, skipped
from ekiben.local.kafka import choose_rung
from ekiben_bus.administration import TopicsError, UnreachableError
from ekiben_bus.brokers.errors import BrokerError
from ekiben_bus.brokers.rungs import BrokerSettings
from ekiben_bus.errors import ConnectionSettingsError, RefusedError
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topic_plan import Plan
from ekiben_bus.topics import compare_topics

_BROKER, _TOPICS = "broker", "topics"
_MOST_NAMED = 3
_ANY_MEND = "`ekiben up`, another address, or the KAFKA_SASL_ and KAFKA_SSL_ settings"
_NO_TOPICS = skipped(_TOPICS, "no broker to ask")


async def cluster(kafka: KafkaSettings, topic_prefix: str, origin: str) -> list[Check]:
    """Whether it answers, and how its topics differ from the contracts."""
    address = f"{kafka.bootstrap_servers}, from {origin}"
    try:
        plan = await compare_topics(kafka, Naming(topic_prefix))
    except UnreachableError as error:
        return [_unreachable(error, address), _NO_TOPICS]
    except (TopicsError, ConnectionSettingsError, OSError) as error:
        return [fail(_BROKER, f"{address}: {error}", _ANY_MEND), _NO_TOPICS]
    return [ok(_BROKER, f"answers at {address}"), _topics(plan)]


def _unreachable(error: UnreachableError, address: str) -> Check:
    if not isinstance(error.__cause__, RefusedError):
        return fail(_BROKER, f"{address}: {error}", _ANY_MEND)
    refusal = error.__cause__.refusal
    found = f"{address}: expected {refusal.expected} at {refusal.address}, found {refusal.found}"
    return fail(_BROKER, found, f"{refusal.attempt} ({refusal.setting})")


def nobody(error: str, mend: str) -> list[Check]:
    """No broker is known; which one `ekiben up` would run here."""
    try:
        rung = choose_rung(BrokerSettings(), KafkaSettings())
    except BrokerError as why_not:
        return [fail(_BROKER, error, str(why_not)), _NO_TOPICS]
    return [fail(_BROKER, error, f"{mend}; `ekiben up` would take the rung {rung}"), _NO_TOPICS]


def _topics(plan: Plan) -> Check:
    if plan.missing:
        names = [topic.name for topic in plan.missing]
        found = f"{len(names)} missing: {_some(names)}"
        return fail(_TOPICS, found, "`ekiben topics apply`")
    if plan.shortfalls:
        mend = "add partitions while nobody writes, or use another topic prefix"
        return fail(_TOPICS, _some([str(each) for each in plan.shortfalls]), mend)
    if plan.drifts:
        mend = "set it back, unless it was meant so: nothing alters a topic unasked"
        return fail(_TOPICS, _some([str(each) for each in plan.drifts]), mend)
    return ok(_TOPICS, f"all {len(plan.existing)} are there and right")


def _some(names: list[str]) -> str:
    left = len(names) - _MOST_NAMED
    return "; ".join(names[:_MOST_NAMED]) + (f"; and {left} more" if left > 0 else "")
