"""What a login needs, by its mechanism: checked together, before anything connects."""

from __future__ import annotations

from collections.abc import Iterator

from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.token_endpoint import is_private


def check_login(settings: KafkaSettings) -> None:
    """See that SASL has what its mechanism needs.

    Raises:
        ConnectionSettingsError: it has not; names every variable that is missing or too many.
    """
    if not settings.security_protocol.startswith("SASL_"):
        return
    by_token = settings.sasl_mechanism == "OAUTHBEARER"
    problems = list(_problems_of_tokens(settings) if by_token else _problems_of_passwords(settings))
    if problems:
        raise ConnectionSettingsError(
            f"to log in at {settings.bootstrap_servers} by {settings.sasl_mechanism} (KAFKA_SASL_MECHANISM), "
            f"KAFKA_SECURITY_PROTOCOL being {settings.security_protocol}: {'; '.join(problems)}"
        )


def _problems_of_passwords(settings: KafkaSettings) -> Iterator[str]:
    password = settings.sasl_password.get_secret_value() if settings.sasl_password else ""
    wanted = {"KAFKA_SASL_USERNAME": settings.sasl_username, "KAFKA_SASL_PASSWORD": password}
    if missing := [name for name, value in wanted.items() if not value]:
        yield f"expected {' and '.join(missing)}, found nothing; set it, or use PLAINTEXT or SSL"


def _problems_of_tokens(settings: KafkaSettings) -> Iterator[str]:
    endpoint, file = settings.sasl_oauth_token_endpoint, settings.sasl_oauth_token_file
    if endpoint and file:
        yield (
            "expected one source of tokens, found two: KAFKA_SASL_OAUTH_TOKEN_ENDPOINT and "
            "KAFKA_SASL_OAUTH_TOKEN_FILE; unset one"
        )
    elif endpoint and "@" in endpoint:
        yield (  # not quoted: it may hold a secret, and messages go to logs
            "KAFKA_SASL_OAUTH_TOKEN_ENDPOINT: expected an address without a user, found an @ in it; "
            "try KAFKA_SASL_OAUTH_CLIENT_ID and KAFKA_SASL_OAUTH_CLIENT_SECRET"
        )
    elif endpoint:
        secret = settings.sasl_oauth_client_secret
        wanted = {
            "KAFKA_SASL_OAUTH_CLIENT_ID": settings.sasl_oauth_client_id,
            "KAFKA_SASL_OAUTH_CLIENT_SECRET": secret.get_secret_value() if secret else "",
        }
        if missing := [name for name, value in wanted.items() if not value]:
            yield (
                f"expected {' and '.join(missing)} for KAFKA_SASL_OAUTH_TOKEN_ENDPOINT ({endpoint}), "
                "found nothing; set it"
            )
        if not is_private(endpoint):
            yield (
                "KAFKA_SASL_OAUTH_TOKEN_ENDPOINT: expected an https address, or http on the loopback, "
                f"found {endpoint}; the client's secret would travel in the clear: try https"
            )
    elif not file:
        yield (
            "expected KAFKA_SASL_OAUTH_TOKEN_ENDPOINT or KAFKA_SASL_OAUTH_TOKEN_FILE, found neither; "
            "set one of them"
        )
