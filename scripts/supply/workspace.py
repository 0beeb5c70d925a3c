"""Our own distributions: where each lies, and which of them one needs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from scripts.supply.bundles import ROOT, Bundle

PATTERNS = ("contracts", "libs/*", "services/*", "examples/*")


def members(root: Path = ROOT) -> Mapping[NormalizedName, Path]:
    """The folder of each distribution by its name."""
    found = [path for pattern in PATTERNS for path in sorted(root.glob(pattern))]
    return {
        canonicalize_name(_project(path)["name"]): path
        for path in found
        if (path / "pyproject.toml").is_file()
    }


def ours(bundle: Bundle, root: Path = ROOT) -> tuple[Path, ...]:
    """The folders of the distributions that a bundle has in it, itself among them."""
    known = members(root)
    wanted = [Requirement(f"{bundle.distribution}[{','.join(bundle.extras)}]")]
    seen: dict[NormalizedName, Path] = {}
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name not in known:
            continue
        project = _project(known[name])
        if name not in seen:
            wanted += map(Requirement, project["dependencies"])
        for extra in requirement.extras:
            wanted += map(Requirement, project["optional-dependencies"][extra])
        seen[name] = known[name]
    return tuple(sorted(seen.values()))


def version(bundle: Bundle, root: Path = ROOT) -> str:
    """The version of the bundle's own distribution."""
    return str(_project(members(root)[canonicalize_name(bundle.distribution)])["version"])


def _project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
