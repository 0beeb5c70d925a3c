"""Whether every type has a golden example that survives the way through its model unchanged."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from ekiben_contracts.checked_in import EXAMPLES, CheckedIn
from ekiben_contracts.checks.problem import Problem, differences
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import parse
from ekiben_contracts.event import Event
from ekiben_contracts.wording import describe

_WRITE = "Write one by hand: realistic, every field filled, as a user would meet it."
_MEND = "Mend the example; if it was right, the change of the model breaks users: undo that."


def example_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """Examples that are missing, of no type, invalid, or changed by reading and writing them."""
    for event_type, event in subject.by_type.items():
        text = checked_in.examples.get(event_type)
        where = f"{EXAMPLES}/{event_type}.json"
        if text is None:
            yield Problem(where, "expected an example, found no file", _WRITE)
        else:
            yield from (Problem(where, broke, _MEND) for broke in _broken(event, text))
    for orphan in checked_in.examples.keys() - subject.by_type.keys():
        yield Problem(
            f"{EXAMPLES}/{orphan}.json",
            "an example of no type in EVENTS",
            "Delete it, or name it after its type.",
        )


def _broken(event: type[Event], text: str) -> Iterator[str]:
    try:
        example = parse(text)
        written = parse(event.model_validate_json(text, strict=True).to_json())
    except ValidationError as error:
        yield describe(error)
    except ValueError as error:
        yield f"no JSON: {error}"
    else:
        changed = differences(example, written)
        if changed:
            yield f"reading and writing it changes it: {changed}"
