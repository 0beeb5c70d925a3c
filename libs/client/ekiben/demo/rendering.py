"""The closing report for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ekiben.demo.ledger import Accounts
from ekiben.demo.report import Beside, FromStore, Report


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command to go on with, and what it shows."""

    command: str
    shows: str


def show(report: Report, next_steps: Sequence[NextStep], console: Console) -> None:
    """Print the report. The console decides on colours, by whether it is a terminal."""
    for heading, *body in _sections(report, next_steps):
        console.print(Text(f"\n{heading}", style="bold"))
        for part in body:
            console.print(Padding(part, (0, 0, 0, 2)))


def _sections(
    report: Report, next_steps: Sequence[NextStep]
) -> Iterator[tuple[str, *tuple[RenderableType, ...]]]:
    whole = report.accounts.is_whole
    yield (
        "Every request accounted for" if whole else "Requests are missing",
        _accounts(report.accounts),
        _sum(report.accounts),
    )
    yield "Speed", _speed(report)
    if report.plain is not None:
        yield "With TLS, logins and ACLs", _secured(report, report.plain)
    if report.from_store is not None:
        yield "Features from the store", _from_store(report.from_store)
    auc = {model: _number(area, ".4f") for model, area in report.auc.items()}
    yield "What the models are worth: AUC against what really happened", _numbers(auc)
    yield "Memory, at its peak", _memory(report.rss_mb)
    yield "Where to look next", _next_steps(next_steps)


def _accounts(accounts: Accounts) -> Table:
    failed = {f"  {code}": f"{count:,}" for code, count in accounts.failed.items()}
    table = _numbers(
        {
            "sent": f"{accounts.sent:,}",
            "completed": f"{accounts.completed:,}",
            "failed": f"{sum(accounts.failed.values()):,}",
            **failed,
        }
    )
    missing = "" if accounts.is_whole else f"such as {', '.join(accounts.missing)}"
    table.add_row(
        "unreadable", f"{accounts.unreadable:,}", "nobody can tell whose they are: dead letters only"
    )
    table.add_row("lost", f"{accounts.lost:,}", missing, style=_style(accounts))
    table.add_row(
        "duplicates", f"{accounts.duplicates:,}", "terminal events seen more than once, and dropped"
    )
    table.add_row("dead letters", f"{accounts.dead_letters:,}", "kept byte for byte")
    return table


def _sum(accounts: Accounts) -> Text:
    failed = sum(accounts.failed.values())
    if not accounts.is_whole:
        lost = f"{accounts.lost:,} of {accounts.sent:,} have no answer and no dead letter"
        return Text(lost, style=_style(accounts))
    parts = f"{accounts.completed:,} completed + {failed:,} failed + {accounts.unreadable:,} unreadable"
    return Text(f"{accounts.sent:,} sent = {parts}", style=_style(accounts))


def _style(accounts: Accounts) -> str:
    return "green" if accounts.is_whole else "bold red"


def _speed(report: Report) -> Table:
    table = _numbers({"requests a second": _number(report.requests_per_second, ",.0f")})
    for name, latency in (("p50", report.p50_ms), ("p95", report.p95_ms), ("p99", report.p99_ms)):
        table.add_row(name, f"{_number(latency, ',.1f')} ms", "from request to result, at the steady pace")
    table.add_row("the whole demo", f"{report.seconds:,.0f} s")
    return table


def _secured(report: Report, plain: Beside) -> Table:
    table = _numbers({"plain": f"{_number(plain.requests_per_second, ',.0f')} a second"})
    table.add_row("secure", f"{_number(report.requests_per_second, ',.0f')} a second")
    table.add_row("secure / plain", _number(report.secure_to_plain, ".2f"), "both in this run, one by one")
    if plain.lost:
        table.add_row("lost, plain", f"{plain.lost:,}", style="bold red")
    return table


def _from_store(found: FromStore) -> Table:
    table = _numbers({"requests a second": _number(found.requests_per_second, ",.0f")})
    table.add_row("as a share", _number(found.to_brought, ".2f"), "of the run that brings its features")
    table.add_row("one entity", f"{_number(found.us_per_entity, ',.0f')} µs", "of a read, under the load")
    return table


def _memory(rss_mb: Mapping[str, float]) -> Table:
    table = _numbers({process: f"{mb:,.0f} MB" for process, mb in rss_mb.items()})
    table.add_row("all of these", f"{sum(rss_mb.values()):,.0f} MB", "not all at one time", style="bold")
    return table


def _next_steps(next_steps: Sequence[NextStep]) -> Table:
    table = Table.grid(padding=(0, 2))
    for step in next_steps:
        table.add_row(Text(step.command, style="cyan"), Text(step.shows, style="dim"))
    return table


def _numbers(rows: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=20)
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _number(value: float | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)
