"""Which entity of a feature store a request is about. Pure.

A join key is the feature of its name where the request brings it, else what the entity_id says: all of it
for a service with one join key, its parts where the service writes how, as in `{carrier}-{flight}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from typing import Final

from ekiben_contracts.event import FeatureValue
from ekiben_serving.features.errors import UnfitFeatureServiceError
from ekiben_serving.features.store import Int32, Key, Service

_LARGEST: Final[Mapping[type[Key], int]] = {Int32: 2**31 - 1, int: 2**63 - 1}
_MOST_SHOWN: Final = 40


def keys_of(
    service: Service, entity_id: str | None, brought: Mapping[str, FeatureValue]
) -> dict[str, Key | None]:
    """The join keys by name, of their types. None: neither the request nor its entity_id says it.

    Raises:
        UnfitFeatureServiceError: how the service writes entity_ids cannot be read.
    """
    told: Mapping[str, str] = {} if entity_id is None else _told(service, entity_id)
    return {
        name: _convert(told.get(name) if brought.get(name) is None else brought[name], kind)
        for name, kind in service.join_keys.items()
    }


def untold(
    service: Service, keys: Mapping[str, Key | None], brought: Mapping[str, FeatureValue]
) -> dict[str, str]:
    """Why a join key is None, in words, by its name."""
    return {
        name: _why(name, service.join_keys[name], brought.get(name))
        for name, key in keys.items()
        if key is None
    }


def _why(name: str, kind: type[Key], brought: FeatureValue) -> str:
    if brought is None:
        return f"neither the features nor the entity_id of the request tell {name}"
    expected = "a text" if kind is str else f"an integer within ±{_LARGEST[kind]}"
    shown = repr(brought[:_MOST_SHOWN] if isinstance(brought, str) else brought)[: 2 * _MOST_SHOWN]
    return f"the request has no key for {name}: expected {expected}, found {shown}"


def _told(service: Service, entity_id: str) -> Mapping[str, str]:
    if service.entity_id is None:
        return dict.fromkeys(service.join_keys, entity_id) if len(service.join_keys) == 1 else {}
    names, pattern = _compile(service.entity_id, frozenset(service.join_keys))
    match = pattern.fullmatch(entity_id)
    return {} if match is None else dict(zip(names, match.groups(), strict=True))


@lru_cache(maxsize=256)
def _compile(template: str, join_keys: frozenset[str]) -> tuple[list[str], re.Pattern[str]]:
    """A key ends where the text behind it begins, so that no entity_id takes long to be read."""
    parts = _parts(template, join_keys)
    names = [name for _, name in parts if name is not None]
    if not names or not join_keys.issuperset(names) or len(set(names)) < len(names):
        raise _unreadable(template, join_keys)
    pattern = ""
    for (text, name), (behind, _) in zip(parts, [*parts[1:], (None, None)], strict=True):
        pattern += re.escape(text)
        if name is not None:
            if behind == "":
                raise _unreadable(template, join_keys)
            pattern += "(.+)" if behind is None else f"((?:(?!{re.escape(behind)}).)+)"
    return names, re.compile(pattern, re.DOTALL)


def _parts(template: str, join_keys: frozenset[str]) -> list[tuple[str, str | None]]:
    try:
        return [(text, name) for text, name, _, _ in Formatter().parse(template)]
    except ValueError as error:
        raise _unreadable(template, join_keys) from error


def _unreadable(template: str, join_keys: frozenset[str]) -> UnfitFeatureServiceError:
    return UnfitFeatureServiceError(
        f"expected an entity_id of the join keys {', '.join(sorted(join_keys))}, each once, with a text "
        f"between them, such as {{{min(join_keys, default='id')}}}-…; found {template!r}. Mend the tag "
        "entity_id of the feature service"
    )


def _convert(value: FeatureValue, kind: type[Key]) -> Key | None:
    if kind is str:
        return value if isinstance(value, str) and _is_text(value) else None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST[kind]:
        return None
    return value


def _is_text(value: str) -> bool:
    """Half a surrogate pair has no UTF-8: one such key would cost its whole read the answer."""
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
