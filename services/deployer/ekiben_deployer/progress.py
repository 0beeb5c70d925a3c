"""How far a deployment got: the fold of its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ekiben_contracts.deployment import DeploymentProgressed, Step


@dataclass(frozen=True, slots=True)
class Progress:
    """The steps of one deployment that were done, each with its event."""

    events: Mapping[Step, DeploymentProgressed] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[DeploymentProgressed]) -> Progress:
        """From the events of one deployment; of two about one step the first stands."""
        first: dict[Step, DeploymentProgressed] = {}
        for event in events:
            first.setdefault(event.step, event)
        return cls(first)

    def __contains__(self, step: Step) -> bool:
        return step in self.events

    @property
    def is_over(self) -> bool:
        """Whether its last step was taken, whichever it was."""
        return any(step.is_last for step in self.events)

    @property
    def version(self) -> str | None:
        """The version that the plan settled on: a rollback's must not change on the way."""
        planned = self.events.get(Step.PLANNED)
        return planned.version if planned else None

    @property
    def bento(self) -> str | None:
        """The tag of its Bento, once packaged."""
        packaged = self.events.get(Step.PACKAGED)
        return packaged.bento if packaged else None
