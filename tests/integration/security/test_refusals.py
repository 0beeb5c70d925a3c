"""Every way not to get in, against real brokers: what is said names the address, the setting and the mend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from ekiben import Ekiben
from ekiben.cli.exit_codes import ExitCode
from ekiben.errors import BrokerUnreachableError
from ekiben_bus.administration import UnreachableError, administration
from ekiben_bus.brokers.certificates import Authority
from ekiben_bus.brokers.ladder import Broker
from ekiben_bus.brokers.ports import free_port
from ekiben_bus.connection import client_options
from ekiben_bus.diagnosing import diagnose
from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.refusals import Case
from ekiben_bus.settings import KafkaSettings
from integration.security.secure_kafka import EXPIRED, SecureKafka

pytestmark = pytest.mark.kafka
EKIBEN = Path(sys.executable).with_name("ekiben")


@dataclass(frozen=True)
class Strange:
    """What is tried, and what it should be called. Without a case, the settings themselves are wrong."""

    name: str
    settings: KafkaSettings
    case: Case | None
    setting: str
    address: str = ""


@dataclass(frozen=True)
class Ground:
    """What the cases are made of."""

    secure: SecureKafka
    plain: str
    """The address of an open broker."""
    stranger: Authority
    folder: Path

    def scram(self, **changed: object) -> KafkaSettings:
        return self.secure.scram("users").model_copy(update=changed)

    def mtls(self, **changed: object) -> KafkaSettings:
        return self.secure.mtls("users").model_copy(update=changed)

    def oauth(self, **changed: object) -> KafkaSettings:
        return self.secure.oauth("users").model_copy(update=changed)

    def by_file(self, token: str) -> KafkaSettings:
        """Log in by a token in a file."""
        file = self.folder / f"token-{len(list(self.folder.iterdir()))}"
        file.write_text(token)
        return self.oauth(
            sasl_oauth_token_endpoint=None,
            sasl_oauth_client_id=None,
            sasl_oauth_client_secret=None,
            sasl_oauth_token_file=str(file),
        )


@pytest.fixture(scope="module")
def ground(secure_kafka: SecureKafka, kafka: Broker, tmp_path_factory) -> Ground:
    folder = tmp_path_factory.mktemp("strangers")
    return Ground(secure_kafka, kafka.bootstrap_servers, Authority.create(folder / "stranger"), folder)


def strange_ways_in(ground: Ground) -> list[Strange]:
    secure, issuer = ground.secure, ground.secure.issuer
    expired = secure.authority.issue(
        "users-expired", valid_from=datetime.now(UTC) - timedelta(days=3), valid_for=timedelta(days=1)
    )
    by_name = secure.scram("users").bootstrap_servers.replace("127.0.0.1", "127.1")
    port, other = free_port(), ground.stranger
    locked = secure.authority.issue("locked", key_password="its password")
    return [
        Strange(
            "wrong password",
            ground.scram(sasl_password=SecretStr("hunter2")),
            Case.WRONG_LOGIN,
            "KAFKA_SASL_PASSWORD",
        ),
        Strange(
            "unknown user", ground.scram(sasl_username="nobody"), Case.WRONG_LOGIN, "KAFKA_SASL_USERNAME"
        ),
        Strange(
            "mechanism the broker does not offer",
            ground.scram(sasl_mechanism="PLAIN"),
            Case.OTHER_MECHANISM,
            "KAFKA_SASL_MECHANISM",
        ),
        Strange(
            "untrusted certificate",
            ground.scram(ssl_cafile=str(other.certfile)),
            Case.UNTRUSTED,
            "KAFKA_SSL_CAFILE",
        ),
        Strange("no CA file named", ground.scram(ssl_cafile=None), Case.UNTRUSTED, "KAFKA_SSL_CAFILE"),
        Strange(
            "expired certificate",
            secure.scram("users", listener=EXPIRED),
            Case.EXPIRED,
            "KAFKA_BOOTSTRAP_SERVERS",
        ),
        Strange(
            "wrong host name",
            ground.scram(bootstrap_servers=by_name),
            Case.OTHER_HOST,
            "KAFKA_BOOTSTRAP_SERVERS",
        ),
        Strange(
            "client certificate missing",
            ground.mtls(ssl_certfile=None),
            Case.NO_CERTIFICATE,
            "KAFKA_SSL_CERTFILE",
        ),
        Strange(
            "client certificate of a stranger",
            ground.mtls(ssl_certfile=str(other.issue("users"))),
            Case.CERTIFICATE_REFUSED,
            "KAFKA_SSL_CERTFILE",
        ),
        Strange(
            "client certificate expired",
            ground.mtls(ssl_certfile=str(expired)),
            Case.CERTIFICATE_REFUSED,
            "KAFKA_SSL_CERTFILE",
        ),
        Strange(
            "plaintext client, TLS port",
            ground.scram(security_protocol="PLAINTEXT"),
            Case.PLAINTEXT_TO_TLS,
            "KAFKA_SECURITY_PROTOCOL",
        ),
        Strange(
            "TLS client, plaintext port",
            ground.scram(bootstrap_servers=ground.plain),
            Case.TLS_TO_PLAINTEXT,
            "KAFKA_SECURITY_PROTOCOL",
        ),
        Strange(
            "no login, port that wants one",
            ground.scram(security_protocol="SSL"),
            Case.LOGIN_WANTED,
            "KAFKA_SECURITY_PROTOCOL",
        ),
        Strange(
            "a login, port that takes none",
            ground.scram(security_protocol="SASL_PLAINTEXT", bootstrap_servers=ground.plain),
            Case.NO_LOGIN_WANTED,
            "KAFKA_SECURITY_PROTOCOL",
        ),
        Strange(
            "token signed by a stranger",
            ground.by_file(issuer.token("users", forged=True)),
            Case.TOKEN_REFUSED,
            "KAFKA_SASL_OAUTH_TOKEN_FILE",
        ),
        Strange(
            "token for another audience",
            ground.by_file(issuer.token("users", audience="elsewhere")),
            Case.TOKEN_REFUSED,
            "KAFKA_SASL_OAUTH_TOKEN_FILE",
        ),
        Strange(
            "token expired",
            ground.by_file(issuer.token("users", lifetime_s=-60)),
            Case.NO_TOKEN,
            "KAFKA_SASL_OAUTH_TOKEN_FILE",
            str(ground.folder),
        ),
        Strange(
            "wrong client secret",
            ground.oauth(sasl_oauth_client_secret=SecretStr("hunter2")),
            Case.NO_TOKEN,
            "KAFKA_SASL_OAUTH_CLIENT_SECRET",
            issuer.url,
        ),
        Strange(
            "token endpoint away",
            ground.oauth(sasl_oauth_token_endpoint=f"http://127.0.0.1:{port}/token"),
            Case.NO_TOKEN,
            "KAFKA_SASL_OAUTH_TOKEN_ENDPOINT",
            f"127.0.0.1:{port}",
        ),
        Strange(
            "nobody listens",
            ground.scram(bootstrap_servers=f"127.0.0.1:{port}"),
            Case.NOBODY_LISTENS,
            "KAFKA_BOOTSTRAP_SERVERS",
        ),
        Strange(
            "unknown host",
            ground.scram(bootstrap_servers="kafka.invalid:9092"),
            Case.UNKNOWN_HOST,
            "KAFKA_BOOTSTRAP_SERVERS",
        ),
        Strange("CA file away", ground.scram(ssl_cafile="/no/such/ca.pem"), None, "KAFKA_SSL_CAFILE"),
        Strange(
            "key of another certificate",
            ground.mtls(ssl_keyfile=str(secure.folder / "synthesizer.pem")),
            None,
            "KAFKA_SSL_KEYFILE",
        ),
        Strange(
            "key without its password",
            ground.mtls(ssl_certfile=str(locked)),
            None,
            "KAFKA_SSL_KEY_PASSWORD",
        ),
        Strange(
            "token endpoint in the clear",
            ground.oauth(sasl_oauth_token_endpoint="http://issuer.test/token"),
            None,
            "KAFKA_SASL_OAUTH_TOKEN_ENDPOINT",
        ),
        Strange("no password", ground.scram(sasl_password=None), None, "KAFKA_SASL_PASSWORD"),
    ]


def settings_error(settings: KafkaSettings) -> str:
    with pytest.raises(ConnectionSettingsError) as caught:
        client_options(settings)
    return str(caught.value)


async def admin_error(settings: KafkaSettings) -> str:
    """What the administrative client of the house says, `ekiben topics apply` with it."""
    with pytest.raises(UnreachableError) as caught:
        async with administration(settings):
            pass
    return str(caught.value)


async def test_each_way_not_to_get_in_is_told_with_address_setting_and_mend(
    ground: Ground, show_table: Callable[[str, list[str]], None]
):
    lines: list[str] = []
    for way in strange_ways_in(ground):
        if way.case is None:
            said = settings_error(way.settings)
        else:
            refusal = await diagnose(way.settings)
            assert refusal is not None, way.name
            assert refusal.case is way.case, f"{way.name}: {refusal}"
            said = await admin_error(way.settings)
            assert said == str(refusal)
        address = way.address or way.settings.bootstrap_servers
        lines += [f"{way.name} · {address} · {way.setting}", f"    {said}"]
        assert address in said, way.name
        assert way.setting in said, way.name
        assert "expected" in said, way.name
        assert "found" in said, way.name
        assert not [secret for secret in secrets_of(way.settings) if secret in said], way.name
    show_table("Security errors: case · address · setting", lines)


def secrets_of(settings: KafkaSettings) -> list[str]:
    """What no message may hold."""
    file = settings.sasl_oauth_token_file
    given = [value for value in dict(settings).values() if isinstance(value, SecretStr)]
    return [*(each.get_secret_value() for each in given), *([Path(file).read_text()] if file else [])]


async def test_the_sdk_raises_what_can_be_done_about_it(ground: Ground):
    wrong = ground.scram(sasl_password=SecretStr("hunter2"))
    with pytest.raises(BrokerUnreachableError) as caught:
        async with Ekiben(kafka=wrong):
            pass
    assert wrong.bootstrap_servers in caught.value.expected
    assert "invalid credentials" in caught.value.found
    assert "KAFKA_SASL_PASSWORD" in caught.value.attempt
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("command", [["routes"], ["topics", "apply"], ["doctor"]])
def test_the_command_line_says_it_and_exits_by_it(ground: Ground, command: list[str]):
    wrong = ground.scram(sasl_password=SecretStr("hunter2"))
    ended = subprocess.run(
        [EKIBEN, *command],
        env={**os.environ, "COLUMNS": "400", **wrong.as_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join((ended.stdout + ended.stderr).split())
    assert ended.returncode == (ExitCode.NEGATIVE if command == ["doctor"] else ExitCode.NO_BROKER), said
    assert wrong.bootstrap_servers in said
    assert "invalid credentials" in said
    assert "KAFKA_SASL_PASSWORD" in said
    assert "hunter2" not in said
    assert "Traceback" not in said


def test_a_service_that_is_not_let_in_ends_with_one_line_that_says_why(ground: Ground):
    wrong = ground.scram(sasl_password=SecretStr("hunter2"))
    ended = subprocess.run(
        [sys.executable, "-m", "ekiben_synthesizer"],
        env={**os.environ, **wrong.as_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    *_, last = (json.loads(line) for line in ended.stderr.splitlines())
    assert ended.returncode == 1
    assert last["event"] == "Kafka does not let this service in"
    assert wrong.bootstrap_servers in last["why"]
    assert "KAFKA_SASL_PASSWORD" in last["why"]
    assert "hunter2" not in ended.stdout + ended.stderr


async def test_a_server_that_lets_us_in_is_enough(ground: Ground):
    one = ground.scram().bootstrap_servers
    away = f"127.0.0.1:{free_port()}"
    assert await diagnose(ground.scram(bootstrap_servers=f"{away},{one}")) is None


async def test_why_we_are_refused_counts_more_than_a_server_that_is_away(ground: Ground):
    servers = f"127.0.0.1:{free_port()},{ground.scram().bootstrap_servers}"
    refusal = await diagnose(ground.scram(bootstrap_servers=servers, sasl_username="nobody"))
    assert refusal is not None
    assert refusal.case is Case.WRONG_LOGIN
