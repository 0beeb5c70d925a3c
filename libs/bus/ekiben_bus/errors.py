"""What keeps a client from its cluster.

ConnectionSettingsError   before it has tried: a variable of its settings is wrong
KafkaConnectionError      aiokafka's own: nobody answers, or the reason is not known
 └─ RefusedError          the connection came to nothing, and its `refusal` says why
     └─ TokenError        there is no token to log in with: no broker was asked
"""

from __future__ import annotations

from aiokafka.errors import KafkaConnectionError

from ekiben_bus.refusals import Refusal


class ConnectionSettingsError(ValueError):
    """The settings cannot reach any cluster. Mend the variable that the message names."""


class RefusedError(KafkaConnectionError):
    """The connection came to nothing, and it is known why. aiokafka tries again."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal

    def __str__(self) -> str:
        return str(self.refusal)

    def __repr__(self) -> str:  # what logs and problems show
        return str(self.refusal)


class TokenError(RefusedError):
    """No token can be had, so that no broker can be asked to let us in."""
