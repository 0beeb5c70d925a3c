from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from ekiben_bus.brokers.jvm import as_argument_file
from ekiben_bus.brokers.properties import Node, server_properties
from ekiben_bus.brokers.secured import first_users, system_properties
from ekiben_bus.brokers.security import BROKER_NAME, MTLS, OAUTH, SCRAM, Security, TokenIssuer

ISSUER = TokenIssuer("file:///jwks.json", "https://issuer.test", "kafka")
SECURITY = Security(
    Path("/tls/ca.pem"),
    Path("/tls/broker.pem"),
    users={"anna": SecretStr("hunter2")},
    super_users=("anna",),
    token_issuer=ISSUER,
    listeners=(SCRAM, MTLS, OAUTH),
)
NODE = Node(1, 20001, 20011, {"SCRAM": 20001, "MTLS": 20002, "OAUTH": 20003})


@pytest.fixture
def properties():
    return server_properties(NODE, (NODE,), Path("/data"), SECURITY)


def test_no_listener_of_a_secured_broker_is_open(properties):
    protocols = dict(each.split(":") for each in properties["listener.security.protocol.map"].split(","))
    spoken = {each.split("://")[0] for each in properties["listeners"].split(",")}
    assert spoken == {"SCRAM", "MTLS", "OAUTH", "CONTROLLER"} == set(protocols)
    assert set(protocols.values()) == {"SSL", "SASL_SSL"}
    for name, protocol in protocols.items():
        wanted = "ssl.client.auth" if protocol == "SSL" else "sasl.enabled.mechanisms"
        assert properties[f"listener.name.{name.lower()}.{wanted}"] in {
            "required",
            "SCRAM-SHA-512",
            "OAUTHBEARER",
        }


def test_what_no_acl_allows_is_refused_and_only_the_broker_and_the_named_are_above_that(properties):
    assert properties["authorizer.class.name"].endswith("StandardAuthorizer")
    assert properties["allow.everyone.if.no.acl.found"] == "false"
    assert properties["super.users"] == f"User:{BROKER_NAME};User:anna"


def test_tokens_are_validated_and_their_keys_come_from_one_address_only(properties):
    handler = properties["listener.name.oauth.oauthbearer.sasl.server.callback.handler.class"]
    assert handler == "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
    assert properties["listener.name.oauth.sasl.oauthbearer.expected.issuer"] == ISSUER.issuer
    assert properties["listener.name.oauth.sasl.oauthbearer.expected.audience"] == ISSUER.audience
    assert system_properties(SECURITY) == [
        f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={ISSUER.jwks_url}"
    ]


def test_a_listener_can_show_a_certificate_of_its_own():
    other = replace(SCRAM, name="OTHER", keystore=Path("/tls/other.pem"))
    node = Node(1, 20001, 20011, {"MTLS": 20001, "OTHER": 20002})
    properties = server_properties(node, (node,), Path("/data"), replace(SECURITY, listeners=(MTLS, other)))
    assert properties["listener.name.other.ssl.keystore.location"] == "/tls/other.pem"
    assert properties["ssl.keystore.location"] == "/tls/broker.pem"


def test_no_password_is_in_the_properties_or_in_the_value_itself(properties):
    assert "hunter2" not in "".join(properties.values()) + repr(SECURITY)


def test_the_first_users_are_told_to_the_format():
    assert first_users(SECURITY) == ["--add-scram", 'SCRAM-SHA-512=[name="anna",password="hunter2"]']


@pytest.mark.parametrize("password", ["", 'a"b', "a,b", "a]b", "a\nb"])
def test_a_password_that_kafkas_tool_would_misread_is_refused_without_being_shown(password):
    broken = replace(SECURITY, users={"anna": SecretStr(password)})
    with pytest.raises(ValueError, match="the password of the user 'anna'") as caught:
        first_users(broken)
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"users": {BROKER_NAME: SecretStr("secret")}}, "the broker's own name"),
        ({"super_users": (BROKER_NAME,)}, "the broker's own name"),
        ({"listeners": (SCRAM,)}, "expected MTLS"),
        ({"listeners": (SCRAM, MTLS, MTLS)}, "a name of its own"),
        ({"token_issuer": None}, "expected a token_issuer"),
    ],
)
def test_what_would_not_be_secure_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        replace(SECURITY, **changed)


def test_an_argument_file_quotes_as_java_reads_it():
    assert as_argument_file(["-cp", "C:\\a b", 'x="y"']) == '"-cp"\n"C:\\\\a b"\n"x=\\"y\\""\n'
