"""What makes an embedded broker refuse strangers: its listeners, its certificate, its first users.

    security = Security.create(folder, users={"users": SecretStr(...)}, super_users=["operators"])
    with EmbeddedKafka(folder / "kafka", security=security) as kafka:
        kafka.bootstrap_servers, kafka.address_of(MTLS)

Every listener speaks TLS, and nobody is anonymous on any. The broker itself logs in to its controller
by its certificate, as `BROKER_PRINCIPAL`. An authorizer refuses what no ACL allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr

BROKER_NAME = "ekiben-broker"
"""The broker's own principal, and the common name of its certificate: no user may be called so."""


class Login(StrEnum):
    """How clients of a listener say who they are."""

    SCRAM = "scram"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - a kind of login


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of the broker. `keystore` is what it shows instead of the broker's own certificate."""

    name: str
    login: Login
    keystore: Path | None = None


SCRAM = Listener("SCRAM", Login.SCRAM)
MTLS = Listener("MTLS", Login.CERTIFICATE)
OAUTH = Listener("OAUTH", Login.TOKEN)


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Whose OAuth 2 tokens are taken: signed by a key of `jwks_url` (file:// or https://)."""

    jwks_url: str
    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class Security:
    """How one embedded broker is secured; frozen, so that two starts are alike.

    Args:
        authority: PEM file of whom it trusts to sign clients' certificates.
        keystore: PEM file of the broker's own key and certificate.
        users: passwords of the SCRAM users that exist from the first start on. Later ones are made
            with Kafka's own administration, by a super user.
        super_users: names that no ACL holds for.
        token_issuer: wanted by a listener whose login is a token.
        listeners: the first is the one of `EmbeddedKafka.bootstrap_servers`; MTLS is always among them,
            because the broker itself uses it.
    """

    authority: Path
    keystore: Path
    users: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    super_users: tuple[str, ...] = ()
    token_issuer: TokenIssuer | None = None
    listeners: tuple[Listener, ...] = (SCRAM, MTLS)

    def __post_init__(self) -> None:
        if BROKER_NAME in {*self.users, *self.super_users}:
            raise ValueError(f"{BROKER_NAME} is the broker's own name: expected users of other names")
        if len(self.listeners) != len({listener.name for listener in self.listeners}):
            raise ValueError("expected every listener to have a name of its own")
        if MTLS not in self.listeners:
            raise ValueError("expected MTLS among the listeners: the broker itself needs it")
        if self.token_issuer is None and any(each.login is Login.TOKEN for each in self.listeners):
            raise ValueError("a listener takes tokens: expected a token_issuer, to know whose")

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        users: Mapping[str, SecretStr],
        super_users: Sequence[str] = (),
        clients: Sequence[str] = (),
        token_issuer: TokenIssuer | None = None,
    ) -> Security:
        """With a new authority in the folder, which signs the broker and these clients, and is forgotten.

        A client's key and certificate are in `{folder}/{client}.pem`, the authority's in `ca.pem`.
        """
        from ekiben_bus.brokers.certificates import LOOPBACK, Authority  # noqa: PLC0415 - an extra

        authority = Authority.create(folder)
        for client in clients:
            authority.issue(client)
        return cls(
            authority.certfile,
            authority.issue(BROKER_NAME, hosts=LOOPBACK),
            dict(users),
            tuple(super_users),
            token_issuer,
            (SCRAM, MTLS) if token_issuer is None else (SCRAM, MTLS, OAUTH),
        )
