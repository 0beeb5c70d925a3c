"""What can be wrong with a record, by what the reader does about it.

ContractError
 ├─ UnreadableError     nobody can say what it is: dead letter
 │   └─ NewerVersionError   who is upgraded can: try again later, if that can be done
 └─ InvalidEventError   an event of a known type with wrong fields: answer whoever it names
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from ekiben_contracts.wording import describe

__all__ = ["ContractError", "InvalidEventError", "NewerVersionError", "Reason", "UnreadableError", "describe"]


class Reason(StrEnum):
    """A short stable label to filter dead letters by."""

    EMPTY = "empty"
    UNDECODABLE = "undecodable"
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_VERSION = "unknown-version"
    NOT_UPCAST = "not-upcast"
    INVALID = "invalid"


class ContractError(Exception):
    """A record that breaks the contract of its topic.

    `ce_id` is the CloudEvents id of the record where it had a readable one.
    """

    def __init__(self, reason: Reason, message: str, *, ce_id: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.ce_id = ce_id


class UnreadableError(ContractError):
    """Neither its type nor its data can be told. Keep the bytes as a dead letter."""


class NewerVersionError(UnreadableError):
    """It is of the version next to the one that is known here: of the release that comes after this one."""


class InvalidEventError(ContractError):
    """A JSON object of a known type whose fields are wrong.

    `data` is the object as it was sent, so that its sender can be answered.
    """

    def __init__(self, message: str, *, data: dict[str, Any], ce_id: str | None = None) -> None:
        super().__init__(Reason.INVALID, message, ce_id=ce_id)
        self.data = data
