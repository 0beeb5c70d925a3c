"""The servers of an AsyncAPI document: where one cluster listens and how to log in, without any secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Servers:
    """One cluster: `addresses` are HOST:PORT, `logins` AsyncAPI's security schemes by name."""

    addresses: tuple[str, ...] = ()
    encrypted: bool = False
    logins: Mapping[str, JsonValue] | None = None

    def described(self) -> dict[str, JsonValue]:
        """The `servers` object: each address is one."""
        return {f"kafka-{number}": self._server(host) for number, host in enumerate(self.addresses, 1)}

    def _server(self, host: str) -> JsonValue:
        protocol = "kafka-secure" if self.encrypted else "kafka"
        security: list[JsonValue] = [
            {"$ref": f"#/components/securitySchemes/{name}"} for name in self.logins or {}
        ]
        return {"host": host, "protocol": protocol, **({"security": security} if security else {})}


NOWHERE = Servers()
"""What the contracts alone know of anybody's cluster."""
