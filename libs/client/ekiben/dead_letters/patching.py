"""A JSON patch (RFC 6902) for payloads with a mistake that can be mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import NoReturn, cast

from jsonpatch import JsonPatch, JsonPatchException
from jsonpointer import JsonPointerException
from pydantic import JsonValue

from ekiben.errors import InvalidInputError
from ekiben_contracts.envelope import Headers, is_structured

Operation = dict[str, JsonValue]

_LONGEST = 64 * 1024
_NEEDED = {"add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from"}


class NotApplicableError(Exception):
    """A payload that cannot be changed as it should be. The record is left out, and told."""


class Patch:
    """Operations that are checked once and applied to many payloads."""

    def __init__(self, operations: list[Operation]) -> None:
        self.operations = operations
        self._steps = [JsonPatch([operation]) for operation in operations]

    def __call__(self, payload: JsonValue) -> JsonValue:
        """The changed payload.

        Raises:
            NotApplicableError: it lacks what an operation names, or a test in it failed.
        """
        changed = deepcopy(payload)
        for number, (step, operation) in enumerate(zip(self._steps, self.operations, strict=True), 1):
            try:
                changed = cast("JsonValue", step.apply(changed, in_place=True))
            except (JsonPatchException, JsonPointerException, TypeError):
                # without the library's words: they quote the payload, which is nobody's to see in a dry run
                told = f"operation {number}, {operation['op']} of {operation['path']}, does not apply"
                raise NotApplicableError(told) from None
        return changed


def read_patch(text: str | bytes) -> Patch:
    """A patch from its JSON.

    Raises:
        InvalidInputError: it is no JSON patch.
    """
    try:
        if len(text) > _LONGEST:
            raise ValueError(f"{len(text)} characters, and every action repeats them")  # noqa: TRY301 - told below
        return Patch(_operations(parse_json(text)))
    except (ValueError, TypeError, JsonPatchException, JsonPointerException) as error:
        raise _invalid(str(error)) from error


def _operations(document: JsonValue) -> list[Operation]:
    """The operations, each with the members that its kind needs: the library would miss them only later."""
    if not isinstance(document, list) or not document:
        raise ValueError(json.dumps(document)[:80])
    for operation in document:
        if not isinstance(operation, dict):
            raise ValueError(f"{json.dumps(operation)[:80]}, which is no operation")  # noqa: TRY004 - of JSON
        needed = _NEEDED.get(str(operation.get("op")))
        if needed is not None and needed not in operation:
            raise ValueError(f"{json.dumps(operation)[:80]} without {needed!r}")
    return cast("list[Operation]", document)


def change(value: bytes | None, headers: Headers, how: Callable[[JsonValue], JsonValue]) -> bytes:
    """The value of a record with its payload changed: in structured mode, the `data` of the event.

    Raises:
        NotApplicableError: there is no JSON in it, or none comes out.
    """
    try:
        document = parse_json(value or b"")
        if _holds_an_envelope(headers):
            if not isinstance(document, dict) or "data" not in document:
                raise NotApplicableError("the payload is no CloudEvent with data in it")
            document = {**document, "data": how(document["data"])}
        else:
            document = how(document)
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise NotApplicableError(f"the payload is no JSON: {error}") from error


def parse_json(text: str | bytes) -> JsonValue:
    """As the contracts read it: without NaN and infinity."""
    return cast("JsonValue", json.loads(text, parse_constant=_refuse))


def _holds_an_envelope(headers: Headers) -> bool:
    content_type = dict(headers).get("content-type")
    return content_type is not None and is_structured(content_type)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"expected JSON, found {constant}")


def _invalid(found: str) -> InvalidInputError:
    return InvalidInputError(
        expected="a JSON patch (RFC 6902): a list of operations",
        found=found,
        attempt="""'[{"op": "replace", "path": "/features/carrier", "value": "UA"}]', or @FILE""",
    )
