"""Every event type of this version of the contracts, by its CloudEvents type."""

from __future__ import annotations

from collections.abc import Mapping

from ekiben_contracts.deployment import (
    DeploymentProgressed,
    DeploymentRequested,
    DeploymentRetireRequested,
    DeploymentRollbackRequested,
    EnsembleRequested,
)
from ekiben_contracts.event import Event
from ekiben_contracts.health import EndpointHealthReported
from ekiben_contracts.operations import DeadLetterDiscarded, DeadLetterReplayed, DeadLetterRevealed
from ekiben_contracts.prediction import (
    ModelsScored,
    ModelsShadowed,
    PredictionCompleted,
    PredictionFailed,
    PredictionOutcomeObserved,
    PredictionRequested,
)
from ekiben_contracts.routing import EnsembleDefined, ModelRouted
from ekiben_contracts.training import ModelTrained, TrainingFailed, TrainingRequested

EVENTS: tuple[type[Event], ...] = (
    PredictionRequested,
    ModelsScored,
    ModelsShadowed,
    PredictionCompleted,
    PredictionFailed,
    PredictionOutcomeObserved,
    TrainingRequested,
    ModelTrained,
    TrainingFailed,
    DeploymentRequested,
    DeploymentRollbackRequested,
    DeploymentRetireRequested,
    EnsembleRequested,
    DeploymentProgressed,
    ModelRouted,
    EnsembleDefined,
    EndpointHealthReported,
    DeadLetterReplayed,
    DeadLetterDiscarded,
    DeadLetterRevealed,
)

BY_TYPE: Mapping[str, type[Event]] = {event.type: event for event in EVENTS}
