"""The table of rolling upgrades, printed at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

COLUMNS = (
    "rolling upgrade",
    "v1",
    "v2",
    "by old",
    "by new",
    "put off",
    "dead letters",
    "replayed",
    "lost",
    "answered twice",
    "same id again",
)


@dataclass
class Table:
    """One row for each test, added by itself."""

    rows: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    def add(self, *cells: object) -> None:
        assert len(cells) == len(COLUMNS)
        self.rows.append(cells)


TABLE = pytest.StashKey[Table]()


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Table:
    return request.config.stash.setdefault(TABLE, Table())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(TABLE, Table())
    if not found.rows:
        return
    terminalreporter.section("Rolling upgrades: old and new members of one group, under load")
    lines = [COLUMNS, *([str(cell) for cell in row] for row in found.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    for first, *others in lines:
        numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        terminalreporter.write_line("  ".join((first.ljust(widths[0]), *numbers)))
