"""One dead letter in full: for people, and as JSON."""

from __future__ import annotations

import json
from base64 import b64encode

from ekiben.cli.output import Output
from ekiben.dead_letters import DeadLetter

_MOST_SHOWN = 64 * 1024


def as_document(letter: DeadLetter) -> dict[str, object]:
    """For JSON: bytes as text, escaped where they are none, and exactly, as base64."""
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
        "error_message": letter.error_message,
        "error_stack": letter.error_stack,
        "attempt": letter.attempt,
        "failed_at": letter.failed_at,
        "service": letter.service,
        "key": None if letter.key is None else escaped(letter.key),
        "headers": {name: escaped(value) for name, value in letter.headers},
        "value": payload(letter.value),
        "value_base64": None if letter.value is None else b64encode(letter.value).decode(),
    }


def report(letter: DeadLetter, output: Output) -> None:
    """For people."""
    place = f"{letter.topic}, partition {letter.partition}, offset {letter.offset}"
    facts = {
        "id": letter.id,
        "record": f"{place}, of {letter.recorded_at:%Y-%m-%d %H:%M:%S} UTC",
        "died": f"{letter.failed_at} in {letter.service}, stage {letter.stage}, attempt {letter.attempt}",
        "reason": letter.reason,
        "error": f"{letter.error_class}: {letter.error_message}",
        "key": "none" if letter.key is None else escaped(letter.key),
        **{f"header {name}": escaped(value) for name, value in letter.headers},
    }
    width = max(map(len, facts))
    for name, text in facts.items():
        output.text(f"{name:<{width}}  {text}")
    output.text("\nvalue", "bold")
    output.text(_shown(letter.value))
    if letter.error_stack:
        output.text("\nstack", "bold")
        output.text(letter.error_stack.rstrip())


def payload(value: bytes | None) -> object:
    """The JSON that it is, else its escaped bytes; None where there is no value."""
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError:  # UnicodeDecodeError is one
        return escaped(value)


def escaped(raw: bytes) -> str:
    r"""Text where it is UTF-8 that can be printed; any other byte as \xNN."""
    text = raw.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _shown(value: bytes | None) -> str:
    if value is None:
        return "(none)"
    if value == b"":
        return "(empty)"
    found = payload(value)
    text = found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False)
    left = len(text) - _MOST_SHOWN
    return text if left <= 0 else f"{text[:_MOST_SHOWN]}… and {left} more characters (--json has all)"
