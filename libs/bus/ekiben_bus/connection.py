"""From settings to what a Kafka client takes: the one place that knows both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from ssl import SSLContext
from typing import NotRequired, TypedDict

from aiokafka.abc import AbstractTokenProvider

from ekiben_bus.dialing import ClientId, dial_our_own
from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.logins import check_login
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.tls import ssl_context, trusting
from ekiben_bus.token_endpoint import ClientCredentialsTokens, Credentials
from ekiben_bus.tokens import FileTokens

_CLIENT = "ekiben"


class ClientOptions(TypedDict):
    """Keyword arguments that every client of aiokafka takes: consumer, producer and admin."""

    bootstrap_servers: list[str]
    client_id: str
    security_protocol: str
    ssl_context: NotRequired[SSLContext]
    sasl_mechanism: NotRequired[str]
    sasl_plain_username: NotRequired[str]
    sasl_plain_password: NotRequired[str]
    sasl_oauth_token_provider: NotRequired[AbstractTokenProvider]


def client_options(settings: KafkaSettings) -> ClientOptions:
    """What to construct a client of aiokafka with.

    Raises:
        ConnectionSettingsError: no server, no login for SASL, or a file that cannot be used; all that is
            wrong at once, each with its variable.
    """
    options = ClientOptions(
        bootstrap_servers=_servers(settings.bootstrap_servers),
        client_id=ClientId(_CLIENT),
        security_protocol=settings.security_protocol,
    )
    dial_our_own()
    check_login(settings)
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = _for(settings, ssl_context)
    if not settings.security_protocol.startswith("SASL_"):
        return options
    options["sasl_mechanism"] = settings.sasl_mechanism
    if settings.sasl_mechanism == "OAUTHBEARER":
        options["sasl_oauth_token_provider"] = _tokens(settings)
    elif settings.sasl_username and settings.sasl_password:
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return options


def _tokens(settings: KafkaSettings) -> AbstractTokenProvider:
    if settings.sasl_oauth_token_file is not None:
        return FileTokens(Path(settings.sasl_oauth_token_file))
    endpoint, client_id = settings.sasl_oauth_token_endpoint, settings.sasl_oauth_client_id
    secret = settings.sasl_oauth_client_secret
    assert endpoint is not None, "check_login has seen to it"
    assert client_id is not None, "check_login has seen to it"
    assert secret is not None, "check_login has seen to it"
    trusted = _for(settings, _trusted_by_endpoint)
    return ClientCredentialsTokens(
        Credentials(endpoint, client_id, secret, settings.sasl_oauth_scope, trusted)
    )


def _trusted_by_endpoint(settings: KafkaSettings) -> SSLContext:
    """The system's authorities, and the one of our brokers."""
    context = trusting(settings.ssl_cafile)
    context.load_default_certs()
    return context


def _for(settings: KafkaSettings, make: Callable[[KafkaSettings], SSLContext]) -> SSLContext:
    try:
        return make(settings)
    except ConnectionSettingsError as error:
        raise ConnectionSettingsError(f"to reach {settings.bootstrap_servers}: {error}") from error


def _servers(text: str) -> list[str]:
    servers = [server.strip() for server in text.split(",") if server.strip()]
    if not servers:
        raise ConnectionSettingsError(
            f"KAFKA_BOOTSTRAP_SERVERS: expected HOST:PORT, or several with commas between, found {text!r}; "
            "try 127.0.0.1:9092"
        )
    return servers
