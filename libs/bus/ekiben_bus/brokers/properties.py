"""The server.properties of a KRaft node that is broker and controller in one, on the loopback only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ekiben_bus.brokers.secured import secured_properties
from ekiben_bus.brokers.security import Security
from ekiben_contracts.topics import LARGEST_RECORD

HOST = "127.0.0.1"
CLUSTER_ID = "ZWtpYmVuLWVtYmVkZGVkIQ"
"""Base64 of 16 bytes, as Kafka writes a UUID. One for all: such a cluster is reached by its port alone."""


@dataclass(frozen=True, slots=True)
class Node:
    """One process of a cluster, and the ports it listens on: more than two where it is secured."""

    id: int
    port: int
    controller_port: int
    listeners: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of a secured one: the port of each by its name, `port` among them."""

    @property
    def address(self) -> str:
        """Where its clients connect."""
        return f"{HOST}:{self.port}"


def server_properties(
    node: Node, nodes: Sequence[Node], data: Path, security: Security | None = None
) -> dict[str, str]:
    """What starts this node of these nodes on its folder of data; open to all unless secured."""
    ports = {**node.listeners, "CONTROLLER": node.controller_port}
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "listeners": f"PLAINTEXT://{node.address},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{node.address}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{each.id}@{HOST}:{each.controller_port}" for each in nodes),
        "log.dirs": str(data),
        **cluster_properties(len(nodes)),
        **(secured_properties(security, ports, HOST) if security else {}),
    }


def cluster_properties(nodes: int) -> dict[str, str]:
    """What every node of a small cluster has alike, wherever it runs. Replication follows their number."""
    replicas = str(min(3, nodes))
    in_sync = "2" if nodes >= 3 else "1"  # noqa: PLR2004 - two of three survive one death
    return {
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # nobody else will join: do not wait for them
        "group.initial.rebalance.delay.ms": "0",
        # after a crash a node waits until its former self has expired: 9 s by default
        "broker.session.timeout.ms": "5000",
        "broker.heartbeat.interval.ms": "1000",
        "message.max.bytes": str(LARGEST_RECORD),
        "replica.fetch.max.bytes": str(LARGEST_RECORD),
        # sized for one machine that runs everything else as well
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    }


def as_text(properties: dict[str, str]) -> str:
    """A Java properties file. Only a backslash needs escaping in what we write."""
    return "".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in properties.items())
