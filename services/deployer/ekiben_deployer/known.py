"""What decisions depend on beyond the request: what is routed, and what was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ekiben_contracts.routing import EnsembleDefined, ModelRouted
from ekiben_contracts.training import ModelTrained


@dataclass(frozen=True, slots=True)
class Known:
    """The routes by model, the ensembles by name, the trained versions by (model, version)."""

    routes: Mapping[str, ModelRouted] = field(default_factory=dict)
    ensembles: Mapping[str, EnsembleDefined] = field(default_factory=dict)
    trained: Mapping[tuple[str, str], ModelTrained] = field(default_factory=dict)

    def versions(self, model: str) -> Sequence[str]:
        """The versions of a model that were trained."""
        return [version for name, version in self.trained if name == model]

    def ensembles_with(self, model: str) -> Sequence[str]:
        """The ensembles that a model is a member of."""
        return [ensemble.ensemble for ensemble in self.ensembles.values() if model in ensemble.members]

    def untrained(self, model: str, version: str) -> str:
        """Why a version cannot be served: nobody said that it was trained."""
        found = ", ".join(self.versions(model)) or "none"
        return (
            f"expected a model.trained event of {model} version {version} on ekiben.trained-models, "
            f"found versions: {found}; publish it first"
        )
