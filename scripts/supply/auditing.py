"""What is known against the locked packages, asked of an advisory source by pip-audit.

A source is believed once it has named the known vulnerability of an old package: one that is away, or
that answers every question with nothing, would otherwise pass for a clean bill. Where none answers the
audit is skipped, and says so. Whatever goes wrong once a source is believed is an error.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.supply.locked import LockError, read_lock

KNOWN = "jinja2==2.10"
"""CVE-2019-10906, in every source of advisories about Python since 2019."""
FOUND, NOT_AUDITED = 1, 3
_PROBE_S = 30
_AUDIT_S = 600


class AuditError(RuntimeError):
    """pip-audit did not audit: its words say why."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where advisories are asked for: pip-audit's own default, or whatever speaks OSV's protocol at a URL."""

    osv_url: str | None = None
    timeout_s: int = 5

    @property
    def options(self) -> list[str]:
        chosen = ["--vulnerability-service", "osv", "--osv-url", self.osv_url] if self.osv_url else []
        return [*chosen, "--timeout", str(self.timeout_s)]


@dataclass(frozen=True, slots=True)
class Finding:
    """One advisory about one locked package."""

    package: str
    version: str
    advisories: tuple[str, ...]
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        mend = f"fixed in {', '.join(self.fixed)}" if self.fixed else "no fixed version yet"
        return f"{self.package} {self.version}: {', '.join(self.advisories)}; {mend}"


@dataclass(frozen=True, slots=True)
class Report:
    """What the source knows, and what it could not be asked about."""

    audited: int
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]


def read(told: Mapping[str, Any]) -> Report:
    """pip-audit's JSON."""
    asked = [each for each in told["dependencies"] if "skip_reason" not in each]
    findings = [
        Finding(each["name"], each["version"], (found["id"], *found["aliases"]), tuple(found["fix_versions"]))
        for each in asked
        for found in each["vulns"]
    ]
    left_out = [each["name"] for each in told["dependencies"] if "skip_reason" in each]
    return Report(len(asked), tuple(findings), tuple(left_out))


def verdict(report: Report | None, *, strict: bool, today: str) -> tuple[int, list[str]]:
    """The exit code, and what is printed."""
    if report is None:
        return (
            NOT_AUDITED if strict else 0,
            [f"skipped: no advisory source answered on {today}; run `make audit` on a machine with network"],
        )
    lines = [str(finding) for finding in report.findings]
    if report.left_out:
        lines.append(f"not audited, for the source does not know them: {', '.join(report.left_out)}")
    lines.append(f"{report.audited} packages audited on {today}, {len(report.findings)} advisories")
    if report.findings:
        return FOUND, lines
    return (NOT_AUDITED if strict and report.left_out else 0), lines


def audit(lock: Path, source: Source, *, accepted: Sequence[str] = ()) -> Report | None:
    """What the source knows of the packages of a lock; None where no source answers.

    Raises:
        LockError, OSError: the lock cannot be read.
        AuditError: the source answers, and yet nothing was audited.
    """
    read_lock(lock)
    if not _believable(source):
        return None
    ignored = [word for advisory in accepted for word in ("--ignore-vuln", advisory)]
    report = _ask(["--require-hashes", "-r", str(lock), *ignored], source, _AUDIT_S)
    if not report.audited:
        raise AuditError(
            f"expected packages to audit in {lock}, found none that is installed on this machine"
        )
    return report


def _believable(source: Source) -> bool:
    with tempfile.TemporaryDirectory(prefix="audit-") as scratch:
        old = Path(scratch) / "known.txt"
        old.write_text(KNOWN + "\n", "utf-8")
        # a cache of its own: what was once read from a source does not tell whether it answers now
        try:
            return bool(
                _ask(["--no-deps", "-r", str(old), "--cache-dir", scratch], source, _PROBE_S).findings
            )
        except AuditError:
            return False


def _ask(arguments: Sequence[str], source: Source, patience_s: float) -> Report:
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    options = ["--disable-pip", *source.options, *arguments]
    try:
        ran = subprocess.run(  # noqa: S603
            [*command, *options], capture_output=True, text=True, timeout=patience_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise AuditError(
            f"expected pip-audit to end within {patience_s:g} s, found it still at it"
        ) from error
    try:
        return read(json.loads(ran.stdout))
    except json.JSONDecodeError as error:
        said = ran.stderr.strip() or f"nothing, and exit code {ran.returncode}"
        raise AuditError(f"expected pip-audit to answer in JSON, it said: {said}") from error


def run(lock: Path, source: Source, *, strict: bool, accepted: Sequence[str]) -> int:
    """Audit, print, and the exit code."""
    try:
        report = audit(lock, source, accepted=accepted)
    except (AuditError, LockError, OSError) as error:
        print(f"not audited: {error}", file=sys.stderr)
        return NOT_AUDITED
    code, lines = verdict(report, strict=strict, today=f"{datetime.now(UTC):%Y-%m-%d}")
    print("\n".join(lines))
    return code
