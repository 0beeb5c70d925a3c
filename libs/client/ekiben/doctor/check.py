"""One check and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What came of a check. Skipped: there was nothing to look at."""

    OK = "ok"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what mends it where it is wrong."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Check:
    """It is right."""
    return Check(name, Verdict.OK, found)


def fail(name: str, found: str, mend: str) -> Check:
    """It is wrong, and this mends it."""
    return Check(name, Verdict.FAIL, found, mend)


def skipped(name: str, why: str) -> Check:
    """There is nothing to look at, and nothing wrong with that."""
    return Check(name, Verdict.SKIPPED, why)
