"""What `generate` and `freeze` would write: decided here, carried out by the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ekiben_contracts.checked_in import ASYNCAPI, FROZEN, REFERENCE, SCHEMAS, CheckedIn
from ekiben_contracts.checks.derived import asyncapi_of, reference_of
from ekiben_contracts.checks.frozen import frozen_problems, frozen_versions
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.schemas import schema_problems
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import render, replace_table, schema, without_wording


@dataclass(frozen=True, slots=True)
class Plan:
    """Files to write and to delete, by their path below the folder; or why nothing may be touched."""

    write: Mapping[str, str] = field(default_factory=dict[str, str])
    delete: tuple[str, ...] = ()
    page: str | None = None
    reference: str | None = None
    refused: tuple[Problem, ...] = ()

    def carry_out(self, folder: Path, page: Path | None) -> None:
        """Write and delete what was planned."""
        for name, text in self.write.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        for name in self.delete:
            (folder / name).unlink()
        if page is not None and self.page is not None:
            page.write_text(self.page, "utf-8")
        if page is not None and self.reference is not None:
            page.with_name(REFERENCE).write_text(self.reference, "utf-8")


def generate(subject: Subject, checked_in: CheckedIn) -> Plan:
    """Bring the derived documents up to date. Refused while a frozen version would change."""
    refused = tuple(frozen_problems(subject, checked_in))
    if refused:
        return Plan(refused=refused)
    documents = {_schema_path(name): render(schema(event)) for name, event in subject.by_type.items()}
    documents[ASYNCAPI] = render(asyncapi_of(subject, checked_in))
    standing = {_schema_path(name): text for name, text in checked_in.schemas.items()}
    standing[ASYNCAPI] = checked_in.asyncapi or ""
    page = None if checked_in.page is None else replace_table(checked_in.page, subject.topics)
    reference = None if checked_in.reference is None else reference_of(subject, checked_in)
    return Plan(
        write={path: text for path, text in documents.items() if standing.get(path) != text},
        delete=tuple(path for path in standing if path not in documents),
        page=None if page == checked_in.page else page,
        reference=None if reference == checked_in.reference else reference,
    )


def freeze(subject: Subject, checked_in: CheckedIn, types: Sequence[str]) -> Plan:
    """Promise that these types never change. Refused while schemas are stale or frozen ones are broken."""
    unknown = tuple(
        Problem(
            "freeze", f"expected a type of EVENTS, found {name}", "`generate` writes a schema of each type."
        )
        for name in types
        if name not in subject.by_type
    )
    refused = (*unknown, *frozen_problems(subject, checked_in), *schema_problems(subject, checked_in))
    if refused:
        return Plan(refused=refused)
    frozen = frozen_versions(checked_in.frozen)
    promised = {name: without_wording(schema(subject.by_type[name])) for name in types}
    text = render(dict(sorted({**frozen, **promised}.items())))
    return Plan(write={} if text == checked_in.frozen else {FROZEN: text})


def _schema_path(event_type: str) -> str:
    return f"{SCHEMAS}/{event_type}.json"
