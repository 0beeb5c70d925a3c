"""The logins of a secured home: one for each role, drawn at the first start, in files of their owner alone.

`secrets/ROLE.password` holds one, `secrets/tls` the certificates of the broker and who signed it: made
anew at a start that finds them damaged, or close to their end.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from ekiben.errors import NotFoundError, StartError
from ekiben.local.home import Home
from ekiben_bus.acl_plan import ROLES
from ekiben_bus.brokers.private import write_private
from ekiben_bus.brokers.security import BROKER_NAME, Security
from ekiben_bus.settings import KafkaSettings, OwnKafkaSettings

ADMIN = "admin"
"""The super user: it grants, and nobody works as it."""
_EVERYBODY = (*ROLES, ADMIN)


@dataclass(frozen=True, slots=True)
class Logins:
    """Those of one home."""

    home: Home

    def security(self) -> Security:
        """What the broker is started with; what is not there yet is made.

        Raises:
            StartError: a password is gone, and the broker knows no other.
        """
        self.home.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home.secrets.chmod(0o700)
        self._draw([role for role in _EVERYBODY if not self._file(role).exists()])
        users = {role: self._password(role) for role in _EVERYBODY}
        # an extra, and only who runs a broker has it
        from ekiben_bus.brokers.certificates import still_serve  # noqa: PLC0415

        authority, keystore = self._tls / "ca.pem", self._tls / f"{BROKER_NAME}.pem"
        if still_serve(authority, keystore, now=datetime.now(UTC)):
            return Security(authority, keystore, users, (ADMIN,))
        return Security.create(self._tls, users=users, super_users=[ADMIN])

    def of(self, role: str, bootstrap_servers: str) -> KafkaSettings:
        """How a role reaches the broker.

        Raises:
            NotFoundError: its password cannot be read.
        """
        return OwnKafkaSettings(
            bootstrap_servers=bootstrap_servers,
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username=role,
            sasl_password=self._password(role),
            ssl_cafile=str(self._tls / "ca.pem"),
        )

    @property
    def _tls(self) -> Path:
        return self.home.secrets / "tls"

    def _file(self, role: str) -> Path:
        return self.home.secrets / f"{role}.password"

    def _draw(self, missing: list[str]) -> None:
        if missing and self.home.secure_kafka.exists():
            raise StartError(
                expected=f"the passwords that {self.home.secure_kafka} was begun with in {self.home.secrets}",
                found=f"none of {', '.join(missing)}",
                attempt="to put them back, or another home: --home another/folder",
            )
        for role in missing:
            write_private(self._file(role), secrets.token_urlsafe(32).encode())

    def _password(self, role: str) -> SecretStr:
        file = self._file(role)
        try:
            return SecretStr(file.read_text("utf-8"))
        except OSError as error:
            raise NotFoundError(
                expected=f"the password of {role} in {file}",
                found=error.strerror or str(error),
                attempt="as the user who runs `ekiben up --secure`, or -b HOST:PORT and a KAFKA_SASL_ login",
            ) from error
