"""The note on retention and erasure says of every topic what the topics themselves say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ekiben_contracts.topics import DAY_MS, FOREVER, TOPICS, Topic

PAGE = Path(__file__).parents[3] / "docs" / "privacy.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text("utf-8").partition("## How an entity's data leaves")[2].splitlines()
    if line.startswith("| `")
]
KEPT = {name: row for row in ROWS for name in re.findall(r"`(ekiben\.[a-z-]+)`", row[0])}


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "compacted"
    return "for ever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // DAY_MS} days"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_told_with_how_long_it_is_kept(topic):
    assert KEPT[topic.name][1] == _kept(topic)
    assert KEPT[topic.name][2]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_only_where_no_event_names_an_entity_the_note_says_so(topic):
    names_one = any(
        "entity_id" in event.model_fields or "input_example" in event.model_fields for event in topic.types
    )
    is_about_one = topic.name == "ekiben.dead-letter-actions"
    assert KEPT[topic.name][2].startswith("no entity") is not (names_one or is_about_one)


def test_nothing_is_told_of_topics_that_are_not_there():
    assert KEPT.keys() == {topic.name for topic in TOPICS}
