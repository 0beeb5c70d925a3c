"""Whether the code, its checked-in documents and what was promised to users still agree."""

from ekiben_contracts.checked_in import CheckedIn
from ekiben_contracts.checks.catalog import catalog_problems
from ekiben_contracts.checks.derived import asyncapi_problems, page_problems, reference_problems
from ekiben_contracts.checks.described import description_problems
from ekiben_contracts.checks.examples import example_problems
from ekiben_contracts.checks.extras import extra_problems
from ekiben_contracts.checks.frozen import frozen_problems
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.release import release_problems
from ekiben_contracts.checks.schemas import schema_problems
from ekiben_contracts.checks.subject import SUBJECT, Subject
from ekiben_contracts.checks.topics import topic_problems
from ekiben_contracts.checks.versions import version_problems

__all__ = ["SUBJECT", "Problem", "Subject", "find_problems"]

_CHECKS = (
    catalog_problems,
    topic_problems,
    description_problems,
    extra_problems,
    version_problems,
    frozen_problems,
    release_problems,
    example_problems,
)
_GENERATED = (schema_problems, asyncapi_problems, page_problems, reference_problems)


def find_problems(subject: Subject, checked_in: CheckedIn) -> list[Problem]:
    """Everything that is wrong, each with what to do; empty where all agree.

    While a frozen version is broken `generate` refuses: then nobody is told to run it.
    """
    found = [problem for check in _CHECKS for problem in check(subject, checked_in)]
    if any(frozen_problems(subject, checked_in)):
        return found
    return found + [problem for check in _GENERATED for problem in check(subject, checked_in)]
