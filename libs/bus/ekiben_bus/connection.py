"""From settings to what a Kafka client takes: the one place that knows both."""

from __future__ import annotations

from ssl import SSLContext
from typing import NotRequired, TypedDict

from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.tls import ssl_context


class ClientOptions(TypedDict):
    """Keyword arguments that every client of aiokafka takes: consumer, producer and admin."""

    bootstrap_servers: list[str]
    security_protocol: str
    ssl_context: NotRequired[SSLContext]
    sasl_mechanism: NotRequired[str]
    sasl_plain_username: NotRequired[str]
    sasl_plain_password: NotRequired[str]


def client_options(settings: KafkaSettings) -> ClientOptions:
    """What to construct a client of aiokafka with.

    Raises:
        ConnectionSettingsError: no server, no user or password for SASL, or no readable CA file.
    """
    options = ClientOptions(
        bootstrap_servers=_servers(settings.bootstrap_servers), security_protocol=settings.security_protocol
    )
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl_context(settings)
    if settings.security_protocol.startswith("SASL_"):
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"], options["sasl_plain_password"] = _login(settings)
    return options


def _servers(text: str) -> list[str]:
    servers = [server.strip() for server in text.split(",") if server.strip()]
    if not servers:
        raise ConnectionSettingsError(
            f"KAFKA_BOOTSTRAP_SERVERS: expected HOST:PORT, or several with commas between, found {text!r}; "
            "try 127.0.0.1:9092"
        )
    return servers


def _login(settings: KafkaSettings) -> tuple[str, str]:
    username = settings.sasl_username or ""
    password = settings.sasl_password.get_secret_value() if settings.sasl_password else ""
    wanted = {"KAFKA_SASL_USERNAME": username, "KAFKA_SASL_PASSWORD": password}
    missing = [name for name, value in wanted.items() if not value]
    if missing:
        raise ConnectionSettingsError(
            f"KAFKA_SECURITY_PROTOCOL is {settings.security_protocol}, which needs a login: expected "
            f"{' and '.join(missing)}, found nothing; set it, or use PLAINTEXT or SSL"
        )
    return username, password
