"""The documents beside the code: read as text, for what is broken in them is found by the checks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
SCHEMAS = "schemas"
EXAMPLES = "examples"
ASYNCAPI = "asyncapi.json"
FROZEN = "frozen.json"
REFERENCE = "events.md"
_PAGE = HERE.parents[1] / "docs" / "contracts.md"
PAGE = _PAGE if _PAGE.is_file() else None
"""The page with the table of topics, and beside it that of every event: an installed wheel has neither."""


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """The texts as they stand. Schemas and examples are by event type; None is a missing file."""

    schemas: Mapping[str, str]
    examples: Mapping[str, str]
    asyncapi: str | None
    frozen: str | None
    page: str | None = None
    reference: str | None = None
    """The page of every event: None where there is no place for it, empty where it is missing."""
    version: str | None = None
    """The version number of the package that carries them; None where nobody gave it one."""


def read(folder: Path = HERE, page: Path | None = None) -> CheckedIn:
    """What is checked in below a folder. `page` is the documentation that holds the table of topics."""
    return CheckedIn(
        schemas=_by_stem(folder / SCHEMAS),
        examples=_by_stem(folder / EXAMPLES),
        asyncapi=_text(folder / ASYNCAPI),
        frozen=_text(folder / FROZEN),
        page=None if page is None else page.read_text("utf-8"),
        reference=None if page is None else _text(page.with_name(REFERENCE)) or "",
        version=_version(folder.parent),
    )


def _by_stem(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.json"))}


def _version(distribution: Path) -> str | None:
    """As the checkout says, for that is what will be built; as it was built where there is none."""
    project = distribution / "pyproject.toml"
    if project.exists():
        return tomllib.loads(project.read_text("utf-8")).get("project", {}).get("version")
    return metadata.version("ekiben-contracts") if distribution == HERE.parent else None


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None
