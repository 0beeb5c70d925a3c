"""JSON patches: which are taken."""

from __future__ import annotations

import pytest

from ekiben.dead_letters.patching import NotApplicableError, Patch, read_patch
from ekiben.dead_letters.replaying import LeftOut, Treatment, decide
from ekiben.errors import InvalidInputError
from unit.dead_letters.building import grave, letter, payload


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


SECRET = "wears a wig"


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({"op": "test", "path": "/features/hair", "value": "x"}, "test of /features/hair"),
        ({"op": "replace", "path": "/nope/x", "value": 1}, "replace of /nope/x"),
        ({"op": "remove", "path": "/features/hair/x"}, "remove of /features/hair/x"),
    ],
)
def test_a_patch_that_does_not_apply_tells_its_operation_and_nothing_of_the_payload(operation, told):
    payload = {"features": {"hair": SECRET}}
    patch = Patch([{"op": "test", "path": "/features/hair", "value": SECRET}, operation])
    with pytest.raises(NotApplicableError) as refused:
        patch(payload)
    assert str(refused.value) == f"operation 2, {told}, does not apply"
    assert refused.value.__suppress_context__


def test_a_patch_that_breaks_the_contract_quotes_nothing_of_the_payload():
    dead = letter(payload(features={"hair": SECRET}))
    copied = Patch([{"op": "copy", "from": "/features/hair", "path": "/explain"}])
    refused = decide(dead, grave(), Treatment(patch=copied))
    assert isinstance(refused, LeftOut)
    assert "explain: expected true or false, found a text of 11 characters" in refused.detail
