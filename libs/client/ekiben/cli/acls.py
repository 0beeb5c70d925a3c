"""`ekiben topics acls`: who may do what by the contracts, and how a cluster differs from that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Annotated

import typer

from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben_bus.acl_plan import EVERYBODY, ROLES, AclPlan, Binding, Pattern, wanted_acls
from ekiben_bus.acls import compare_acls
from ekiben_bus.naming import Naming
from ekiben_contracts.topics import TOPICS

EXAMPLE = "Example: ekiben topics acls --dry-run --principal inference-gateway=User:CN=gateway,O=acme"

Principals = Annotated[
    list[str] | None,
    typer.Option(
        "--principal",
        metavar="ROLE=PRINCIPAL",
        help=f"Whom the cluster takes a role for; repeat it. Roles: {', '.join(ROLES)}. [default: User:ROLE]",
    ),
]


@command
async def acls(
    terminal: Terminal,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what the contracts need; asks no broker.")
    ] = False,
    principal: Principals = None,
) -> ExitCode:
    """List who may do what: what the contracts need, and what is missing, denied or beyond on the cluster."""
    principals = parse_principals(principal or [])
    if dry_run:
        wanted = wanted_acls(TOPICS, Naming(terminal.topic_prefix or ""), principals)
        tell_bindings({"needed": wanted}, terminal.output)
        return ExitCode.OK
    target = terminal.target()
    plan = await compare_acls(target.kafka, Naming(target.topic_prefix), principals=principals)
    states = {"missing": plan.missing, "there": plan.existing, "denies": plan.denying, "beyond": plan.beyond}
    tell_bindings(states, terminal.output)
    _hint(plan, terminal.output)
    return ExitCode.NEGATIVE if plan.missing or plan.denying else ExitCode.OK


def parse_principals(given: Sequence[str]) -> Mapping[str, str]:
    """The principals of roles that have others than `User:` and their name.

    Raises:
        typer.BadParameter: one is no ROLE=User:NAME, is everybody, or names a role again.
    """
    found: dict[str, str] = {}
    for pair in given:
        role, _, principal = pair.partition("=")
        kind, _, name = principal.partition(":")
        if role not in ROLES or kind != "User" or not name.strip() or principal == EVERYBODY:
            raise typer.BadParameter(
                f"--principal: expected ROLE=User:NAME with a role of {', '.join(ROLES)}, "
                f"and a NAME that is nobody else's, found {pair!r}"
            )
        if role in found:
            raise typer.BadParameter(
                f"--principal: expected one principal of {role}, found another: {pair!r}"
            )
        found[role] = principal
    return found


def tell_bindings(by_state: Mapping[str, Sequence[Binding]], output: Output) -> None:
    """All of them with their state; for people, what one may do to one thing is one line."""
    if output.as_json:
        documents = [{**_document(each), "state": state} for state, all_ in by_state.items() for each in all_]
        output.document({"acls": documents})
        return
    rows = [(*row, state) for state, bindings in by_state.items() for row in _rows(bindings)]
    output.table(("principal", "on", "name", "may", "state"), sorted(rows))


def counts(plan: AclPlan) -> dict[str, int]:
    """How many there are of each kind."""
    return {
        "missing": len(plan.missing),
        "existing": len(plan.existing),
        "denying": len(plan.denying),
        "beyond": len(plan.beyond),
    }


def tell_beyond(plan: AclPlan, output: Output) -> None:
    """Name what refuses a grant of the contracts, and what is beyond them: nobody takes it away unasked."""
    for principal, resource, name, operations in _rows(plan.denying):
        output.warning(f"denies what the contracts need: {principal}  {resource} {name}: {operations}")
    for principal, resource, name, operations in _rows(plan.beyond):
        output.warning(f"beyond the contracts: {principal}  {resource} {name}: {operations}")


def _rows(bindings: Iterable[Binding]) -> Iterable[tuple[str, str, str, str]]:
    for (principal, resource, name, allows), same in groupby(bindings, _subject):
        operations = ", ".join(sorted(each.operation for each in same))
        yield principal, resource, name, operations if allows else f"not {operations}"


def _subject(binding: Binding) -> tuple[str, str, str, bool]:
    name = f"{binding.name}*" if binding.pattern is Pattern.PREFIXED else binding.name
    return (
        binding.principal,
        str(binding.resource),
        name if binding.host == "*" else f"{name} from {binding.host}",
        binding.allows,
    )


def _document(binding: Binding) -> dict[str, object]:
    return {
        "principal": binding.principal,
        "operation": binding.operation,
        "resource": binding.resource,
        "name": binding.name,
        "pattern": binding.pattern,
        "host": binding.host,
        "allows": binding.allows,
    }


def _hint(plan: AclPlan, output: Output) -> None:
    if output.as_json:
        return
    output.aside(", ".join(f"{count} {state}" for state, count in counts(plan).items()))
    if plan.missing:
        output.aside("`ekiben topics apply --acls` creates what is missing, by the login of a super user")
    if plan.denying:
        output.aside("what denies overrides every grant: who made it has to remove it")
    if plan.beyond:
        output.aside("what is beyond the contracts stays: nothing is taken away unasked")
