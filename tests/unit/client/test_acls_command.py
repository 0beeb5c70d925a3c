"""What `ekiben topics acls` takes for a principal, and how it ends."""

import pytest
import typer

from ekiben.cli import topics
from ekiben.cli.acls import parse_principals
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben_bus.acl_plan import AclPlan, Binding, Operation, Resource
from ekiben_bus.topics import TopicReport


def test_a_principal_is_whatever_the_cluster_calls_a_user():
    named = ["users=User:CN=app,O=acme", "operators=User:anna@acme.example"]
    assert parse_principals(named) == {"users": "User:CN=app,O=acme", "operators": "User:anna@acme.example"}


@pytest.mark.parametrize(
    "given",
    [
        ["users=User:*"],
        ["users=user:bob"],
        ["users=bob"],
        ["users=User:"],
        ["users=User: "],
        ["users=Group:staff"],
        ["nobody=User:bob"],
        ["users=User:bob", "users=User:eve"],
    ],
)
def test_everybody_no_user_and_a_role_named_twice_are_refused(given):
    with pytest.raises(typer.BadParameter, match="--principal: expected"):
        parse_principals(given)


@pytest.mark.parametrize("as_json", [True, False])
def test_granting_in_vain_ends_as_a_fault_and_names_what_denies(capsys, as_json):
    deny = Binding("User:*", Resource.TOPIC, "ekiben.routes", Operation.READ, allows=False)
    granted = AclPlan(missing=(), existing=(), denying=(deny,), beyond=())
    report = TopicReport(created=(), existing=(), drifts=())
    assert topics._tell_report(report, granted, Output(as_json=as_json)) is ExitCode.NEGATIVE
    told = "".join(capsys.readouterr())
    assert ('"denying":1' if as_json else "denies what the contracts need: User:*") in told
