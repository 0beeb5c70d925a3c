"""JSON patches: which are taken."""

from __future__ import annotations

import pytest

from ekiben.dead_letters.patching import read_patch
from ekiben.errors import InvalidInputError


def test_the_operations_of_a_patch_are_applied_in_order_and_the_payload_stays_as_it_was():
    patch = read_patch(
        '[{"op": "test", "path": "/a", "value": 1}, {"op": "move", "from": "/a", "path": "/b"},'
        ' {"op": "add", "path": "/c", "value": [null]}]'
    )
    payload = {"a": 1}
    assert patch(payload) == {"b": 1, "c": [None]}
    assert payload == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "{}",
        "[1]",
        '["op"]',
        '[{"op": "replace", "path": "/a"}]',
        '[{"op": "move", "path": "/a"}]',
        '[{"op": "mend", "path": "/a"}]',
        '[{"path": "/a", "value": 1}]',
        '[{"op": "remove"}]',
        '[{"op": "remove", "path": "a"}]',
        '[{"op": "remove", "path": 7}]',
        '[{"op": "add", "path": "/a", "value": NaN}]',
        '[{"op": "add", "path": "/a", "value": "' + "x" * 100_000 + '"}]',
    ],
)
def test_what_is_no_patch_is_refused_before_anything_happens(text):
    with pytest.raises(InvalidInputError, match="expected a JSON patch"):
        read_patch(text)
