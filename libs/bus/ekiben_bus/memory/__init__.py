"""A Kafka cluster in memory, for fast tests: it passes the conformance suite of the real one.

It stands in for aiokafka's consumer and producer, below FastStream and the loop, so that the
whole bus runs unchanged on it. Its wire is a parameter: over a bad one, requests come late or get lost.
"""

from ekiben_bus.memory.cluster import MemoryCluster
from ekiben_bus.memory.log import StoredRecord
from ekiben_bus.memory.wire import Errand, Request, Wire

__all__ = ["Errand", "MemoryCluster", "Request", "StoredRecord", "Wire"]
