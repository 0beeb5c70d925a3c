"""One thing that is wrong: what broke, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pydantic import JsonValue

from ekiben_contracts.documents.rendering import canonical
from ekiben_contracts.wording import found

_MOST_DIFFERENCES = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding of a check, for people and for machines."""

    where: str
    broke: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.broke}\n    {self.fix}"


def differences(before: JsonValue, after: JsonValue) -> str:
    """Where two documents differ, the first four places."""
    listed = list(islice(_differences(before, after, ""), _MOST_DIFFERENCES + 1))
    more = ["…"] if len(listed) > _MOST_DIFFERENCES else []
    return "; ".join(listed[:_MOST_DIFFERENCES] + more)


def _differences(before: JsonValue, after: JsonValue, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            below = f"{path}.{name}" if path else name
            if name not in after:
                yield f"{below} is gone"
            elif name not in before:
                yield f"{below} is new"
            else:
                yield from _differences(before[name], after[name], below)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{path}[{place}]")
    elif canonical(before) != canonical(after):
        yield f"{path or 'the whole'} was {found(before)}, is {found(after)}"
