"""A Kafka cluster in memory, for fast tests: it passes the conformance suite of the real one.

It stands in for aiokafka's consumer and producer, below FastStream and the loop, so that the
whole bus runs unchanged on it.
"""

from ekiben_bus.memory.cluster import MemoryCluster
from ekiben_bus.memory.log import StoredRecord

__all__ = ["MemoryCluster", "StoredRecord"]
