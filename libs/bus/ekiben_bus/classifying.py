"""Why a broker and a client do not come together: from what was raised to what the user can mend."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from enum import StrEnum
from socket import gaierror

from aiokafka.errors import (
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from ekiben_bus.refusals import Case, Refusal
from ekiben_bus.settings import KafkaSettings


class Spoken(StrEnum):
    """What a port answers to."""

    TLS = "TLS"
    PLAINTEXT = "plaintext"
    NEITHER = "neither"


_SELF_EXPLAINING = (ssl.SSLCertVerificationError, SaslAuthenticationFailed, UnsupportedSaslMechanismError)
_EXPIRED, _NOT_YET_VALID = 10, 9
_OTHER_NAME, _OTHER_ADDRESS = 62, 64
"""X509_V_ERR_… of OpenSSL; any other code is about the chain."""


def is_clear(error: BaseException) -> bool:
    """Whether the error alone says why: then the port need not be asked what it speaks."""
    return any(isinstance(each, _SELF_EXPLAINING) or _alert(each) for each in _chain(error))


def classify(error: BaseException, address: str, settings: KafkaSettings, spoken: Spoken) -> Refusal:
    """From what was raised on the way in, the settings that led there and what the port speaks."""
    for each in _chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return _of_its_certificate(each, address, settings)
        if _alert(each):
            return _of_our_certificate(_alert(each), address, settings)
        if isinstance(each, SaslAuthenticationFailed):
            return _of_our_login(each, address, settings)
        if isinstance(each, UnsupportedSaslMechanismError):
            return Refusal(
                Case.OTHER_MECHANISM,
                address,
                "KAFKA_SASL_MECHANISM",
                f"it to offer {settings.sasl_mechanism}",
                "that it does not",
                "another of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, or the port of this one",
            )
    return _of_the_protocol(error, address, settings, spoken)


def _of_its_certificate(
    error: ssl.SSLCertVerificationError, address: str, settings: KafkaSettings
) -> Refusal:
    if error.verify_code in {_EXPIRED, _NOT_YET_VALID}:
        return Refusal(
            Case.EXPIRED,
            address,
            "KAFKA_BOOTSTRAP_SERVERS",
            "a certificate that is valid now",
            f"{error.verify_message}, as the clock of this machine says",
            "to renew the broker's certificate, or to set the clock; no setting of a client mends it",
        )
    if error.verify_code in {_OTHER_NAME, _OTHER_ADDRESS}:
        return Refusal(
            Case.OTHER_HOST,
            address,
            "KAFKA_BOOTSTRAP_SERVERS",
            f"a certificate for {address.rpartition(':')[0]}",
            "one for other names",
            "the name that the broker's certificate has, or a certificate with this one",
        )
    trusted = settings.ssl_cafile or "the system's authorities, because it is not set"
    return Refusal(
        Case.UNTRUSTED,
        address,
        "KAFKA_SSL_CAFILE",
        f"a certificate signed by {trusted}",
        error.verify_message,
        "the PEM file of the authority that signed the broker's certificate",
    )


def _of_our_certificate(alert: str, address: str, settings: KafkaSettings) -> Refusal:
    if settings.ssl_certfile is None:
        return Refusal(
            Case.NO_CERTIFICATE,
            address,
            "KAFKA_SSL_CERTFILE",
            "to get in without a certificate of our own",
            f"that the broker wants one ({alert})",
            "the certificate of this client, and its key in KAFKA_SSL_KEYFILE, or a port with another login",
        )
    return Refusal(
        Case.CERTIFICATE_REFUSED,
        address,
        "KAFKA_SSL_CERTFILE",
        f"the broker to take our certificate in {settings.ssl_certfile}",
        f"that it does not ({alert}): expired, or signed by an authority that it does not trust",
        f"`openssl x509 -noout -dates -issuer -in {settings.ssl_certfile}`, and to issue it anew",
    )


def _of_our_login(error: SaslAuthenticationFailed, address: str, settings: KafkaSettings) -> Refusal:
    said = str(error.args[0]) if error.args and error.args[0] else "no reason given"
    if settings.sasl_mechanism == "OAUTHBEARER":
        by_file = settings.sasl_oauth_token_file is not None
        return Refusal(
            Case.TOKEN_REFUSED,
            address,
            "KAFKA_SASL_OAUTH_TOKEN_FILE" if by_file else "KAFKA_SASL_OAUTH_TOKEN_ENDPOINT",
            f"it to take the token of {settings.sasl_oauth_token_file or settings.sasl_oauth_client_id}",
            f"that it refuses it ({said})",
            "a token that has not expired, signed by the issuer and meant for the audience that the broker "
            "trusts" + ("" if by_file else " (KAFKA_SASL_OAUTH_SCOPE may choose it)"),
        )
    return Refusal(
        Case.WRONG_LOGIN,
        address,
        "KAFKA_SASL_PASSWORD",
        f"it to know {settings.sasl_username} by this password, with {settings.sasl_mechanism}",
        f"that it does not ({said})",
        "the right KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD: brokers do not say which one is wrong",
    )


def _of_the_protocol(error: BaseException, address: str, settings: KafkaSettings, spoken: Spoken) -> Refusal:
    protocol, setting = settings.security_protocol, "KAFKA_SECURITY_PROTOCOL"
    by_tls, by_login = protocol.endswith("SSL"), protocol.startswith("SASL_")
    if by_tls and spoken is Spoken.PLAINTEXT:
        tried = protocol.replace("SASL_SSL", "SASL_PLAINTEXT").replace("SSL", "PLAINTEXT")
        found = "a port that speaks plaintext"
        attempt = f"the broker's TLS port, or {tried} where everybody on the way may read along"
        return Refusal(Case.TLS_TO_PLAINTEXT, address, setting, f"TLS ({protocol})", found, attempt)
    if not by_tls and spoken is Spoken.TLS:
        tried = "SASL_SSL" if by_login else "SASL_SSL, or SSL for certificates,"
        expected, found = f"plaintext ({protocol})", "a port that speaks TLS"
        attempt = f"{tried} or the broker's plaintext port"
        return Refusal(Case.PLAINTEXT_TO_TLS, address, setting, expected, found, attempt)
    if any(isinstance(each, IllegalSaslStateError) for each in _chain(error)):
        expected, found = f"a login by SASL ({protocol})", "a port that takes none"
        attempt = "SSL" if by_tls else "PLAINTEXT"
        return Refusal(
            Case.NO_LOGIN_WANTED, address, setting, expected, found, f"{attempt}, or the port for logins"
        )
    if spoken is not Spoken.NEITHER and not by_login:
        found = "that the port closes on whoever does not log in"
        attempt = f"SASL_{protocol} with KAFKA_SASL_MECHANISM and its login"
        return Refusal(Case.LOGIN_WANTED, address, setting, f"no login ({protocol})", found, attempt)
    return _of_the_address(error, address)


def _of_the_address(error: BaseException, address: str) -> Refusal:
    setting, expected = "KAFKA_BOOTSTRAP_SERVERS", "a Kafka broker that answers"
    for each in _chain(error):
        if isinstance(each, gaierror | UnicodeError):
            attempt = "the name as your network knows it"
            return Refusal(Case.UNKNOWN_HOST, address, setting, expected, f"no such host ({each})", attempt)
        if isinstance(each, ConnectionRefusedError):
            attempt = "`ekiben up`, or another address"
            return Refusal(Case.NOBODY_LISTENS, address, setting, expected, "nobody listening", attempt)
    found = f"{type(error).__name__}: {error}".removesuffix(": ")
    return Refusal(
        Case.NO_ANSWER, address, setting, expected, found, "another address, and the broker's own log"
    )


def _alert(error: BaseException) -> str:
    """What TLS calls it when the other side refuses our certificate; empty for anything else."""
    reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    is_of_certificates = "ALERT" in reason and any(
        sign in reason for sign in ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED")
    )
    return reason.partition("ALERT_")[2].lower().replace("_", " ") if is_of_certificates else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """It, and what it came of: aiokafka hands the reason on as a cause."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        yield following
        following = following.__cause__ or following.__context__
