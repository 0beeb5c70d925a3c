"""The record of an ask, and what is due for a record."""

from __future__ import annotations

import json

from ekiben_bus.memory import StoredRecord
from ekiben_contracts.identity import Stage, dead_letter_id, output_id, request_identity
from ekiben_contracts.topics import GATEWAY, MODEL_OUTPUTS, PREDICTION_RESULTS, SYNTHESIZER
from simulation.claims import Claim, Due, Written
from simulation.plan import PREFIX, Ask, Behaviour

RESULTS = PREFIX + PREDICTION_RESULTS.name
OUTPUTS = PREFIX + MODEL_OUTPUTS.name
_WITH_A_LETTER = {Behaviour.BUG, Behaviour.LETTER, Behaviour.EXHAUST}


def value_of(ask: Ask) -> bytes:
    """What the user writes."""
    if ask.behaviour is Behaviour.BROKEN:
        return b"\xff\xfe broken " + (ask.request_id or "").encode()
    body = {
        "request_id": ask.request_id,
        "model": ask.model,
        "entity_id": f"e{ask.partition}",
        "features": {
            "behaviour": ask.behaviour,
            "times": ask.times,
            "seconds": ask.seconds,
            "then": ask.then,
        },
    }
    return json.dumps(body).encode()


def due_for_request(record: StoredRecord, claim: Claim) -> Due:
    """What a record of the requests topic, or a replay of it, asks of the gateway."""
    letter = dead_letter_id(claim.topic, GATEWAY, claim.partition, claim.offset, claim.attempt)
    try:
        body = json.loads(record.value or b"")
    except ValueError:
        return _due(record, claim, "", [], letter)
    identity = request_identity(body["request_id"], None, claim.topic, claim.partition, claim.offset)
    behaviour = body["features"]["behaviour"] if claim.attempt == 1 else Behaviour.ANSWER
    written = Written(RESULTS, output_id(identity, Stage.RESULT, claim.attempt))
    if behaviour == Behaviour.SCORE:
        written = Written(OUTPUTS, output_id(identity, Stage.SCORED, claim.attempt))
    return _due(record, claim, body["model"], [written], letter if behaviour in _WITH_A_LETTER else None)


def due_for_scored(record: StoredRecord, claim: Claim) -> Due:
    """What a record of the model outputs topic, or a replay of it, asks of the synthesizer."""
    body = json.loads(record.value or b"")
    written = Written(RESULTS, output_id(body["request_id"], Stage.RESULT, claim.attempt))
    letter = dead_letter_id(claim.topic, SYNTHESIZER, claim.partition, claim.offset, claim.attempt)
    is_bug = claim.attempt == 1 and body["features"]["then"] == Behaviour.BUG
    return _due(record, claim, body["model"], [written], letter if is_bug else None)


def _due(record: StoredRecord, claim: Claim, model: str, events: list[Written], letter: str | None) -> Due:
    original = [header for header in record.headers if not header[0].startswith(("ekiben-lane-", "dlq-"))]
    return Due(claim, model, record.key, record.value, original, frozenset(events), letter)
