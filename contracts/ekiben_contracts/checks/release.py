"""Whether what a release carries is frozen: a final version number of the package is a promise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ekiben_contracts.checked_in import FROZEN, CheckedIn
from ekiben_contracts.checks.frozen import frozen_versions
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.subject import Subject

_FINAL = re.compile(r"v?(\d+!)?\d+(\.\d+)*([.-]?post\d*)?(\+.*)?")
_MOST_NAMED = 3


def is_final(version: str) -> bool:
    """Whether a version number is that of a release: by PEP 440 neither dev, alpha, beta nor candidate."""
    return _FINAL.fullmatch(version) is not None


def release_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """Types that a release would carry and that may still change."""
    if checked_in.version is None or not is_final(checked_in.version):
        return
    try:
        frozen = frozen_versions(checked_in.frozen)
    except ValueError:
        return  # frozen_problems tells of it
    loose = [name for name in subject.by_type if name not in frozen]
    if loose:
        named = ", ".join(loose[:_MOST_NAMED]) + (", …" if len(loose) > _MOST_NAMED else "")
        yield Problem(
            FROZEN,
            f"expected every type frozen in the release {checked_in.version}, "
            f"found {len(loose)} that are not: {named}",
            "Run `python -m ekiben_contracts freeze --all` and commit what it wrote; or, if this is no "
            "release, end the version in pyproject.toml in .dev0.",
        )
