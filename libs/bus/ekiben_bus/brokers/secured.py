"""The server.properties of a broker that refuses strangers, and what its first format is told."""

from __future__ import annotations

from collections.abc import Mapping

from ekiben_bus.brokers.security import BROKER_NAME, MTLS, Listener, Login, Security

_PROTOCOLS = {Login.SCRAM: "SASL_SSL", Login.CERTIFICATE: "SSL", Login.TOKEN: "SASL_SSL"}
_COMMON_NAME_IS_THE_PRINCIPAL = "RULE:^CN=([^,]+)(,.*)?$/$1/,DEFAULT"
_LOGIN_MODULES = "org.apache.kafka.common.security"


def secured_properties(security: Security, ports: Mapping[str, int], host: str) -> dict[str, str]:
    """What differs from a broker that is open to all; `ports` of its listeners and CONTROLLER, by name."""
    spoken = ",".join(f"{each.name}://{host}:{ports[each.name]}" for each in security.listeners)
    protocols = [f"{each.name}:{_PROTOCOLS[each.login]}" for each in security.listeners]
    return {
        "listeners": f"{spoken},CONTROLLER://{host}:{ports['CONTROLLER']}",
        "advertised.listeners": spoken,
        "listener.security.protocol.map": ",".join([*protocols, "CONTROLLER:SSL"]),
        "inter.broker.listener.name": MTLS.name,
        # whoever reaches the controller may do everything: by a certificate, and as the broker alone
        "listener.name.controller.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": ";".join(f"User:{name}" for name in (BROKER_NAME, *security.super_users)),
        "ssl.principal.mapping.rules": _COMMON_NAME_IS_THE_PRINCIPAL,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(security.keystore.absolute()),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(security.authority.absolute()),
        "ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
        **{
            name: value
            for listener in security.listeners
            for name, value in _listener_properties(listener, security).items()
        },
    }


def _listener_properties(listener: Listener, security: Security) -> dict[str, str]:
    prefix = f"listener.name.{listener.name.lower()}"
    properties = _login_properties(listener.login, prefix, security)
    if listener.keystore is not None:
        properties[f"{prefix}.ssl.keystore.type"] = "PEM"
        properties[f"{prefix}.ssl.keystore.location"] = str(listener.keystore.absolute())
    return properties


def _login_properties(login: Login, prefix: str, security: Security) -> dict[str, str]:
    match login:
        case Login.CERTIFICATE:
            return {f"{prefix}.ssl.client.auth": "required"}
        case Login.SCRAM:
            return {
                f"{prefix}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
                f"{prefix}.scram-sha-512.sasl.jaas.config": (
                    f"{_LOGIN_MODULES}.scram.ScramLoginModule required;"
                ),
            }
        case Login.TOKEN:
            issuer = security.token_issuer
            assert issuer is not None, "Security has seen to it"
            # without this handler a broker believes tokens that nobody signed
            return {
                f"{prefix}.sasl.enabled.mechanisms": "OAUTHBEARER",
                f"{prefix}.oauthbearer.sasl.jaas.config": (
                    f"{_LOGIN_MODULES}.oauthbearer.OAuthBearerLoginModule required;"
                ),
                f"{prefix}.oauthbearer.sasl.server.callback.handler.class": (
                    f"{_LOGIN_MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler"
                ),
                f"{prefix}.sasl.oauthbearer.jwks.endpoint.url": issuer.jwks_url,
                f"{prefix}.sasl.oauthbearer.expected.issuer": issuer.issuer,
                f"{prefix}.sasl.oauthbearer.expected.audience": issuer.audience,
            }


def system_properties(security: Security) -> list[str]:
    """What its JVM has to be started with: the only address that keys of tokens may come from."""
    issuer = security.token_issuer
    return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={issuer.jwks_url}"] if issuer else []


def first_users(security: Security) -> list[str]:
    """What a first format is told, to know the SCRAM users. It holds passwords: for a private file only."""
    return [
        argument
        for name, password in security.users.items()
        for argument in ("--add-scram", _scram(name, password.get_secret_value()))
    ]


def _scram(name: str, password: str) -> str:
    for what, text in (("name", name), ("password", password)):
        if not text or set(text) & set('",[]=\\\r\n'):
            raise ValueError(
                f"the {what} of the user {name!r}: expected some characters, none of them a quote, comma, "
                "bracket, equals sign, backslash or line break; try secrets.token_urlsafe()"
            )
    return f'SCRAM-SHA-512=[name="{name}",password="{password}"]'
