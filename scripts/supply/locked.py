"""Reads a lock: packages with their versions, for which machines, and the sums of their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

_HASH = re.compile(r"\s--hash=(\w+):([0-9a-f]+)")


class LockError(ValueError):
    """A line of a lock that cannot be trusted: correct it by `make lock`."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of a package. `sha256` has the sum of each of its files: one of them is installed."""

    name: NormalizedName
    version: str
    sha256: tuple[str, ...]
    marker: Marker | None = None

    def holds(self, environment: Mapping[str, str] | None = None) -> bool:
        """Whether it is installed on such a machine; without one, on this."""
        return self.marker is None or self.marker.evaluate(dict(environment or {}))

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def read_lock(path: Path) -> tuple[Pin, ...]:
    """Every pin of a lock.

    Raises:
        LockError: a line without one exact version and a SHA-256, so that anything might be installed.
    """
    text = path.read_text("utf-8").replace("\\\n", " ")
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return tuple(_pin(line, path) for line in lines)


def _pin(line: str, path: Path) -> Pin:
    written = _HASH.sub("", line).strip()
    sums = tuple(sorted(digest for kind, digest in _HASH.findall(line) if kind == "sha256"))
    fault = LockError(f"{path.name}: expected NAME==VERSION and --hash=sha256:…, found {line.strip()!r}")
    if not re.match(r"[A-Za-z0-9._-]+==\S+", written) or not sums:
        raise fault
    try:
        requirement = Requirement(written)
    except InvalidRequirement as error:
        raise fault from error
    version = next(iter(requirement.specifier)).version
    return Pin(canonicalize_name(requirement.name), version, sums, requirement.marker)


def on_this_machine(pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """Those that are installed here: a lock is for every system and Python that we support."""
    return tuple(pin for pin in pins if pin.holds())
