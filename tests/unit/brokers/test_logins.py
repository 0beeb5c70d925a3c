"""What the settings say together, before anything connects; and that nothing shows a secret."""

import os
import ssl
from pathlib import Path

import pytest

from ekiben_bus.brokers.certificates import Authority
from ekiben_bus.connection import client_options
from ekiben_bus.errors import ConnectionSettingsError, TokenError
from ekiben_bus.librdkafka import librdkafka_options
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.token_endpoint import ClientCredentialsTokens
from ekiben_bus.tokens import FileTokens

SECRETS = {
    "sasl_password": "hunter2-password",
    "sasl_oauth_client_secret": "hunter2-client",
    "ssl_key_password": "hunter2-key",
}
ENDPOINT = "https://issuer.example/token"
BY_ENDPOINT = {
    "sasl_oauth_token_endpoint": ENDPOINT,
    "sasl_oauth_client_id": "gateway",
    "sasl_oauth_client_secret": "hunter2",
}


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch):
    for name in KafkaSettings.model_fields:
        monkeypatch.delenv(f"KAFKA_{name.upper()}", raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority.create(tmp_path_factory.mktemp("tls"))


def by_token(**given) -> KafkaSettings:
    return KafkaSettings(security_protocol="SASL_SSL", sasl_mechanism="OAUTHBEARER", **given)


def by_certificate(**given) -> KafkaSettings:
    return KafkaSettings(
        security_protocol="SSL", **{name: str(value) for name, value in given.items() if value is not None}
    )


def test_tokens_come_from_an_endpoint_or_a_file():
    options = client_options(by_token(**BY_ENDPOINT))
    assert options["sasl_mechanism"] == "OAUTHBEARER"
    assert isinstance(options["sasl_oauth_token_provider"], ClientCredentialsTokens)
    assert "sasl_plain_username" not in options
    by_file = client_options(by_token(sasl_oauth_token_file="/var/run/token"))
    assert isinstance(by_file["sasl_oauth_token_provider"], FileTokens)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["KAFKA_SASL_OAUTH_TOKEN_ENDPOINT or KAFKA_SASL_OAUTH_TOKEN_FILE"]),
        ({**BY_ENDPOINT, "sasl_oauth_token_file": "/token"}, ["found two"]),
        (
            {"sasl_oauth_token_endpoint": ENDPOINT},
            ["KAFKA_SASL_OAUTH_CLIENT_ID and KAFKA_SASL_OAUTH_CLIENT_SECRET"],
        ),
        (
            {"sasl_oauth_token_endpoint": "http://issuer.example/t", "sasl_oauth_client_id": "gateway"},
            ["KAFKA_SASL_OAUTH_CLIENT_SECRET", "expected an https address"],
        ),
    ],
)
def test_all_that_a_token_lacks_is_named_at_once(given, named):
    with pytest.raises(ConnectionSettingsError) as caught:
        client_options(by_token(**given))
    assert not [each for each in named if each not in str(caught.value)]
    assert "127.0.0.1:9092" in str(caught.value)


@pytest.mark.parametrize("password", [None, "opens it"])
def test_a_certificate_is_shown_with_its_key(authority, password):
    pem = authority.issue("me", key_password=password)
    context = client_options(by_certificate(ssl_certfile=pem, ssl_key_password=password))["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_certificate_and_its_key_may_lie_apart(authority, tmp_path):
    whole = authority.issue("apart").read_text()
    at = whole.index("-----BEGIN CERTIFICATE")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_text(whole[:at])
    certificate.write_text(whole[at:])
    assert "ssl_context" in client_options(by_certificate(ssl_certfile=certificate, ssl_keyfile=key))


@pytest.mark.parametrize(
    ("cert", "key", "password", "said"),
    [
        ("me", "other", None, r"KAFKA_SSL_KEYFILE .*other.*found that of another"),
        ("locked", None, None, r"KAFKA_SSL_KEY_PASSWORD, found none"),
        ("locked", None, "wrong", r"KAFKA_SSL_KEY_PASSWORD, found one that does not open it"),
        ("ca", None, None, r"KAFKA_SSL_CERTFILE .*expected a private key in PEM, found none"),
        ("junk", None, None, r"KAFKA_SSL_CERTFILE: expected a certificate in PEM, found none"),
        ("me", "junk", None, r"KAFKA_SSL_KEYFILE .*expected a private key in PEM"),
        ("away", None, None, r"KAFKA_SSL_CERTFILE: .*found nothing at .*away"),
        ("me", "away", None, r"KAFKA_SSL_KEYFILE: .*found nothing at .*away"),
        (None, "me", None, r"KAFKA_SSL_KEYFILE is set: expected KAFKA_SSL_CERTFILE"),
        (None, None, "secret", r"KAFKA_SSL_KEY_PASSWORD is set: expected KAFKA_SSL_CERTFILE"),
    ],
)
def test_files_that_do_not_fit_are_named_with_their_variable(authority, tmp_path, cert, key, password, said):
    files = {"ca": authority.certfile, "away": tmp_path / "away", "junk": tmp_path / "junk"}
    files["junk"].write_text("junk")
    files |= {name: authority.issue(name) for name in ("me", "other")}
    files["locked"] = authority.issue("locked", key_password="opens it")
    with pytest.raises(ConnectionSettingsError, match=said) as caught:
        client_options(
            by_certificate(
                ssl_certfile=files.get(cert), ssl_keyfile=files.get(key), ssl_key_password=password
            )
        )
    assert password is None or password not in str(caught.value)


def test_no_secret_is_shown_by_the_settings_or_what_prints_them():
    settings = by_token(**SECRETS, sasl_oauth_token_endpoint=ENDPOINT, sasl_oauth_client_id="gateway")
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    provider = client_options(settings.model_copy(update={"ssl_key_password": None}))[
        "sasl_oauth_token_provider"
    ]
    assert "hunter2" not in shown + repr(vars(provider))


def test_a_child_process_gets_the_same_settings_by_its_environment(monkeypatch):
    settings = by_token(**SECRETS, ssl_certfile="/me.pem", sasl_oauth_client_id="gateway")
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert KafkaSettings() == settings
    assert "KAFKA_SSL_CAFILE" not in settings.as_environment()


def test_librdkafka_gets_the_same_login():
    password = KafkaSettings(
        security_protocol="SASL_SSL", sasl_username="anna", sasl_password="hunter2", bootstrap_servers="one:1"
    )
    assert librdkafka_options(password) == {
        "bootstrap.servers": "one:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "anna",
        "sasl.password": "hunter2",
    }
    token = librdkafka_options(by_token(**BY_ENDPOINT, sasl_oauth_scope="kafka"))
    assert token["sasl.oauthbearer.method"] == "oidc"
    assert token["sasl.oauthbearer.client.secret"] == "hunter2"
    assert token["sasl.oauthbearer.scope"] == "kafka"


def test_librdkafka_reads_a_tokens_file_each_time_it_asks(tmp_path):
    file = tmp_path / "token"
    file.write_text("one\n")
    read = librdkafka_options(by_token(sasl_oauth_token_file=str(file)))["oauth_cb"]
    first = read("")[0]
    file.write_text("two")
    assert (first, read("")[0]) == ("one", "two")


def test_librdkafka_is_not_given_an_empty_token(tmp_path):
    file = tmp_path / "token"
    file.write_text("one")
    read = librdkafka_options(by_token(sasl_oauth_token_file=str(file)))["oauth_cb"]
    file.write_text("\n")
    with pytest.raises(TokenError, match="KAFKA_SASL_OAUTH_TOKEN_FILE"):
        read("")


def test_librdkafka_is_refused_what_it_would_only_log():
    with pytest.raises(ConnectionSettingsError, match="KAFKA_SASL_PASSWORD"):
        librdkafka_options(KafkaSettings(security_protocol="SASL_SSL", sasl_username="anna"))


@pytest.mark.parametrize(
    "endpoint", ["https://users:hunter2@issuer.example/token", "users:hunter2@issuer.example"]
)
def test_a_secret_in_the_endpoint_is_refused_and_not_repeated(endpoint):
    with pytest.raises(ConnectionSettingsError, match="KAFKA_SASL_OAUTH_TOKEN_ENDPOINT") as caught:
        client_options(by_token(sasl_oauth_token_endpoint=endpoint, sasl_oauth_client_id="users"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("variable", ["ssl_cafile", "ssl_certfile"])
def test_a_file_of_somebody_else_is_named_with_its_variable_and_the_user(authority, monkeypatch, variable):
    hidden = {"ssl_cafile": authority.certfile, "ssl_certfile": authority.issue("me")}[variable]
    opened = Path.open

    def refuses(path: Path, *args: object):
        if path == hidden:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args)

    monkeypatch.setattr(Path, "open", refuses)
    said = rf"KAFKA_{variable.upper()}: .*user {os.getuid()} may not read {hidden}"
    with pytest.raises(ConnectionSettingsError, match=said):
        client_options(by_certificate(**{variable: hidden}))
