"""What a soak found: for people, for machines, and as a block of Markdown to keep."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from faults.soak.ledger import Audit
from faults.soak.recovery import Recovery


@dataclass(frozen=True)
class Report:
    """The ledger, the faults, and what it took."""

    seed: int
    audit: Audit
    recoveries: tuple[Recovery, ...]
    longest_wait_s: float
    took_s: float

    @property
    def recovered_s(self) -> list[float]:
        return [each.seconds for each in self.recoveries]

    @property
    def idle(self) -> int:
        """Faults that fell on nothing unanswered: now and then a whole burst is answered before its fault."""
        return sum(not each.unanswered for each in self.recoveries)

    @property
    def wrongs(self) -> list[str]:
        """What must not be, by name: of the ledger, and of the attack itself."""
        found = list(self.audit.wrongs)
        if self.audit.failed:
            found.append("failed")  # every request was a good one
        if self.idle > len(self.recoveries) // 10:
            found.append("too many faults that fell on nothing unanswered")
        return found

    @property
    def is_good(self) -> bool:
        return not self.wrongs

    @property
    def command(self) -> str:
        return f"make soak REQUESTS={self.audit.requests} FAULTS={len(self.recoveries)} SEED={self.seed}"


def as_json(report: Report) -> dict[str, Any]:
    """One object, lists of ids included."""
    faults = [
        {
            "victim": each.fault.name,
            "blow": each.fault.blow,
            "held_s": round(each.fault.lifted - each.fault.began, 1),
            "unanswered": each.unanswered,
            "recovered_s": round(each.seconds, 2),
        }
        for each in report.recoveries
    ]
    return {
        "command": report.command,
        "seed": report.seed,
        **dict(_ledger(report)),
        "wrongs": report.audit.wrongs,
        "recovered_median_s": round(median(report.recovered_s), 2),
        "recovered_longest_s": round(max(report.recovered_s), 2),
        "faults": faults,
    }


def as_tables(report: Report) -> RenderableType:
    """The faults in their order, and the ledger below."""
    faults = Table("fault", title=f"Faults, seed {report.seed}")
    for column in ("held", "unanswered when it fell", "recovered after"):
        faults.add_column(column, justify="right")
    for row in _rows(report):
        faults.add_row(*row)
    ledger = Table("ledger", title="Ledger", show_header=False)
    ledger.add_column("", justify="right")
    for name, value in (*_ledger(report), *_times(report)):
        ledger.add_row(name.replace("_", " "), _number(value))
    return Group(faults, ledger)


def as_markdown(report: Report) -> str:
    """For the documents: the command, the ledger, the faults."""
    ledger = [f"| {name.replace('_', ' ')} | {_number(value)} |" for name, value in _ledger(report)]
    ledger += [f"| {name} | {value} |" for name, value in _times(report)]
    faults = [f"| {' | '.join(row)} |" for row in _rows(report)]
    return "\n".join(
        [
            f"`{report.command}`",
            "",
            "| ledger | |",
            "|---|---:|",
            *ledger,
            "",
            "| fault | held | unanswered when it fell | recovered after |",
            "|---|---:|---:|---:|",
            *faults,
            "",
        ]
    )


def _rows(report: Report) -> list[tuple[str, str, str, str]]:
    return [
        (
            f"{each.fault.name} {each.fault.blow}",
            _held(each),
            f"{each.unanswered:,}",
            f"{each.seconds:.1f} s",
        )
        for each in report.recoveries
    ]


def _held(recovery: Recovery) -> str:
    seconds = recovery.fault.lifted - recovery.fault.began
    return f"{seconds:.1f} s" if seconds else ""


def _ledger(report: Report) -> list[tuple[str, int]]:
    audit = report.audit
    return [
        ("requests", audit.requests),
        ("lost", len(audit.lost)),
        ("duplicated", len(audit.duplicated)),
        ("out_of_order", len(audit.out_of_order)),
        ("on_another_partition", len(audit.misplaced)),
        ("never_asked_for", len(audit.unasked)),
        ("judged_for_order", audit.ordered),
        ("parked_retried_or_replayed", audit.aside),
        ("failed", audit.failed),
        ("redelivered_with_an_equal_id", audit.redelivered),
    ]


def _times(report: Report) -> list[tuple[str, str]]:
    return [
        ("recovered, median", f"{median(report.recovered_s):.1f} s"),
        ("recovered, longest", f"{max(report.recovered_s):.1f} s"),
        ("longest wait for an answer", f"{report.longest_wait_s:.1f} s"),
        ("took", f"{report.took_s:.0f} s"),
    ]


def _number(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value
