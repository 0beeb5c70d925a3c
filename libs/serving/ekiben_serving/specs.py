"""What a row is made of, for the modules that packaging copies into each Bento: no pydantic in there."""

from __future__ import annotations

from typing import Protocol

FeatureValue = bool | int | float | str | None
"""One feature as it stands in JSON: ekiben_contracts.event.FeatureValue without its validation."""


class ColumnSpec(Protocol):
    """One input column of a model, such as ekiben_contracts.models.FeatureSpec.

    `dtype` is one of MLflow's names: boolean, integer, long, float, double, string.
    The values of a `sensitive` column are quoted nowhere.
    """

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def sensitive(self) -> bool: ...
