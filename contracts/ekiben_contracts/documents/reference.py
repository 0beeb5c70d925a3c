"""The reference page: every event with what it is for, its topic, its fields and its example, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import JsonValue

from ekiben_contracts.documents.kinds import KINDS
from ekiben_contracts.documents.rendering import render_narrow
from ekiben_contracts.documents.schema import definitions
from ekiben_contracts.documents.table import kept, key_in_words
from ekiben_contracts.documents.type_words import TypeWords, as_object, link, quoted
from ekiben_contracts.event import Event
from ekiben_contracts.evolution.upcasting import older_versions
from ekiben_contracts.topics import Topic

_HEAD = """\
<!-- written by `python -m ekiben_contracts generate`: change the classes in contracts/, not this page -->
# Every event
What each event is for, its fields and an example, by topic. How a record is made up, keyed and identified
is told in [The events](contracts.md); what *sensitive* means, and how an entity's data leaves, in
[What events may carry](privacy.md). A field that is not listed is ignored; NaN and infinity are refused.

"""
_ALWAYS = "attempt"
"""In every event, and the last that anybody looks for."""
_LONG = 40
"""Lines: a longer example is folded."""


def reference(topics: Sequence[Topic], examples: Mapping[str, JsonValue]) -> str:
    """The whole page. `examples` are by type; a type without one gets none."""
    return _HEAD + "\n".join(_Page(topics, examples).paragraphs())


class _Page:
    """The parts of the page, each a paragraph."""

    def __init__(self, topics: Sequence[Topic], examples: Mapping[str, JsonValue]) -> None:
        self._topics = topics
        self._examples = examples
        self._names, self._definitions = definitions([event for topic in topics for event in topic.versions])
        self._words = TypeWords(self._definitions)

    def paragraphs(self) -> Iterator[str]:
        yield from self._contents()
        for topic in self._topics:
            yield from _about_topic(topic)
            for newest in topic.types:
                yield from self._event(newest)
                for older in older_versions(newest):
                    yield from self._event(older, newest)
        yield from self._parts()
        yield from self._kinds()

    def _contents(self) -> Iterator[str]:
        for topic in self._topics:
            yield f"- {link(topic.name)}: {', '.join(link(event.type) for event in topic.versions)}"
        yield f"- {link('Parts')}, {link('Kinds of values')}\n"

    def _event(self, event: type[Event], newest: type[Event] | None = None) -> Iterator[str]:
        yield f"### {event.type}"
        if newest is not None:
            yield f"An older version: it is read as {link(newest.type)}.\n"
        yield from self._described(as_object(self._definitions[self._names[event]]))
        if event.type in self._examples:
            yield _example(render_narrow(self._examples[event.type]))

    def _parts(self) -> Iterator[str]:
        yield "## Parts\nWhat stands inside of events.\n"
        for name, definition in self._definitions.items():
            rules = as_object(definition)
            if name not in self._names.values() and "properties" in rules:
                yield f"### {name}"
                yield from self._described(rules)

    def _kinds(self) -> Iterator[str]:
        yield "## Kinds of values"
        for kind in KINDS:
            spelt_out = self._words.spelt_out(as_object(kind.schema))
            yield f"### {kind.name}\n{kind.meaning}. In JSON: {spelt_out}.\n"

    def _described(self, rules: Mapping[str, JsonValue]) -> Iterator[str]:
        yield f"{rules.get('description', '')}\n"
        fields = as_object(rules.get("properties"))
        required = cast("Sequence[str]", rules.get("required", ()))
        yield "| field | type | default | |\n|---|---|---|---|"
        for name in sorted(fields, key=_ALWAYS.__eq__):
            yield self._row(name, as_object(fields[name]), required=name in required)
        yield ""

    def _row(self, name: str, field: Mapping[str, JsonValue], *, required: bool) -> str:
        default = "required" if required else quoted(field["default"]) if "default" in field else "empty"
        cells = (f"`{name}`", self._words.of(field), default, _about_field(field))
        escaped = (cell.replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(escaped)} |".replace("|  |", "| |")


def _about_topic(topic: Topic) -> Iterator[str]:
    partitions = "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"
    yield f"## {topic.name}"
    yield (
        f"Written by {', '.join(topic.writers)}; read by {', '.join(topic.read_by)}. "
        f"Keyed by {key_in_words(topic)}, on {partitions}. Kept: {kept(topic)}.\n"
    )


def _about_field(field: Mapping[str, JsonValue]) -> str:
    mark = field.get("x-sensitive")
    sensitive = "*Sensitive, by feature.*" if mark == "by-feature" else "*Sensitive.*" if mark else ""
    return " ".join(each for each in (str(field.get("description", "")), sensitive) if each)


def _example(text: str) -> str:
    block = f"```json\n{text}\n```\n"
    lines = text.count("\n") + 1
    if lines <= _LONG:
        return block
    return f"<details><summary>Example, {lines} lines</summary>\n\n{block}\n</details>\n"
