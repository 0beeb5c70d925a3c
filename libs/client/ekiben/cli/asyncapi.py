"""`ekiben topics asyncapi`: the AsyncAPI document of one cluster, for its generators and catalogues."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.errors import NoBrokerError
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.checked_in import read
from ekiben_contracts.checks.derived import asyncapi_of
from ekiben_contracts.checks.subject import SUBJECT
from ekiben_contracts.documents import NOWHERE, Servers, render

_SCHEMES: Final = {"PLAIN": "plain", "SCRAM-SHA-256": "scramSha256", "SCRAM-SHA-512": "scramSha512"}


def asyncapi(
    *, bootstrap_servers: BootstrapServers = None, topic_prefix: TopicPrefix = None, home: HomeFolder = None
) -> None:
    """Print the AsyncAPI 3 document of a cluster: addresses, how to log in, topics; no secret."""
    output = Output()

    async def tell() -> ExitCode:
        try:
            target = find_target(bootstrap_servers, topic_prefix, home)
            servers, prefix = servers_of(target.kafka), target.topic_prefix
        except NoBrokerError:
            servers, prefix = NOWHERE, topic_prefix or ""
            output.aside("no broker is named, so the document has no servers; -b HOST:PORT adds them")
        sys.stdout.write(render(asyncapi_of(SUBJECT, read(), servers, prefix)))
        return ExitCode.OK

    run(tell(), output)


def servers_of(kafka: KafkaSettings) -> Servers:
    """What a stranger may know of how to reach a cluster: addresses and mechanisms, no names, no secrets."""
    addresses = tuple(host for host in map(str.strip, kafka.bootstrap_servers.split(",")) if host)
    return Servers(addresses, kafka.security_protocol.endswith("SSL"), _logins(kafka))


def _logins(kafka: KafkaSettings) -> Mapping[str, JsonValue]:
    """The security scheme of the login that the settings use; none where they use none."""
    if kafka.security_protocol == "SSL" and kafka.ssl_certfile:
        return {"certificate": {"type": "X509", "description": "A certificate of the client's own."}}
    if not kafka.security_protocol.startswith("SASL_"):
        return {}
    if kafka.sasl_mechanism == "OAUTHBEARER":
        return {"token": _token(kafka)}
    kind, mechanism = _SCHEMES[kafka.sasl_mechanism], kafka.sasl_mechanism
    return {"password": {"type": kind, "description": f"SASL {mechanism}: a user of the cluster's."}}


def _token(kafka: KafkaSettings) -> JsonValue:
    description = "SASL OAUTHBEARER: a token."
    if kafka.sasl_oauth_token_endpoint is None:
        return {"type": "http", "scheme": "bearer", "description": description}
    scope = kafka.sasl_oauth_scope
    flow: JsonValue = {
        "tokenUrl": kafka.sasl_oauth_token_endpoint,
        "availableScopes": {scope: "what the broker asks for"} if scope else {},
    }
    return {"type": "oauth2", "flows": {"clientCredentials": flow}, "description": description}
