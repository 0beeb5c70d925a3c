"""What a machine keeps: one folder, `EKIBEN_HOME`, that everything else derives from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = ".ekiben"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder with the state of one local system."""

    path: Path

    @classmethod
    def of(cls, path: Path | str | None = None) -> Home:
        """The home at a path, else at `EKIBEN_HOME`, else `.ekiben` where we stand."""
        return cls(Path(path or os.environ.get("EKIBEN_HOME") or DEFAULT_HOME).expanduser().absolute())

    @property
    def kafka(self) -> Path:
        """The broker's data."""
        return self.path / "kafka"

    @property
    def secure_kafka(self) -> Path:
        """Those of the broker that refuses strangers: one that is open to all never serves them."""
        return self.path / "kafka-secure"

    @property
    def secrets(self) -> Path:
        """Passwords and keys: `ekiben.local.logins`."""
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        """One log for each part of the system."""
        return self.path / "logs"

    @property
    def mlflow(self) -> Path:
        """MLflow's store, unless MLFLOW_TRACKING_URI names another."""
        return self.path / "mlflow.db"

    @property
    def features(self) -> Path:
        """The Feast repository, unless EKIBEN_FEATURES_REPOSITORY names another."""
        return self.path / "features"

    @property
    def lock(self) -> Path:
        """Held while an `up` lives."""
        return self.path / "up.lock"

    @property
    def running(self) -> Path:
        """What an `up` runs: `ekiben.local.running`."""
        return self.path / "up.json"

    def log_of(self, name: str) -> Path:
        """Where a part of the system says what it does."""
        return self.logs / f"{name}.log"
