"""The same settings by librdkafka's names, for clients of confluent-kafka.

    Producer({**librdkafka_options(KafkaSettings())})

The bus itself needs none: for applications that have such a client, and want one way to log in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ekiben_bus.connection import client_options
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.tokens import FileTokens, expiry

_READ_AGAIN_S = 60.0
"""Of a token that does not say when it expires."""

TokenCallback = Callable[[str], tuple[str, float]]


def librdkafka_options(settings: KafkaSettings) -> dict[str, str | TokenCallback]:
    """What to construct a Producer, Consumer or AdminClient of confluent-kafka with.

    Raises:
        ConnectionSettingsError: as `client_options`; librdkafka would only log it.
    """
    client_options(settings)
    options: dict[str, str | TokenCallback | None] = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        options |= _tls(settings)
    if settings.security_protocol.startswith("SASL_"):
        options |= _login(settings)
    return {name: value for name, value in options.items() if value is not None}


def _tls(settings: KafkaSettings) -> dict[str, str | TokenCallback | None]:
    password = settings.ssl_key_password
    return {
        "ssl.ca.location": settings.ssl_cafile,
        "ssl.certificate.location": settings.ssl_certfile,
        "ssl.key.location": settings.ssl_keyfile or settings.ssl_certfile,
        "ssl.key.password": password.get_secret_value() if password else None,
    }


def _login(settings: KafkaSettings) -> dict[str, str | TokenCallback | None]:
    if settings.sasl_mechanism != "OAUTHBEARER":
        password = settings.sasl_password
        return {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": password.get_secret_value() if password else None,
        }
    if settings.sasl_oauth_token_file is not None:
        return {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": _from_file(Path(settings.sasl_oauth_token_file))}
    secret = settings.sasl_oauth_client_secret
    return {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.token.endpoint.url": settings.sasl_oauth_token_endpoint,
        "sasl.oauthbearer.client.id": settings.sasl_oauth_client_id,
        "sasl.oauthbearer.client.secret": secret.get_secret_value() if secret else None,
        "sasl.oauthbearer.scope": settings.sasl_oauth_scope,
    }


def _from_file(path: Path) -> TokenCallback:
    """What librdkafka calls for a token: it asks again before that one expires."""
    tokens = FileTokens(path)

    def read(_config: str) -> tuple[str, float]:
        token = tokens.read()
        return token, expiry(token) or time.time() + _READ_AGAIN_S

    return read
