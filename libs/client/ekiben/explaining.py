"""The errors of Kafka's client in a user's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    CommitFailedError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    UnknownTopicOrPartitionError,
)

from ekiben.errors import (
    BrokerUnreachableError,
    EkibenError,
    ForbiddenError,
    GroupInUseError,
    TopicMissingError,
)
from ekiben_bus.errors import RefusedError
from ekiben_bus.forbidden import ATTEMPT, refusal_in
from ekiben_bus.publishing import PublishError


@contextmanager
def explained(bootstrap_servers: str, topic: str) -> Iterator[None]:
    """Turn what Kafka's client raises into what the user can do about it."""
    try:
        yield
    except PublishError as error:
        cause = error.__cause__
        raise _explain(cause if isinstance(cause, KafkaError) else error, bootstrap_servers, topic) from error
    except KafkaError as error:
        raise _explain(error, bootstrap_servers, topic) from error


def _explain(error: KafkaError | PublishError, bootstrap_servers: str, topic: str) -> EkibenError:
    if isinstance(error, UnknownTopicOrPartitionError):
        return TopicMissingError(
            expected=f"the topic {topic} on {bootstrap_servers}",
            found="none of that name",
            attempt="`ekiben topics apply`, or another topic prefix",
        )
    if isinstance(error, CommitFailedError):
        return GroupInUseError(
            expected=f"the group {topic} without members",
            found="at least one; nothing was changed",
            attempt="to stop every process of the service, then again",
        )
    refusal = refusal_in(error)
    if refusal is not None:
        return ForbiddenError(
            expected=f"{refusal.principal} to be allowed {refusal.right} at {bootstrap_servers}",
            found=refusal.found,
            attempt=ATTEMPT,
        )
    if isinstance(error, RefusedError):
        refusal = error.refusal
        return BrokerUnreachableError(
            expected=f"{refusal.expected} at {refusal.address}",
            found=refusal.found,
            attempt=f"{refusal.attempt} ({refusal.setting})",
        )
    if isinstance(error, KafkaConnectionError | KafkaTimeoutError):
        return BrokerUnreachableError(
            expected=f"a Kafka broker that answers at {bootstrap_servers}",
            found=f"{type(error).__name__}: {error}",
            attempt="`ekiben up`, another address, or the KAFKA_SASL_ and KAFKA_SSL_ settings",
        )
    return BrokerUnreachableError(
        expected=f"{bootstrap_servers} to acknowledge what is sent to {topic}",
        found=str(error),
        attempt="`ekiben doctor`; what was not acknowledged can be sent again with the same ids",
    )
