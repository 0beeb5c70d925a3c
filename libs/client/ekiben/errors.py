"""What can go wrong for a user of the SDK, by what the user does about it.

EkibenError
 ├─ NoBrokerError           no address is known: start `ekiben up`, or name one
 ├─ BrokerUnreachableError  the address does not answer, or refuses the login
 ├─ ForbiddenError          the broker knows us, and we lack a right: have it granted
 ├─ TopicMissingError       the broker has no such topic: `ekiben topics apply`
 ├─ InvalidInputError       what was given cannot be an event: mend it
 ├─ NoAnswerError           nothing came in time; nothing is lost, the answer can still be read
 ├─ NotFoundError           there is no such thing
 ├─ GroupInUseError         a consumer group has members: stop them first
 ├─ AlreadyRunningError     another `ekiben up` has this home
 └─ StartError              a part of the local system did not come up: its log says why
"""

from __future__ import annotations


class EkibenError(Exception):
    """Something the user can mend: what was expected, what was found, what to try."""

    def __init__(self, *, expected: str, found: str, attempt: str) -> None:
        super().__init__(f"expected {expected}, found {found}; try {attempt}")
        self.expected = expected
        self.found = found
        self.attempt = attempt


class NoBrokerError(EkibenError):
    """No address of a broker is known."""


class BrokerUnreachableError(EkibenError):
    """The broker does not answer at its address, or refuses the login."""


class ForbiddenError(EkibenError):
    """The broker knows us, and we lack a right."""


class TopicMissingError(EkibenError):
    """The broker lacks a topic that Ekiben needs."""


class InvalidInputError(EkibenError):
    """What was given cannot be an event."""


class NoAnswerError(EkibenError, TimeoutError):
    """Nothing came in time. The request stands: its answer can still be read."""


class NotFoundError(EkibenError):
    """There is no such thing."""


class GroupInUseError(EkibenError):
    """A consumer group has members: nobody else may commit for it."""


class AlreadyRunningError(EkibenError):
    """Another `ekiben up` has this home."""


class StartError(EkibenError):
    """A part of the local system did not come up."""
