"""The closing report for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ekiben.demo.report import Report


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command to go on with, and what it shows."""

    command: str
    shows: str


def show(report: Report, next_steps: Sequence[NextStep], console: Console) -> None:
    """Print the report. The console decides on colours, by whether it is a terminal."""
    console.print(Group(*_parts(report, next_steps)))


def _parts(report: Report, next_steps: Sequence[NextStep]) -> Iterator[RenderableType]:
    yield _heading("Every request accounted for" if report.accounts.is_whole else "Requests are missing")
    yield _accounts(report)
    yield _verdict(report)
    yield _heading("Speed")
    yield _speed(report)
    yield _heading("What the models are worth (AUC against what really happened)")
    yield _numbers({model: _number(area, ".4f") for model, area in report.auc.items()})
    yield _heading("Memory, at its peak")
    yield _memory(report.rss_mb)
    yield _heading("Where to look next")
    yield _next_steps(next_steps)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _accounts(report: Report) -> Table:
    accounts = report.accounts
    table = _numbers({"sent": f"{accounts.sent:,}", "completed": f"{accounts.completed:,}"})
    table.add_row("failed", f"{sum(accounts.failed.values()):,}")
    for code, count in accounts.failed.items():
        table.add_row(f"  {code}", f"{count:,}", style="dim")
    table.add_row(
        "unreadable", f"{accounts.unreadable:,}", "nobody can tell whose they are: dead letters only"
    )
    lost = "" if accounts.is_whole else f"such as {', '.join(accounts.missing)}"
    table.add_row("lost", f"{accounts.lost:,}", lost, style="green" if accounts.is_whole else "bold red")
    table.add_row(
        "duplicates", f"{accounts.duplicates:,}", "terminal events seen more than once, and dropped"
    )
    table.add_row("dead letters", f"{accounts.dead_letters:,}")
    return table


def _verdict(report: Report) -> Text:
    accounts = report.accounts
    failed = sum(accounts.failed.values())
    if accounts.is_whole:
        sum_ = f"{accounts.completed:,} completed + {failed:,} failed + {accounts.unreadable:,} unreadable"
        return Text(f"  {accounts.sent:,} sent = {sum_}", style="green")
    return Text(
        f"  {accounts.lost:,} of {accounts.sent:,} have no answer and no dead letter", style="bold red"
    )


def _speed(report: Report) -> Table:
    table = _numbers({"requests a second": _number(report.requests_per_second, ",.0f")})
    for name, latency in (("p50", report.p50_ms), ("p95", report.p95_ms), ("p99", report.p99_ms)):
        table.add_row(f"{name}, paced", f"{_number(latency, ',.1f')} ms")
    table.add_row("the whole demo", f"{report.seconds:,.0f} s")
    return table


def _memory(rss_mb: Mapping[str, float]) -> Table:
    table = _numbers({process: f"{mb:,.0f} MB" for process, mb in rss_mb.items()})
    table.add_row("together", f"{sum(rss_mb.values()):,.0f} MB", style="bold")
    return table


def _next_steps(next_steps: Sequence[NextStep]) -> Table:
    table = Table.grid(padding=(0, 2))
    for step in next_steps:
        table.add_row(Text(f"  {step.command}", style="cyan"), Text(step.shows, style="dim"))
    return table


def _numbers(rows: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=24)
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, value in rows.items():
        table.add_row(f"  {name}", value)
    return table


def _number(value: float | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)
