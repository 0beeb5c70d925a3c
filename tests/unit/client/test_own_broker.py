"""A broker of our own: no login to another cluster reaches it or its children, and its certificates heal."""

from datetime import UTC, datetime, timedelta

import pytest

from ekiben.local.child import Child
from ekiben.local.home import Home
from ekiben.local.logins import Logins
from ekiben.local.system import LocalSystem, Options
from ekiben_bus.brokers import jvm
from ekiben_bus.brokers.certificates import RENEWED_BEFORE, Authority, still_serve
from ekiben_bus.brokers.security import BROKER_NAME
from ekiben_bus.connection import client_options

ANOTHERS = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_USERNAME": "anothers-user",
    "KAFKA_SASL_PASSWORD": "anothers-password",
    "KAFKA_SASL_OAUTH_CLIENT_SECRET": "anothers-secret",
    "KAFKA_SSL_KEYFILE": "/anothers/key.pem",
}


@pytest.fixture
def anothers_login(monkeypatch):
    for name, value in ANOTHERS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.mark.usefixtures("anothers_login")
def test_a_login_to_another_cluster_does_not_get_into_the_settings_of_our_own(home):
    logins = Logins(home)
    logins.security()
    kafka = logins.of("synthesizer", "127.0.0.1:1")
    assert not set(ANOTHERS.values()) - {"SASL_SSL"} & set(kafka.as_environment().values())
    assert kafka.sasl_username == "synthesizer"
    client_options(kafka)


@pytest.mark.usefixtures("anothers_login")
@pytest.mark.parametrize("secure", [True, False])
async def test_the_stopper_and_the_jvm_get_no_login_at_all(home, monkeypatch, secure):
    found = {}

    async def start(_command, *, log, env):
        found.update(env)
        raise FileNotFoundError(log)

    monkeypatch.setattr(Child, "start", start)
    monkeypatch.setenv("EKIBEN_BROKER", "embedded")
    with pytest.raises(FileNotFoundError):
        await LocalSystem(home, Options(secure=secure))._stop_bentos()
    assert found["EKIBEN_HOME"] == str(home.path)
    for environment in (found, jvm.environment()):
        assert not set(ANOTHERS.values()) & set(environment.values())


def test_certificates_that_are_whole_stay_and_damaged_ones_are_made_anew(home):
    tls = home.secrets / "tls"
    keystore = Logins(home).security().keystore
    whole = keystore.read_bytes()
    Logins(home).security()
    assert keystore.read_bytes() == whole
    for damaged in (keystore, tls / "ca.pem"):
        damaged.write_bytes(damaged.read_bytes()[:100])
        again = Logins(home).security()
        assert still_serve(again.authority, again.keystore, now=datetime.now(UTC))


def test_a_certificate_of_another_authority_or_close_to_its_end_does_not_serve(tmp_path):
    keystore = Authority.create(tmp_path).issue(BROKER_NAME, valid_for=timedelta(days=100))
    now = datetime.now(UTC)
    last = now + timedelta(days=100) - RENEWED_BEFORE
    assert still_serve(tmp_path / "ca.pem", keystore, now=last - timedelta(hours=1))
    assert not still_serve(tmp_path / "ca.pem", keystore, now=last + timedelta(hours=1))
    other = Authority.create(tmp_path / "other")
    assert not still_serve(other.certfile, keystore, now=now)
