"""Kafka's own files: 46 jars, named with their SHA-256 sums in a committed lock, fetched by jgo once.

Only what the lock names is fetched, each file by its full coordinates: no version is chosen at run
time, and a jar is used only while its bytes are the locked ones.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

from ekiben_bus.brokers.errors import JarsError

LOCK = "jgo.lock.toml"
Progress = Callable[[str], None]
"""Told one line whenever there is something worth showing to a person who waits."""

_AT_ONCE = 6
_TIMEOUT_S = 30


def silent(_line: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked file by its Maven coordinates. `sha256` is in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def locked() -> tuple[Jar, ...]:
    """The jars of the lock that this package carries."""
    lock = tomllib.loads(resources.files("ekiben_bus.brokers").joinpath(LOCK).read_text("utf-8"))
    return tuple(
        Jar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"])
        for entry in lock["dependencies"]
    )


def kafka_version(jars: Sequence[Jar]) -> str:
    """The version of Apache Kafka among the jars."""
    return next(jar.version for jar in jars if jar.artifact.startswith("kafka_"))


def cache_folder() -> Path:
    """Where fetched jars are kept: `ekiben` in the user's cache folder, or EKIBEN_CACHE."""
    if named := os.environ.get("EKIBEN_CACHE"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ekiben"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ekiben"


def resolve(jars: Sequence[Jar], cache: Path, progress: Progress = silent) -> Path:
    """The folder that holds every jar, each with the sum of the lock; what is missing is fetched.

    Raises:
        JarsError: a jar cannot be fetched, or is not the one that the lock names.
    """
    folder = cache / f"kafka-{kafka_version(jars)}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in jars if not (folder / jar.filename).exists()]
    if missing:
        _fetch_all(missing, folder, progress)
    for jar in jars:
        verify(jar, folder / jar.filename)
    return folder


def verify(jar: Jar, path: Path) -> None:
    """Refuse a file that is not the locked one.

    Raises:
        JarsError: its sum differs.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise JarsError(
            f"{jar}: expected SHA-256 {jar.sha256}, found {found} at {path}; it was changed or cut short. "
            f"Remove it to have it fetched again: rm {path}"
        )


def _fetch_all(missing: Sequence[Jar], folder: Path, progress: Progress) -> None:
    """Fetch beside the folder, verify, then move in: another process never sees half a jar."""
    progress(f"fetching Apache Kafka, {len(missing)} jars, to keep in {folder}")
    with (
        tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        fetched = pool.map(partial(_fetch, scratch=Path(scratch)), missing)
        for jar, path in zip(missing, fetched, strict=True):
            verify(jar, path)
            path.replace(folder / jar.filename)


def _fetch(jar: Jar, scratch: Path) -> Path:
    # imported here: of use on the first run only, and a second of work
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    mirrors = GlobalSettings.load().repositories
    maven = MavenContext(
        repo_cache=scratch, remote_repos={"central": MAVEN_CENTRAL_URL, **mirrors}, timeout=_TIMEOUT_S
    )
    try:
        return maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (RuntimeError, OSError) as error:  # what requests raises is an OSError
        raise JarsError(
            f"{jar}: expected to fetch it from a Maven repository, found {error}; check the network, or name "
            "a mirror as `central` under [repositories] in ~/.config/jgo.conf"
        ) from error
