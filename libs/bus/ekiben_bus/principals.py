"""Whom a cluster takes us for: what a refusal has to name."""

from __future__ import annotations

from ekiben_bus.settings import KafkaSettings

ANONYMOUS = "User:ANONYMOUS"
"""Kafka's own name of everybody who did not log in."""


def principal_of(settings: KafkaSettings) -> str:
    """The principal, as far as the settings tell: a broker may map certificates and tokens to other names."""
    if settings.security_protocol.startswith("SASL_"):
        if settings.sasl_mechanism == "OAUTHBEARER":
            client = settings.sasl_oauth_client_id
            return f"User:{client}" if client else "the subject of the token in KAFKA_SASL_OAUTH_TOKEN_FILE"
        return f"User:{settings.sasl_username}"
    if settings.security_protocol == "SSL" and settings.ssl_certfile is not None:
        return f"the subject of the certificate {settings.ssl_certfile}"
    return ANONYMOUS
