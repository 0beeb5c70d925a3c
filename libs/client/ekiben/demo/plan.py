"""How much the demo replays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is replayed: a bulk at full speed, then `rate` a second for `paced_s` seconds.

    What has no answer when nothing has come for `patience_s` is lost. `run` ends the request ids.
    With `features_from_store` the bulk is sent once more, its features null.
    """

    requests: int = 30_000
    rate: float = 200.0
    paced_s: float = 12.0
    patience_s: float = 60.0
    run: str = ""
    features_from_store: bool = False

    @property
    def paced(self) -> int:
        """Requests of the paced phase."""
        return round(self.rate * self.paced_s)
