"""What a command writes: for people on a terminal, for people in a file, or JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 200


class Output:
    """Results on standard output, everything else on standard error. Colours on a terminal only."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out = _console(stderr=False)
        self._err = _console(stderr=True)

    def document(self, document: object) -> None:
        """One JSON document on one line."""
        sys.stdout.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        sys.stdout.flush()

    def json_line(self, document: bytes) -> None:
        """One JSON document that is encoded already."""
        sys.stdout.buffer.write(document + b"\n")
        sys.stdout.flush()

    def text(self, text: str, style: str = "") -> None:
        """A line of a result."""
        self._out.print(Text(text, style), soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table; its cells are taken literally."""
        table = Table(*headings, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        self._out.print(table)

    def aside(self, text: str, style: str = "dim") -> None:
        """Something worth knowing that is no result: progress, a hint."""
        self._err.print(Text(text, style), soft_wrap=True)

    def warning(self, text: str) -> None:
        """Something that went wrong without ending the command."""
        self._err.print(Text(text, "yellow"), soft_wrap=True)

    def progress(self) -> Progress:
        """Bars on standard error while something lasts; on a terminal only."""
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._err,
            transient=True,
            disable=not self._err.is_terminal,
        )

    def error(self, lines: Mapping[str, str]) -> None:
        """What ended the command."""
        if self.as_json:
            sys.stderr.write(json.dumps({"error": dict(lines)}, ensure_ascii=False) + "\n")
            return
        for name, text in lines.items():
            self._err.print(Text.assemble((f"{name:>8}  ", "bold red"), text), soft_wrap=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # a pipe has no width: lines must not break at the 80 columns that rich assumes
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _PIPE_WIDTH)
