"""The broker ladder: the cluster you name, else a container, else the embedded broker."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.brokers.jars import Progress, silent
from ekiben_bus.brokers.rungs import BrokerSettings, Rung, Skipped, choose
from ekiben_bus.settings import KafkaSettings, OwnKafkaSettings


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that answers, and how to reach it. `name` is what it is, such as `Apache Kafka 4.3.0`."""

    settings: KafkaSettings
    rung: Rung
    name: str
    skipped: tuple[Skipped, ...] = ()

    @property
    def bootstrap_servers(self) -> str:
        return self.settings.bootstrap_servers

    def __str__(self) -> str:
        return f"{self.rung} ({self.name}) at {self.bootstrap_servers}"


@contextmanager
def broker(
    home: Path | None,
    *,
    port: int = 0,
    settings: BrokerSettings | None = None,
    kafka: KafkaSettings | None = None,
    progress: Progress = silent,
) -> Generator[Broker]:
    """A broker to work with, stopped at the end unless it is external.

    Args:
        home: keeps its data between runs, EKIBEN_HOME for a system; None throws them away at the end.
        port: of the embedded broker; 0 takes a free one.
        settings: `BrokerSettings()` unless given.
        kafka: `KafkaSettings()` unless given.
        progress: told what takes long.

    Raises:
        BrokerError: there is none, and why.
    """
    chosen, connection = settings or BrokerSettings(), kafka or KafkaSettings()
    choice = choose(chosen, connection)
    with ExitStack() as stack:
        match choice.rung:
            case Rung.EXTERNAL:
                name = "as KAFKA_BOOTSTRAP_SERVERS names it"
            case Rung.CONTAINERS:
                connection, name = _containers(stack, home, chosen.kafka_image), chosen.kafka_image
            case Rung.EMBEDDED:
                connection, name = _embedded(stack, home, port, progress)
        yield Broker(connection, choice.rung, name, choice.skipped)


def _containers(stack: ExitStack, home: Path | None, image: str) -> KafkaSettings:
    from ekiben_bus.brokers.containers import ContainerKafka  # noqa: PLC0415 - an extra

    kafka = ContainerKafka(image, volume=None if home is None else _volume(home))
    return _open_to_all(stack.enter_context(kafka).bootstrap_servers)


def _volume(home: Path) -> str:
    """One volume for each home. A folder of the host would have to belong to the user of the image."""
    return "ekiben-kafka-" + hashlib.blake2b(str(home.absolute()).encode(), digest_size=6).hexdigest()


def _embedded(
    stack: ExitStack, home: Path | None, port: int, progress: Progress
) -> tuple[KafkaSettings, str]:
    folder = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ekiben-kafka-")))
    kafka = EmbeddedKafka(folder / "kafka", port=port, log=folder / "logs" / "kafka.log", progress=progress)
    address = stack.enter_context(kafka).bootstrap_servers
    return _open_to_all(address), f"Apache Kafka {kafka.version}"


def _open_to_all(address: str) -> KafkaSettings:
    """Ours ask for no login, whatever the environment holds for the user's own."""
    return OwnKafkaSettings(bootstrap_servers=address)
