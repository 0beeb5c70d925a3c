"""The table of topics in the documentation, between two marks of the page."""

from __future__ import annotations

from collections.abc import Sequence

from ekiben_contracts.topics import DAY_MS, FOREVER, Topic

BEGIN = "<!-- topics: written by `python -m ekiben_contracts generate` -->"
END = "<!-- end of topics -->"
_HEAD = (
    "| topic | key | types | written by | read by | partitions | kept |\n"
    "|---|---|---|---|---|---|---|\n"
)  # fmt: skip


def table(topics: Sequence[Topic]) -> str:
    """The table of topics as Markdown."""
    return _HEAD + "".join(_row(topic) for topic in topics)


def table_of(page: str) -> str | None:
    """The table as it stands on a page; None where the page has no place for one."""
    _, begin, rest = page.partition(f"{BEGIN}\n")
    standing, end, _ = rest.partition(END)
    return standing if begin and end else None


def replace_table(page: str, topics: Sequence[Topic]) -> str:
    """The page with the table brought up to date; unchanged where it has no place for one."""
    standing = table_of(page)
    if standing is None:
        return page
    return page.replace(f"{BEGIN}\n{standing}{END}", f"{BEGIN}\n{table(topics)}{END}")


def key_in_words(topic: Topic) -> str:
    """What keys a topic: the field, or what the property of each type says of itself."""
    documented = (getattr(event_type, topic.key, None) for event_type in topic.types)
    words = [attribute.__doc__ for attribute in documented if isinstance(attribute, property)]
    return " or ".join(word for word in words if word) or topic.key


def _row(topic: Topic) -> str:
    cells = (
        f"`{topic.name}`",
        key_in_words(topic),
        "<br>".join(f"`{event_type.type}`" for event_type in topic.types),
        ", ".join(topic.writers),
        ", ".join(topic.read_by),
        str(topic.partitions),
        kept(topic),
    )
    return f"| {' | '.join(cells)} |\n"


def kept(topic: Topic) -> str:
    """How long a record stays."""
    if topic.compacted:
        return "the latest of each key"
    if topic.retention_ms == FOREVER:
        return "for ever"
    return f"{topic.retention_ms // DAY_MS} days"
