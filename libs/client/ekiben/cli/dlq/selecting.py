"""Which dead letters a command is about: conditions, ids, or explicitly all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ekiben.dead_letters import Selection

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(slots=True)
class Conditions:
    """All that are given have to hold."""

    topic: Annotated[str | None, typer.Option("--topic", help="Only those of this topic.")] = None
    group: Annotated[str | None, typer.Option("--group", help="Only those of this consumer group.")] = None
    reason: Annotated[
        str | None, typer.Option("--reason", help="Only those with this reason, such as unknown-model.")
    ] = None
    error_class: Annotated[
        str | None, typer.Option("--error-class", help="Only those with this class of error.")
    ] = None
    key: Annotated[str | None, typer.Option("--key", help="Only those of records with this key.")] = None
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Died then or later: ISO 8601, or 90m, 6h, 2d ago."),
    ] = None
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Died before then.")] = None

    def selection(self) -> Selection:
        """What they select.

        Raises:
            typer.BadParameter: a time cannot be read.
        """
        now = datetime.now(UTC)
        return Selection(
            topic=self.topic,
            group=self.group,
            reason=self.reason,
            error_class=self.error_class,
            # an argument may hold any byte: Python keeps those that are no UTF-8 as surrogates
            key=None if self.key is None else self.key.encode(errors="surrogateescape"),
            since=None if self.since is None else parse_time(self.since, now, "--since"),
            until=None if self.until is None else parse_time(self.until, now, "--until"),
        )


def select(ids: Sequence[str] | None, conditions: Conditions, *, everything: bool) -> Selection:
    """What an action is about: ids or conditions, or all where that is said.

    Raises:
        typer.BadParameter: neither, or two of them.
    """
    selection = conditions.selection()
    if sum([bool(ids), not selection.is_everything, everything]) == 1:
        return Selection(ids=frozenset(ids)) if ids else selection
    if everything or ids:
        raise typer.BadParameter("expected ids, or conditions, or --all; found two of them")
    raise typer.BadParameter(
        "expected ids, or conditions such as --reason, found none; --all means every dead letter"
    )


def parse_time(text: str, now: datetime, option: str) -> datetime:
    """ISO 8601, in UTC where it has no offset; or how long ago, such as 90m.

    Raises:
        typer.BadParameter: it is neither.
    """
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"expected 2013-09-03T08:00:00Z, or 90m, 6h, 2d ago, found {text!r}", param_hint=option
        ) from error
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
