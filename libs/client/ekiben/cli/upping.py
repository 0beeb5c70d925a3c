"""`ekiben up`: the whole system on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, Secure, TopicPrefix
from ekiben.cli.output import Output
from ekiben.local.home import Home
from ekiben.local.interrupting import interruptible
from ekiben.local.progress import Progress, State
from ekiben.local.system import LocalSystem, Options
from ekiben_bus.brokers.rungs import BrokerSettings, Rung, why_not_external
from ekiben_bus.settings import KafkaSettings

EXAMPLE = "Example: ekiben up, and in another terminal: ekiben routes"

_STYLES = {State.READY: "green", State.DIED: "bold red", State.STARTING: "dim", State.STOPPED: "dim"}


def up(
    *,
    port: Annotated[
        int | None, typer.Option(help="Of the embedded Kafka. [default: 9092, or a free one]")
    ] = None,
    secure: Secure = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Run Kafka, the gateway, the synthesizer and the deployer here, until Ctrl-C drains them.

    A service that dies is started again; its log, in the home, says why. A second Ctrl-C hurries.
    """
    output = Output(as_json=json_)
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers) if bootstrap_servers else KafkaSettings()
    refuse_other_brokers(kafka, secure=secure)
    options = Options(kafka=kafka, port=port, topic_prefix=topic_prefix or "", secure=secure)
    run(_run(Home.of(home), options, output), output)


def refuse_other_brokers(kafka: KafkaSettings, *, secure: bool) -> None:
    """A broker that is named has its own security, or none, and we do not begin to change that.

    Raises:
        typer.BadParameter: both were asked for.
    """
    rung = BrokerSettings().broker
    if not secure or (why_not_external(kafka) and rung in (None, Rung.EMBEDDED)):
        return
    found = kafka.bootstrap_servers if why_not_external(kafka) is None else f"EKIBEN_BROKER={rung}"
    raise typer.BadParameter(
        f"--secure: expected the broker that is started here, found another one, {found}: how it is secured "
        "is its owner's. Leave out --bootstrap-servers, KAFKA_BOOTSTRAP_SERVERS and EKIBEN_BROKER, or "
        "--secure; `ekiben topics apply --acls` grants on any cluster"
    )


async def _run(home: Home, options: Options, output: Output) -> ExitCode:
    system = LocalSystem(home, options, on_progress=lambda progress: tell(progress, output))
    with interruptible(system.hurry):
        try:
            async with system:
                _tell_ready(system, output)
                await asyncio.Event().wait()
        except asyncio.CancelledError:  # Ctrl-C: by now all is drained
            return ExitCode.OK
    return ExitCode.OK


def tell(progress: Progress, output: Output) -> None:
    """One change of one part of the system; its details on lines of their own."""
    if output.as_json:
        output.document({"part": progress.name, "state": progress.state, "detail": progress.detail})
        return
    first, *others = progress.detail.split("\n")
    output.text(f"{progress.name:<18} {progress.state:<9} {first}".rstrip(), _STYLES.get(progress.state, ""))
    for line in others:
        output.text(f"{'':<18} {line}", "dim")


def _tell_ready(system: LocalSystem, output: Output) -> None:
    if output.as_json:
        document = {"part": "ekiben", "state": State.READY, "bootstrap_servers": system.bootstrap_servers}
        output.document({**document, "home": str(system.home.path), "processes": dict(system.processes)})
        return
    output.text(f"\nKafka is at {system.bootstrap_servers}; logs are in {system.home.logs}", "bold")
    output.text(
        "from another terminal: ekiben routes, ekiben predict, ekiben results; Ctrl-C drains and ends it"
    )
