"""Whether every event has a name of its own and stands in the catalog."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ekiben_contracts.checked_in import CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.subject import Subject

_TYPE = re.compile(r"ekiben\.[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*")
_WHERE = "catalog.py"


def catalog_problems(subject: Subject, _: CheckedIn) -> Iterator[Problem]:
    """Types that are misnamed, used twice, or defined and forgotten."""
    for event in subject.events:
        if not _TYPE.fullmatch(event.type):
            yield Problem(
                _WHERE,
                f"expected ekiben.NOUN.VERB.vN as the type of {event.__name__}, found {event.type}",
                "Rename the type; its version is the end of its name.",
            )
    for name, times in Counter(event.type for event in subject.events).items():
        if times > 1:
            yield Problem(
                _WHERE, f"expected one event of type {name}, found {times}", "Give each a type of its own."
            )
    for event in subject.defined:
        if event not in subject.events:
            yield Problem(
                _WHERE,
                f"expected {event.__name__} of {event.__module__} in EVENTS, found it missing",
                "Add it to EVENTS and to the topic that carries it, or delete the class.",
            )
