"""What a cluster refuses for want of a right: who, what, to which topic or group, and what to try."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

_KINDS: tuple[tuple[type[KafkaError], str], ...] = (
    (TopicAuthorizationFailedError, "topic"),
    (GroupAuthorizationFailedError, "group"),
    (ClusterAuthorizationFailedError, "cluster"),
    (TransactionalIdAuthorizationFailed, "transactional id"),
)


class ForbiddenError(KafkaError):
    """A right is missing. It can be granted while we wait: trying again is right, and nothing is lost."""

    def __init__(self, principal: str, operation: str, on: str, cause: str) -> None:
        super().__init__(principal, operation, on, cause)
        self.principal = principal
        self.right = f"{operation} on {on}"
        self.found = cause

    def is_about(self, topic: str) -> bool:
        """Whether it is this topic that was refused."""
        return self.right.endswith(f" on the topic {topic}")

    def __str__(self) -> str:
        return f"expected {self.principal} to be allowed {self.right}, found {self.found}; try {ATTEMPT}"

    def __repr__(self) -> str:  # what logs and problems show
        return str(self)


ATTEMPT = (
    "`ekiben topics acls`, which lists what is missing, and `ekiben topics apply --acls`, which grants it; "
    "or another login"
)


def forbidden(error: BaseException, principal: str, operation: str, name: str = "") -> BaseException:
    """The same refusal in words; any other error as it is. `name` is used where aiokafka tells none."""
    for kind, resource in _KINDS:
        # the second is how aiokafka tells of a commit that it could not look up
        if isinstance(error, kind) or (isinstance(error, KafkaError) and error.args == (repr(kind()),)):
            told = _names(error) if isinstance(error, kind) else ""
            on = f"the {resource} {told or name}".rstrip()
            right = "Read" if resource == "group" else operation
            return ForbiddenError(principal, right, on, kind.__name__)
    return error


@contextmanager
def refusals_named(principal: str, operation: str, name: str = "") -> Generator[None]:
    """Whatever is refused here for want of a right raises a ForbiddenError."""
    try:
        yield
    except KafkaError as error:
        named = forbidden(error, principal, operation, name)
        if named is error:
            raise
        raise named from error


def refusal_in(error: BaseException | None) -> ForbiddenError | None:
    """The missing right behind an error, if that is what it comes from."""
    while error is not None and not isinstance(error, ForbiddenError):
        error = error.__cause__
    return error


def _names(error: KafkaError) -> str:
    """aiokafka tells a topic, a set of them, or nothing."""
    told: object = error.args[0] if error.args else ""
    several = cast("set[object]", told) if isinstance(told, set) else {told}
    return ", ".join(sorted(map(str, several)))
