"""`ekiben doctor`: what is right, what is not, and the mend."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.doctor import machine
from ekiben.doctor.check import Check, Verdict
from ekiben.doctor.cluster import cluster, nobody
from ekiben.doctor.services import registry, services
from ekiben.errors import NoBrokerError
from ekiben.local import running
from ekiben.local.home import Home
from ekiben_contracts.topics import OPERATORS

EXAMPLE = "Example: ekiben doctor || echo 'something is wrong here'"

_STYLES = {Verdict.OK: "green", Verdict.FAIL: "bold red", Verdict.SKIPPED: "dim"}


def doctor(
    *,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Look at this machine, the broker, the topics and the services; say what is wrong and the mend."""
    output = Output(as_json=json_)

    async def examine() -> ExitCode:
        checks = await _checks(bootstrap_servers, topic_prefix, home)
        if output.as_json:
            output.document({"checks": [asdict(check) for check in checks]})
        else:
            _show(checks, output)
        return ExitCode.NEGATIVE if any(check.verdict is Verdict.FAIL for check in checks) else ExitCode.OK

    run(examine(), output)


async def _checks(
    bootstrap_servers: str | None, topic_prefix: str | None, folder: Path | None
) -> list[Check]:
    home = Home.of(folder)
    here = [machine.python(), await asyncio.to_thread(machine.java), await asyncio.to_thread(machine.jars)]
    try:
        target = find_target(bootstrap_servers, topic_prefix, folder, role=OPERATORS)
    except NoBrokerError as error:
        there = nobody(error.found, error.attempt)
    else:
        there = await cluster(target.kafka, target.topic_prefix, target.origin)
    beside = await services(running.read(home), home)
    return [*here, *there, *beside, await registry(home), machine.disk(home)]


def _show(checks: list[Check], output: Output) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        output.text(f"{check.verdict:<8} {check.name:<{width}}  {check.found}", _STYLES[check.verdict])
        if check.mend:
            output.text(f"{'':<8} {'':<{width}}  try {check.mend}", "yellow")
