"""An embedded broker that refuses strangers, and how each principal logs in to it, three ways."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from ekiben_bus.acl_plan import ROLES
from ekiben_bus.brokers.certificates import LOOPBACK, Authority
from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.brokers.security import BROKER_NAME, MTLS, OAUTH, SCRAM, Listener, Login, Security
from ekiben_bus.settings import KafkaSettings
from integration.security.token_issuer import Issuer

ADMIN = "admin"
"""The super user."""
STRANGER = "stranger"
"""Can log in, and may do nothing."""
PRINCIPALS = (*ROLES, ADMIN, STRANGER)
EXPIRED = Listener("EXPIRED", Login.SCRAM)
"""Shows a certificate that has expired; as it is, a name only: see `security`."""

_NO_LONGER_THAN_ITS_TOKEN = {"listener.name.oauth.oauthbearer.connections.max.reauth.ms": "3600000"}
"""How long a connection lasts there: aiokafka does not log in again (KIP-368), it has to connect anew."""


@dataclass(frozen=True)
class SecureKafka:
    """A running one. Each of its `PRINCIPALS` has a password, a certificate and a client at the issuer."""

    kafka: EmbeddedKafka
    security: Security
    authority: Authority
    issuer: Issuer

    @property
    def folder(self) -> Path:
        """Of its certificates."""
        return self.authority.certfile.parent

    def scram(self, name: str, *, listener: Listener = SCRAM) -> KafkaSettings:
        """Log in by password."""
        return KafkaSettings(
            bootstrap_servers=self.kafka.address_of(listener),
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username=name,
            sasl_password=self.security.users[name],
            ssl_cafile=str(self.authority.certfile),
        )

    def mtls(self, name: str) -> KafkaSettings:
        """Log in by certificate."""
        return KafkaSettings(
            bootstrap_servers=self.kafka.address_of(MTLS),
            security_protocol="SSL",
            ssl_cafile=str(self.authority.certfile),
            ssl_certfile=str(self.folder / f"{name}.pem"),
        )

    def oauth(self, name: str) -> KafkaSettings:
        """Log in by a token that is bought with client credentials."""
        return KafkaSettings(
            bootstrap_servers=self.kafka.address_of(OAUTH),
            security_protocol="SASL_SSL",
            sasl_mechanism="OAUTHBEARER",
            sasl_oauth_token_endpoint=self.issuer.url,
            sasl_oauth_client_id=name,
            sasl_oauth_client_secret=SecretStr(self.issuer.clients[name]),
            ssl_cafile=str(self.authority.certfile),
        )


@contextmanager
def secure_kafka_in(folder: Path) -> Iterator[SecureKafka]:
    """One that answers, with everything it needs in the folder."""
    authority = Authority.create(folder / "tls")
    for name in PRINCIPALS:
        authority.issue(name)
    clients = {name: secrets.token_urlsafe() for name in PRINCIPALS}
    issuer = Issuer(folder / "issuer" / "jwks.json", clients)
    security = Security(
        authority=authority.certfile,
        keystore=authority.issue(BROKER_NAME, hosts=LOOPBACK),
        users={name: SecretStr(secrets.token_urlsafe()) for name in PRINCIPALS},
        super_users=(ADMIN,),
        token_issuer=issuer.trusted,
        listeners=(SCRAM, MTLS, OAUTH, replace(EXPIRED, keystore=_expired(authority))),
    )
    kafka = EmbeddedKafka(folder / "kafka", security=security, overrides=_NO_LONGER_THAN_ITS_TOKEN)
    with issuer, kafka:
        yield SecureKafka(kafka, security, authority, issuer)


def _expired(authority: Authority) -> Path:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    return authority.issue("expired", hosts=LOOPBACK, valid_from=long_ago, valid_for=timedelta(days=1))
