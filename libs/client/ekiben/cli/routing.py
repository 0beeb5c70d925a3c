"""`ekiben routes`: what a request can name, where it would go, and how it does there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.endpoints import LOOK_BACK, Endpoint
from ekiben.routes import Routes
from ekiben_contracts.health import HealthSummary
from ekiben_contracts.models import MissingPolicy, Quorum
from ekiben_contracts.routing import ModelRouted
from ekiben_contracts.topics import OPERATORS

EXAMPLE = "Example: ekiben routes --json | jq '.models[].versions[].health.breaker'"

Healths = Mapping[Endpoint, HealthSummary]
_HEALTH = ("breaker", "requests", "failed", "p99 ms")


def routes(
    *,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """List the models and ensembles that a request can name now, and how their endpoints do."""
    output = Output(as_json=json_)

    async def read() -> ExitCode:
        async with find_target(bootstrap_servers, topic_prefix, home, role=OPERATORS).client() as ekiben:
            found, healths = await ekiben.routes(), await ekiben.endpoints()
        if output.as_json:
            output.document(document(found, healths))
        else:
            show(found, healths, output)
        return ExitCode.OK

    run(read(), output)


def document(found: Routes, healths: Healths) -> dict[str, object]:
    """The routes as they stand, each version with its health; `endpoints` are those beside the routes."""
    return {
        "models": [_model(route, healths) for route in found.models.values()],
        "ensembles": [ensemble.model_dump(mode="json") for ensemble in found.ensembles.values()],
        "endpoints": [
            {**endpoint._asdict(), "health": _health(healths.get(endpoint))}
            for endpoint in _unrouted(found, healths)
        ],
    }


def _model(route: ModelRouted, healths: Healths) -> dict[str, object]:
    versions = [
        {
            **version.model_dump(mode="json"),
            "health": _health(healths.get(Endpoint(route.model, version.version, version.url))),
        }
        for version in route.versions
    ]
    return {**route.model_dump(mode="json"), "versions": versions}


def _health(health: HealthSummary | None) -> dict[str, object] | None:
    if health is None:
        return None
    seen_at = None if health.seen_at is None else health.seen_at.isoformat()
    return {**health._asdict(), "breaker": health.breaker, "failed": health.failed, "seen_at": seen_at}


def _unrouted(found: Routes, healths: Healths) -> Sequence[Endpoint]:
    routed = {
        Endpoint(route.model, version.version, version.url)
        for route in found.models.values()
        for version in route.versions
    }
    return [endpoint for endpoint in healths if endpoint not in routed]


def show(found: Routes, healths: Healths, output: Output) -> None:
    """The same for people, the ensembles below."""
    unrouted = _unrouted(found, healths)
    if not found.models and not found.ensembles and not unrouted:
        output.text("no model is routed yet")
        output.aside("`ekiben deploy MODEL VERSION` routes one")
        return
    if found.models:
        _show_models(found, healths, output)
    if unrouted:
        output.text("")
        output.text("asked beside the routes, as a file of the gateway says:")
        rows = [(*endpoint, *_cells(healths.get(endpoint))) for endpoint in unrouted]
        output.table(("model", "version", "endpoint", *_HEALTH), rows)
    if found.ensembles:
        output.text("")
        ensembles = [
            (each.ensemble, ", ".join(each.members), each.method, _policy(each.missing_policy))
            for each in found.ensembles.values()
        ]
        output.table(("ensemble", "members", "method", "must answer"), ensembles)
    output.aside(f"requests of the last {LOOK_BACK.seconds // 60} min; - is not asked since then")


def _show_models(found: Routes, healths: Healths, output: Output) -> None:
    versions = [
        (
            route.model,
            each.version,
            each.role,
            f"{each.weight / 100:g} %",
            route.problem_type,
            each.url,
            *_cells(healths.get(Endpoint(route.model, each.version, each.url))),
        )
        for route in found.models.values()
        for each in route.versions
    ]
    output.table(("model", "version", "role", "traffic", "problem", "endpoint", *_HEALTH), versions)


def _cells(health: HealthSummary | None) -> tuple[str, ...]:
    if health is None:
        return ("-",) * len(_HEALTH)
    p99 = health.latency_ms.get("p99")
    failed = ", ".join(f"{count} {kind}" for kind, count in sorted(health.errors.items())) or "0"
    return health.breaker or "-", str(health.requests), failed, "-" if p99 is None else f"{p99:.3g}"


def _policy(policy: MissingPolicy) -> str:
    return f"at least {policy.quorum}" if isinstance(policy, Quorum) else policy
