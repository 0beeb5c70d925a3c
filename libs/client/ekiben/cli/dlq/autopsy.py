"""One dead letter in full: for people, and as JSON."""

from __future__ import annotations

import json

from ekiben.cli.output import Output
from ekiben.dead_letters import DeadLetter, View

_MOST_SHOWN = 64 * 1024


def as_document(letter: DeadLetter, view: View) -> dict[str, object]:
    """For JSON. The bytes themselves, as base64, are there only where all may be seen."""
    return {
        "id": letter.id,
        "topic": letter.topic,
        "group": letter.group,
        "partition": letter.partition,
        "offset": letter.offset,
        "recorded_at": letter.recorded_at.isoformat(),
        "stage": letter.stage,
        "reason": letter.reason,
        "error_class": letter.error_class,
        "error_message": view.error_message,
        "error_stack": view.error_stack,
        "attempt": letter.attempt,
        "failed_at": letter.failed_at,
        "service": letter.service,
        "key": view.key,
        "headers": dict(view.headers),
        "value": view.value,
        "value_base64": view.raw,
    }


def report(letter: DeadLetter, view: View, output: Output) -> None:
    """For people."""
    place = f"{letter.topic}, partition {letter.partition}, offset {letter.offset}"
    facts = {
        "id": letter.id,
        "record": f"{place}, of {letter.recorded_at:%Y-%m-%d %H:%M:%S} UTC",
        "died": f"{letter.failed_at} in {letter.service}, stage {letter.stage}, attempt {letter.attempt}",
        "reason": letter.reason,
        "error": f"{letter.error_class}: {view.error_message}",
        "key": "none" if view.key is None else view.key,
        **{f"header {name}": value for name, value in view.headers},
    }
    width = max(map(len, facts))
    for name, text in facts.items():
        output.text(f"{name:<{width}}  {text}")
    output.text("\nvalue", "bold")
    output.text("(none)" if letter.value is None else "(empty)" if letter.value == b"" else _shown(view))
    if view.error_stack:
        output.text("\nstack", "bold")
        output.text(view.error_stack.rstrip())


def _shown(view: View) -> str:
    text = view.value if isinstance(view.value, str) else json.dumps(view.value, indent=2, ensure_ascii=False)
    left = len(text) - _MOST_SHOWN
    return text if left <= 0 else f"{text[:_MOST_SHOWN]}… and {left} more characters (--json has all)"
