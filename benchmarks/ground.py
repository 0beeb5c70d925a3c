"""What all runs of a session share: Kafka, the requests, the servers of the model, a folder for logs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.asking import Asking
from ekiben_bus.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground that everybody runs on. With `sampling`, processes write down where their time goes."""

    kafka: KafkaSettings
    asking: Asking
    folder: Path
    partitions: int
    sampling: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """Of child processes: which Kafka, and the login to it."""
        return self.kafka.as_environment()

    def log_of(self, module: str) -> Path:
        """Where a process says what it does."""
        return self.folder / f"{module}.log"

    def samples_of(self, module: str) -> Path | None:
        """Where a process writes what its time was spent on, if it is to."""
        return self.folder / f"{module}.samples.json" if self.sampling else None
