import ssl

import pytest
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from ekiben_bus.classifying import Spoken, classify, is_clear
from ekiben_bus.refusals import Case
from ekiben_bus.settings import KafkaSettings

ADDRESS = "kafka.example:9093"


def settings(**given) -> KafkaSettings:
    return KafkaSettings(**{"bootstrap_servers": ADDRESS, "security_protocol": "SASL_SSL", **given})


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message, error.reason = (
        code,
        "as OpenSSL says",
        "CERTIFICATE_VERIFY_FAILED",
    )
    return error


def alert(reason: str) -> KafkaConnectionError:
    """As aiokafka hands it on: the reason is the cause of a connection that was closed."""
    cause = ssl.SSLError(1, "alert")
    cause.reason = reason
    error = KafkaConnectionError("Connection closed")
    error.__cause__ = cause
    return error


CLEAR = [
    (verification(10), {}, Case.EXPIRED, "KAFKA_BOOTSTRAP_SERVERS"),
    (verification(9), {}, Case.EXPIRED, "KAFKA_BOOTSTRAP_SERVERS"),
    (verification(62), {}, Case.OTHER_HOST, "KAFKA_BOOTSTRAP_SERVERS"),
    (verification(64), {}, Case.OTHER_HOST, "KAFKA_BOOTSTRAP_SERVERS"),
    (verification(18), {}, Case.UNTRUSTED, "KAFKA_SSL_CAFILE"),
    (verification(20), {"ssl_cafile": "/ca.pem"}, Case.UNTRUSTED, "KAFKA_SSL_CAFILE"),
    (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), {}, Case.NO_CERTIFICATE, "KAFKA_SSL_CERTFILE"),
    (
        alert("TLSV1_ALERT_UNKNOWN_CA"),
        {"ssl_certfile": "/me.pem"},
        Case.CERTIFICATE_REFUSED,
        "KAFKA_SSL_CERTFILE",
    ),
    (SaslAuthenticationFailed("no"), {"sasl_username": "anna"}, Case.WRONG_LOGIN, "KAFKA_SASL_PASSWORD"),
    (
        SaslAuthenticationFailed("no"),
        {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_file": "/token"},
        Case.TOKEN_REFUSED,
        "KAFKA_SASL_OAUTH_TOKEN_FILE",
    ),
    (UnsupportedSaslMechanismError("no"), {}, Case.OTHER_MECHANISM, "KAFKA_SASL_MECHANISM"),
]
BY_THE_PORT = [
    ("SASL_SSL", Spoken.PLAINTEXT, ConnectionResetError(), Case.TLS_TO_PLAINTEXT),
    ("SSL", Spoken.PLAINTEXT, ConnectionResetError(), Case.TLS_TO_PLAINTEXT),
    ("PLAINTEXT", Spoken.TLS, KafkaConnectionError("closed"), Case.PLAINTEXT_TO_TLS),
    ("SASL_PLAINTEXT", Spoken.TLS, KafkaConnectionError("closed"), Case.PLAINTEXT_TO_TLS),
    ("SASL_SSL", Spoken.TLS, IllegalSaslStateError("no"), Case.NO_LOGIN_WANTED),
    ("SSL", Spoken.TLS, KafkaConnectionError("closed"), Case.LOGIN_WANTED),
    ("PLAINTEXT", Spoken.PLAINTEXT, KafkaConnectionError("closed"), Case.LOGIN_WANTED),
    ("SASL_SSL", Spoken.TLS, TimeoutError(), Case.NO_ANSWER),
    ("SASL_SSL", Spoken.NEITHER, ConnectionRefusedError(), Case.NOBODY_LISTENS),
]


@pytest.mark.parametrize(("error", "given", "case", "setting"), CLEAR)
def test_an_error_that_says_why_needs_no_look_at_the_port(error, given, case, setting):
    refusal = classify(error, ADDRESS, settings(**given), Spoken.NEITHER)
    assert is_clear(error)
    assert (refusal.case, refusal.setting) == (case, setting)
    assert str(refusal).startswith(f"{ADDRESS}: expected ")
    assert setting in str(refusal)


@pytest.mark.parametrize(("protocol", "spoken", "error", "case"), BY_THE_PORT)
def test_any_other_error_is_told_by_what_the_port_speaks(protocol, spoken, error, case):
    refusal = classify(error, ADDRESS, settings(security_protocol=protocol), spoken)
    assert not is_clear(error)
    assert refusal.case is case
    assert refusal.address == ADDRESS


def test_a_handshake_that_fails_for_no_certificate_is_not_blamed_on_ours():
    error = ssl.SSLError(1, "wrong version")
    error.reason = "WRONG_VERSION_NUMBER"
    refusal = classify(error, ADDRESS, settings(), Spoken.PLAINTEXT)
    assert refusal.case is Case.TLS_TO_PLAINTEXT
