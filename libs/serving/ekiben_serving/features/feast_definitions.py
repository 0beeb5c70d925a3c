"""What Feast's definitions say of a feature service, in the terms of the port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ekiben_serving.features.errors import UnfitFeatureServiceError
from ekiben_serving.features.store import Int32, Key, Service, View

if TYPE_CHECKING:
    from feast import FeatureService, FeatureView, Field
    from feast.feature_view_projection import FeatureViewProjection

ENTITY_ID_TAG: Final = "entity_id"
"""The tag of a feature service that writes how an entity_id holds its join keys."""

_SCALARS: Final = frozenset({"STRING", "BOOL", "INT32", "INT64", "FLOAT", "DOUBLE"})
_KEYS: Final[Mapping[str, type[Key]]] = {"STRING": str, "INT32": Int32, "INT64": int}


def service_of(service: FeatureService, views: Mapping[str, FeatureView]) -> Service:
    """A service of plain feature views.

    Raises:
        UnfitFeatureServiceError: it holds nothing, or something else, which cannot be asked row by row.
    """
    if not service.feature_view_projections:
        raise UnfitFeatureServiceError(
            f"expected {service.name} to be made of feature views, found none; apply it with some, or route "
            "its models without it"
        )
    projections = [(each, _view(service.name, each, views)) for each in service.feature_view_projections]
    return Service(
        service.name,
        tuple(_ours(service.name, projection, view) for projection, view in projections),
        {key.name: _key(service.name, key) for _, view in projections for key in view.entity_columns},
        service.tags.get(ENTITY_ID_TAG),
    )


def _view(service: str, projection: FeatureViewProjection, views: Mapping[str, FeatureView]) -> FeatureView:
    view = views.get(projection.name)
    if view is None or projection.join_key_map or not view.entity_columns:
        raise UnfitFeatureServiceError(
            f"expected {service} to be made of feature views with entities and join keys of their own, found "
            f"{projection.name}; leave on-demand views, renamed join keys and views without entities out"
        )
    return view


def _ours(service: str, projection: FeatureViewProjection, view: FeatureView) -> View:
    _refuse_lists(service, view.name, projection.features)
    ttl_s = view.ttl.total_seconds() if view.ttl else 0.0
    return View(
        view.name,
        tuple(key.name for key in view.entity_columns),
        tuple(field.name for field in projection.features),
        ttl_s or None,
    )


def _refuse_lists(service: str, view: str, fields: Sequence[Field]) -> None:
    lists = [f"{field.name} ({field.dtype})" for field in fields if _kind(field) not in _SCALARS]
    if lists:
        raise UnfitFeatureServiceError(
            f"expected features of {service} that are numbers, texts or booleans, found {', '.join(lists)} "
            f"in {view}; leave them out of the service"
        )


def _key(service: str, field: Field) -> type[Key]:
    kind = _KEYS.get(_kind(field))
    if kind is None:
        raise UnfitFeatureServiceError(
            f"expected the join key {field.name} of {service} to be a text or an integer, found {field.dtype}"
        )
    return kind


def _kind(field: Field) -> str:
    return field.dtype.to_value_type().name
