import ssl

import pytest

from ekiben_bus.connection import client_options
from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.settings import KafkaSettings


@pytest.fixture(autouse=True)
def no_login_in_the_environment(monkeypatch):
    for name in ("BOOTSTRAP_SERVERS", "SECURITY_PROTOCOL", "SASL_USERNAME", "SASL_PASSWORD", "SSL_CAFILE"):
        monkeypatch.delenv(f"KAFKA_{name}", raising=False)


def test_a_plain_cluster_needs_its_servers_only():
    assert client_options(KafkaSettings(bootstrap_servers="one:9092, two:9092")) == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "client_id": "ekiben",
        "security_protocol": "PLAINTEXT",
    }


def test_a_login_is_passed_with_its_mechanism():
    options = client_options(
        KafkaSettings(
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-256",
            sasl_username="anna",
            sasl_password="secret",
        )
    )
    assert options["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("anna", "secret")
    assert "ssl_context" not in options


def test_tls_always_checks_certificate_and_host_name():
    context = client_options(KafkaSettings(security_protocol="SSL"))["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_login_over_tls_has_both():
    options = client_options(
        KafkaSettings(security_protocol="SASL_SSL", sasl_username="anna", sasl_password="secret")
    )
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert isinstance(options["ssl_context"], ssl.SSLContext)


def test_a_missing_login_names_the_variables_and_never_a_password():
    with pytest.raises(ConnectionSettingsError, match="KAFKA_SASL_USERNAME") as caught:
        client_options(KafkaSettings(security_protocol="SASL_SSL", sasl_password="hunter2"))
    assert "KAFKA_SASL_PASSWORD" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_missing_ca_file_is_named():
    with pytest.raises(ConnectionSettingsError, match=r"KAFKA_SSL_CAFILE.*/no/such/ca.pem"):
        client_options(KafkaSettings(security_protocol="SSL", ssl_cafile="/no/such/ca.pem"))


def test_a_ca_file_without_certificates_is_named(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("these are no certificates")
    with pytest.raises(ConnectionSettingsError, match="expected PEM certificates in"):
        client_options(KafkaSettings(security_protocol="SSL", ssl_cafile=str(file)))


@pytest.mark.parametrize("servers", ["", " , "])
def test_no_servers_at_all_is_an_error_with_an_example(servers):
    with pytest.raises(ConnectionSettingsError, match=r"try 127\.0\.0\.1:9092"):
        client_options(KafkaSettings(bootstrap_servers=servers))
