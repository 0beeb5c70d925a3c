"""What the deployer wants to run and what the supervisor made of it, as small JSON files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from structlog.stdlib import get_logger

from ekiben_deployer.supervisor.identity import Identity

log = get_logger(__name__)


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class Desired(_Document):
    """A child that should run, and the loopback port it will listen on.

    `environment` is added to the supervisor's own. `labels` are the deployer's and come back with it.
    """

    name: str
    command: tuple[str, ...]
    port: int
    environment: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}


class Child(_Document):
    """A child as the supervisor knows it. Times are seconds since the epoch.

    `process` is None while it is down.
    `port_taken` means that the last start was not even tried: somebody else listens there.
    """

    name: str
    desired: Desired
    process: Identity | None = None
    deaths: int = 0
    retry_at: float = 0.0
    stopping_since: float | None = None
    last_exit: str | None = None
    port_taken: bool = False


D = TypeVar("D", bound=_Document)


class Shelf(Generic[D]):
    """A directory with one JSON document a name. Writes are atomic; a file nobody can read is set aside."""

    def __init__(self, directory: Path, kind: type[D]) -> None:
        self._directory = directory
        self._kind = kind

    def read(self) -> dict[str, D]:
        """Every document by its name; none when the directory is not there yet."""
        return {
            document.name: document  # type: ignore[attr-defined]
            for path in sorted(self._directory.glob("*.json"))
            if (document := read_document(path, self._kind)) is not None
        }

    def put(self, name: str, document: D) -> None:
        """Write a document, replacing the one before."""
        write_document(self._directory / f"{name}.json", document)

    def remove(self, name: str) -> None:
        """Remove a document; that it is not there is fine."""
        (self._directory / f"{name}.json").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a supervisor keeps its files, under EKIBEN_HOME."""

    root: Path

    @property
    def serving(self) -> Path:
        """Everything of the supervisor but the logs."""
        return self.root / "serving"

    @property
    def logs(self) -> Path:
        """One log a child, and the supervisor's own."""
        return self.root / "logs"

    def child_log(self, name: str) -> Path:
        """What a child and all below it print."""
        return self.logs / f"serving-{name}.log"

    @property
    def desired(self) -> Shelf[Desired]:
        """What should run; the deployer writes it."""
        return Shelf(self.serving / "desired", Desired)

    @property
    def children(self) -> Shelf[Child]:
        """What runs; the supervisor writes it."""
        return Shelf(self.serving / "state", Child)

    @property
    def supervisor(self) -> Path:
        """The identity of the running supervisor."""
        return self.serving / "supervisor.json"

    @property
    def lock(self) -> Path:
        """Held by the running supervisor, so that there is one."""
        return self.serving / "supervisor.lock"


M = TypeVar("M", bound=BaseModel)


def read_document(path: Path, kind: type[M]) -> M | None:
    """The document of a file; None when there is none, or when nobody can read it: then it is set aside."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        log.warning("file set aside", file=str(path), expected=kind.__name__, found=str(error))
        with contextlib.suppress(FileNotFoundError):  # its other reader was quicker
            path.replace(path.with_suffix(".unreadable"))
        return None


def write_document(path: Path, document: BaseModel) -> None:
    """Write a file so that a reader sees the whole old or the whole new one, after a power cut too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with draft.open("wb") as file:
        file.write(document.model_dump_json(indent=2).encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
