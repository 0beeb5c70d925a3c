"""The strategies that are supported, each as its steps. The others are refused by name."""

from __future__ import annotations

from collections.abc import Mapping

from ekiben_contracts.deployment import Step, Strategy

STEPS: Mapping[Strategy, tuple[Step, ...]] = {
    Strategy.DIRECT: (
        Step.PLANNED,
        Step.PACKAGED,
        Step.STARTED,
        Step.WARMED_UP,
        Step.ROUTED,
        Step.PROMOTED,
        Step.RETIRED,
        Step.COMPLETED,
    ),
    Strategy.SHADOW: (
        Step.PLANNED,
        Step.PACKAGED,
        Step.STARTED,
        Step.WARMED_UP,
        Step.ROUTED,
        Step.PROMOTED,
        Step.COMPLETED,
    ),
}
