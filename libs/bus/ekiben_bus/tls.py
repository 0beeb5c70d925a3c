"""TLS of a client: whom it trusts and what it shows, from files that are checked before anything connects."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from ssl import SSLContext, create_default_context

from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.settings import KafkaSettings


def ssl_context(settings: KafkaSettings) -> SSLContext:
    """Host names are always checked; without a CA file the system's authorities are trusted.

    Raises:
        ConnectionSettingsError: a file is away, is not PEM, or a key does not fit; names its variable.
    """
    context = trusting(settings.ssl_cafile)
    _show_certificate(context, settings)
    return context


def trusting(cafile: str | None) -> SSLContext:
    """Believes the authorities in the file, or the system's.

    Raises:
        ConnectionSettingsError: the file is away, or holds no certificates.
    """
    if cafile is not None:
        _check_readable("KAFKA_SSL_CAFILE", cafile, "leave it unset to trust the system's authorities")
    try:
        return create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        raise ConnectionSettingsError(
            f"KAFKA_SSL_CAFILE: expected PEM certificates in {cafile}, found {error}; try a CA bundle in PEM"
        ) from error


def _show_certificate(context: SSLContext, settings: KafkaSettings) -> None:
    certfile, keyfile = settings.ssl_certfile, settings.ssl_keyfile
    if certfile is None:
        if keyfile is not None or settings.ssl_key_password is not None:
            given = "KAFKA_SSL_KEYFILE" if keyfile is not None else "KAFKA_SSL_KEY_PASSWORD"
            raise ConnectionSettingsError(
                f"{given} is set: expected KAFKA_SSL_CERTFILE, the certificate that the key belongs to, "
                "found nothing; set both, or neither"
            )
        return
    for variable, path in (("KAFKA_SSL_CERTFILE", certfile), ("KAFKA_SSL_KEYFILE", keyfile)):
        if path is not None:
            _check_readable(variable, path, "try an absolute path")
    password = settings.ssl_key_password
    try:
        # always a password: without one, OpenSSL would ask for it at the terminal
        context.load_cert_chain(certfile, keyfile, password.get_secret_value() if password else "")
    except OSError as error:
        raise _unusable(error, certfile, keyfile, locked=password is not None) from error


def _check_readable(variable: str, path: str, attempt: str) -> None:
    try:
        with Path(path).open("rb"):
            pass
    except PermissionError as error:
        raise ConnectionSettingsError(
            f"{variable}: expected a PEM file that this process may read, found that user {os.getuid()} may "
            f"not read {path}; try `ls -l` on it, and its owner or its group"
        ) from error
    except OSError as error:
        raise ConnectionSettingsError(
            f"{variable}: expected a PEM file, found nothing at {path}; {attempt}"
        ) from error


def _unusable(error: OSError, certfile: str, keyfile: str | None, *, locked: bool) -> ConnectionSettingsError:
    """OpenSSL says "PEM lib" to all but a key of another: what the files hold tells more."""
    key_at = keyfile or certfile
    key = f"{'KAFKA_SSL_KEYFILE' if keyfile else 'KAFKA_SSL_CERTFILE'} ({key_at})"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return ConnectionSettingsError(
            f"{key}: expected the key of the certificate in KAFKA_SSL_CERTFILE ({certfile}), found that of "
            "another; try the two files that were issued together"
        )
    if not _holds(certfile, "BEGIN CERTIFICATE"):
        return ConnectionSettingsError(
            f"KAFKA_SSL_CERTFILE: expected a certificate in PEM, found none in {certfile}; "
            "try a file that has a line -----BEGIN CERTIFICATE-----"
        )
    if not _holds(key_at, "PRIVATE KEY-----"):
        return ConnectionSettingsError(
            f"{key}: expected a private key in PEM, found none; "
            "name its file in KAFKA_SSL_KEYFILE, one that has a line -----BEGIN PRIVATE KEY-----"
        )
    if _holds(key_at, "ENCRYPTED"):
        return ConnectionSettingsError(
            f"{key}: expected its password in KAFKA_SSL_KEY_PASSWORD, found "
            f"{'one that does not open it' if locked else 'none'}; set what the key was encrypted with"
        )
    return ConnectionSettingsError(
        f"KAFKA_SSL_CERTFILE ({certfile}) and its key in {key_at}: expected PEM that OpenSSL reads, found "
        f"{error}; try `openssl x509 -noout -in` on the one and `openssl pkey -noout -in` on the other"
    )


def _holds(path: str, sign: str) -> bool:
    return sign.encode() in Path(path).read_bytes()
