"""The passwords of the first users reach Kafka's format by a private file, and nothing else."""

import stat
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from ekiben_bus.brokers import node
from ekiben_bus.brokers.ports import free_ports
from ekiben_bus.brokers.security import Security


class Recorded:
    """In place of a process: remembers its command, and the argument file as it found it."""

    commands: ClassVar[list[str]] = []
    told: ClassVar[list[tuple[str, int]]] = []

    def __init__(self, command, **_):
        self.commands.append(" ".join(command))
        for argument in command:
            if argument.startswith("@"):
                file = Path(argument[1:])
                self.told.append((file.read_text(), stat.S_IMODE(file.stat().st_mode)))

    def wait(self, _timeout_s=None):
        return 0

    def end(self):
        pass


def test_a_password_is_on_no_command_line_and_its_file_is_private_and_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(node, "LeashedProcess", Recorded)
    security = Security.create(tmp_path / "tls", users={"anna": SecretStr("hunter2")})
    port, controller, other = free_ports(3)
    one = node.Node(1, port, controller, {"SCRAM": port, "MTLS": other})
    node.NodeProcess(tmp_path / "kafka", security=security).launch(one, (one,), tmp_path / "jars")
    (written, mode), *others = Recorded.told
    assert (len(Recorded.commands), others) == (2, [])
    assert "hunter2" not in " ".join(Recorded.commands)
    assert "hunter2" in written
    assert mode == 0o600
    left = [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert left == []
