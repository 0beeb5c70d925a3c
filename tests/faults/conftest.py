"""The table of attacks: what each did, and that nothing was lost. `--full` asks for the large sizes.

The last line of the run is one JSON object: attacks, records, faults, lost, duplicated, out_of_order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import pytest
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Outcome:
    """What one attack did to the system, and what it did not."""

    attack: str
    records: int
    faults: int
    lost: int
    duplicated: int
    out_of_order: int
    recovered_s: tuple[float, ...] = ()
    story: tuple[str, ...] = ()


@dataclass
class Attack:
    """Handed to each test of this folder; it reports once, and asserts by itself."""

    name: str
    full: bool
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def report(
        self,
        *,
        records: int,
        faults: int,
        lost: int,
        duplicated: int,
        out_of_order: int,
        recovered_s: Sequence[float] = (),
        story: Sequence[str] = (),
    ) -> None:
        """Counts of records and faults; seconds from each fault to the last answer that it delayed.

        The lines of a story are printed below the table.
        """
        counts = (records, faults, lost, duplicated, out_of_order)
        self.outcomes.append(Outcome(self.name, *counts, tuple(recovered_s), tuple(story)))


OUTCOMES = pytest.StashKey[list[Outcome]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="attacks in their large sizes")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = []


@pytest.fixture
def attack(request: pytest.FixtureRequest) -> Attack:
    """The row of this test in the table."""
    name = request.node.name.removeprefix("test_").replace("_", " ")
    return Attack(name, bool(request.config.getoption("--full")), request.config.stash[OUTCOMES])


def pytest_unconfigure(config: pytest.Config) -> None:
    """After pytest's own last line, so that the JSON is the very last."""
    outcomes = config.stash.get(OUTCOMES, [])
    if outcomes:
        console = Console(width=120, highlight=False)
        console.print(as_table(outcomes))
        for told in (outcome for outcome in outcomes if outcome.story):
            console.print(f"[bold]{told.attack}[/]", *told.story, sep="\n  ")
        print(json.dumps(totals(outcomes)))


def as_table(outcomes: Sequence[Outcome]) -> Table:
    """One row for each attack."""
    table = Table("attack", title="Attacks")
    for column in ("records", "faults", "lost", "duplicated", "out of order", "recovered: median", "longest"):
        table.add_column(column, justify="right")
    for each in outcomes:
        numbers = (each.records, each.faults, each.lost, each.duplicated, each.out_of_order)
        recovery = each.recovered_s
        times = (f"{median(recovery):.1f} s", f"{max(recovery):.1f} s") if recovery else ("", "")
        table.add_row(each.attack, *(f"{number:,}" for number in numbers), *times)
    return table


def totals(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """The sums, for machines."""
    columns = ("records", "faults", "lost", "duplicated", "out_of_order")
    return {"attacks": len(outcomes), **{name: sum(getattr(o, name) for o in outcomes) for name in columns}}
