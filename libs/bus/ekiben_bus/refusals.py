"""What a client that is not let in can be told: the case, the address, the setting and the mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Case(StrEnum):
    """What is wrong, in a few words."""

    NOBODY_LISTENS = "nobody listens"
    UNKNOWN_HOST = "unknown host"
    WRONG_LOGIN = "wrong user or password"
    OTHER_MECHANISM = "mechanism not offered"
    UNTRUSTED = "untrusted certificate"
    EXPIRED = "expired certificate"
    OTHER_HOST = "wrong host name"
    NO_CERTIFICATE = "client certificate missing"
    CERTIFICATE_REFUSED = "client certificate refused"
    PLAINTEXT_TO_TLS = "plaintext to a TLS port"
    TLS_TO_PLAINTEXT = "TLS to a plaintext port"
    LOGIN_WANTED = "a login is wanted"
    NO_LOGIN_WANTED = "no login is taken"
    TOKEN_REFUSED = "token refused"  # noqa: S105 - a case
    NO_TOKEN = "no token"  # noqa: S105 - a case
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One address that did not let us in; `setting` is the variable to look at first."""

    case: Case
    address: str
    setting: str
    expected: str
    found: str
    attempt: str

    @property
    def is_away(self) -> bool:
        """Whether it is the server that is not there, where others may be; nobody has refused us."""
        return self.case in {Case.NOBODY_LISTENS, Case.UNKNOWN_HOST, Case.NO_ANSWER}

    @property
    def is_of_files(self) -> bool:
        """Whether another content of our files could mend it."""
        return self.case in {Case.UNTRUSTED, Case.CERTIFICATE_REFUSED}

    def __str__(self) -> str:
        met = f"{self.address}: expected {self.expected}, found {self.found}"
        return f"{met}; {self.setting}: try {self.attempt}"
