"""The file of API keys: one JSON line for each, as `ekiben keys create` writes them.

It is read again when it changes, so that to delete a line is to revoke a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from structlog.stdlib import get_logger

from ekiben_contracts.access import StoredKey, id_of
from ekiben_inference_gateway.http.access.callers import Caller, UnknownCallerError
from ekiben_inference_gateway.http.access.watching import WatchedFile

log = get_logger(__name__)


class KeysFileError(ValueError):
    """The file cannot be used. Mend the line that the message names; nobody is let in meanwhile."""


class KeyFile:
    """Callers by their key."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._watched = WatchedFile(path)
        self._keys = read_keys(path)

    def caller(self, key: str) -> Caller:
        """Whose key it is.

        Raises:
            UnknownCallerError: nobody's, or it has expired.
        """
        self._read_again_where_changed()
        stored = self._keys.get(id_of(key) or "")
        if stored is None or not stored.is_of(key):
            raise UnknownCallerError("expected an API key of this gateway, found another text")
        if stored.expires_at is not None and stored.expires_at <= self._clock():
            raise UnknownCallerError(f"expected a key that is valid, found {stored.id}, expired")
        return Caller(stored.id, stored.scopes, stored.rate)

    def _read_again_where_changed(self) -> None:
        if not self._watched.has_changed():
            return
        try:
            self._keys = read_keys(self._path)
        except KeysFileError as error:
            log.error("no key is taken until the file is mended", error=str(error))  # noqa: TRY400
            self._keys = {}


def read_keys(path: Path) -> Mapping[str, StoredKey]:
    """The keys of a file, by id.

    Raises:
        KeysFileError: it is missing, or a line is no key.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeysFileError(f"{path}: expected a file of API keys, found: {error}") from error
    keys: dict[str, StoredKey] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            stored = _key(line, f"{path}, line {number}")
            keys[stored.id] = stored
    return keys


def _key(line: str, where: str) -> StoredKey:
    try:
        return StoredKey.model_validate_json(line)
    except ValidationError as error:
        raise KeysFileError(
            f"{where}: expected an API key as JSON, found it wrong in {_wrong(error)}"
        ) from None


def _wrong(error: ValidationError) -> str:
    """Which fields, and what is expected of them; never what stands there: it may be a key."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the line'}: {one['msg']}" for one in details)
