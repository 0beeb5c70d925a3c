"""What is installed in an environment, and which of it a distribution needs: read from the metadata there."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

Installed = Mapping[NormalizedName, Distribution]
Needs = Mapping[NormalizedName, frozenset[NormalizedName]]
"""Of each distribution, those that it needs itself."""


class NotInstalledError(LookupError):
    """Something is needed that is not there: `make setup` installs what is locked."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: NormalizedName
    extra: str = ""


def installed(site: Path | None = None) -> Installed:
    """Every distribution of a site-packages folder; without one, of the Python that runs."""
    folder = site or Path(sysconfig.get_path("purelib"))
    return {canonicalize_name(found.name): found for found in distributions(path=[str(folder)])}


def needs(name: str, extras: Iterable[str], here: Installed) -> Needs:
    """The distribution with these extras and all that follows, on this machine.

    Raises:
        NotInstalledError: one of them is not here.
    """
    first = canonicalize_name(name)
    wanted = [_Wanted(first), *(_Wanted(first, extra) for extra in extras)]
    seen: set[_Wanted] = set()
    found: dict[NormalizedName, frozenset[NormalizedName]] = {}
    while wanted:
        now = wanted.pop()
        if now in seen:
            continue
        seen.add(now)
        requirements = _requirements(now, here)
        others = frozenset(canonicalize_name(each.name) for each in requirements) - {now.name}
        found[now.name] = found.get(now.name, frozenset()) | others
        wanted += [
            _Wanted(canonicalize_name(each.name), extra)
            for each in requirements
            for extra in ("", *sorted(each.extras))
        ]
    return found


def _requirements(wanted: _Wanted, here: Installed) -> list[Requirement]:
    if wanted.name not in here:
        raise NotInstalledError(f"expected {wanted.name} to be installed, found it missing; try: make setup")
    listed = map(Requirement, here[wanted.name].requires or ())
    return [each for each in listed if each.marker is None or each.marker.evaluate({"extra": wanted.extra})]
