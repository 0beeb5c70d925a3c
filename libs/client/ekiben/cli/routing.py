"""`ekiben routes`: what a request can name, and where it would go."""

from __future__ import annotations

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.routes import Routes
from ekiben_contracts.models import MissingPolicy, Quorum

EXAMPLE = "Example: ekiben routes --json | jq '.models[].model'"


def routes(
    *,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """List the models and ensembles that a request can name now."""
    output = Output(as_json=json_)

    async def read() -> ExitCode:
        async with find_target(bootstrap_servers, topic_prefix, home).client() as ekiben:
            found = await ekiben.routes()
        if output.as_json:
            output.document(
                {
                    "models": [route.model_dump(mode="json") for route in found.models.values()],
                    "ensembles": [ensemble.model_dump(mode="json") for ensemble in found.ensembles.values()],
                }
            )
        else:
            _show(found, output)
        return ExitCode.OK

    run(read(), output)


def _show(found: Routes, output: Output) -> None:
    if not found.models and not found.ensembles:
        output.text("no model is routed yet")
        output.aside("`ekiben deploy MODEL VERSION` routes one")
        return
    versions = [
        (route.model, each.version, each.role, f"{each.weight / 100:g} %", route.problem_type, each.url)
        for route in found.models.values()
        for each in route.versions
    ]
    output.table(("model", "version", "role", "traffic", "problem", "endpoint"), versions)
    if found.ensembles:
        output.text("")
        ensembles = [
            (each.ensemble, ", ".join(each.members), each.method, _policy(each.missing_policy))
            for each in found.ensembles.values()
        ]
        output.table(("ensemble", "members", "method", "must answer"), ensembles)


def _policy(policy: MissingPolicy) -> str:
    return f"at least {policy.quorum}" if isinstance(policy, Quorum) else policy
