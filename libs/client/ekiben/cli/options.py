"""The options that more than one command takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BootstrapServers = Annotated[
    str | None,
    typer.Option(
        "--bootstrap-servers",
        "-b",
        envvar="KAFKA_BOOTSTRAP_SERVERS",
        metavar="HOST:PORT",
        help="The broker. Unset: that of the `ekiben up` that runs in the home.",
    ),
]
TopicPrefix = Annotated[
    str | None,
    typer.Option(
        "--topic-prefix", envvar="EKIBEN_TOPIC_PREFIX", help="Before every topic, such as `staging.`."
    ),
]
HomeFolder = Annotated[
    Path | None,
    typer.Option("--home", envvar="EKIBEN_HOME", help="What the local system keeps. [default: ./.ekiben]"),
]
Secure = Annotated[
    bool,
    typer.Option(
        "--secure", help="With TLS, a login for everybody and ACLs; passwords are in the home's `secrets`."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=0.0, metavar="SECONDS", help="How long to wait for the end.")
]
