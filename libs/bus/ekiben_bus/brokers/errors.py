"""What keeps a machine from having a broker, by what its user does about it.

BrokerError
 ├─ NoBrokerError      no rung of the ladder holds: each says why
 ├─ JarsError          Kafka's own files cannot be had, or are not the locked ones
 └─ BrokerStartError   the broker was started and does not answer: read its log
"""

from __future__ import annotations


class BrokerError(Exception):
    """There is no broker to work with. The message says what to try."""


class NoBrokerError(BrokerError):
    """No rung can serve. Make one of them possible, or name a broker of your own."""


class JarsError(BrokerError):
    """Kafka's jars could not be fetched, or one is not what the lock says. Nothing was started."""


class BrokerStartError(BrokerError):
    """The broker did not come up within its deadline. The message ends in its last log lines."""
