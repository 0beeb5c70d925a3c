"""The golden examples: what users see of each type is what the code reads and writes."""

import json

import pytest
from jsonschema import Draft202012Validator

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.checked_in import read
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.event import Event
from unit.contracts.strategies import TOPIC_OF

CHECKED_IN = read()
every_type = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


@every_type
def test_an_example_comes_out_as_it_went_in(event: type[Event]):
    text = CHECKED_IN.examples[event.type]

    read_back = decode(text.encode(), [("ce_type", event.type.encode())], TOPIC_OF[event])

    assert json.dumps(json.loads(read_back.data.to_json())) == json.dumps(json.loads(text))


@every_type
def test_an_example_is_valid_by_the_checked_in_schema(event: type[Event]):
    document = json.loads(CHECKED_IN.schemas[event.type])
    Draft202012Validator.check_schema(document)

    Draft202012Validator(document).validate(json.loads(CHECKED_IN.examples[event.type]))


@every_type
def test_an_example_shows_every_field(event: type[Event]):
    example = json.loads(CHECKED_IN.examples[event.type])

    assert example.keys() == event.model_fields.keys()


@every_type
def test_an_example_has_a_key(event: type[Event]):
    example = event.model_validate_json(CHECKED_IN.examples[event.type])

    assert TOPIC_OF[event].key_of(example)
