"""Side (e): MLServer's own Kafka transport, in its own environment.

What its source asks for: the key of a record is the request's id, the header mlserver-model names the
model, and no mlserver-method (the header is compared with an enum and never equal to it). It joins no
group and reads from the end of the topic, so what is produced before it is up is lost.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import Message

from benchmarks.asking import Ask
from benchmarks.ground import Ground
from benchmarks.processes import Process, http_ok, running, wait_until
from benchmarks.sides.side import Answer, Names, two_topics
from ekiben_bus.brokers.ports import free_port
from ekiben_mlops.serve import ONE_THREAD

_NAME: Final = "trees"
_QUIET: Final = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"mlserver": {"level": "WARNING"}},
}
"""It logs every message by default, and in colours."""


@dataclass(frozen=True, slots=True)
class MLServer:
    """One server; with `workers`, the model in processes of its own. Adaptive batching either way."""

    name: str
    command: Path
    model: Path
    workers: int = 0
    up_first: bool = True

    def create(self, ground: Ground, prefix: str) -> Names:
        """Two topics."""
        names = two_topics(ground, prefix)
        return names._replace(first=names.requests)

    def requests(self, ground: Ground, start: int, end: int) -> Iterator[Ask]:
        """The same rows, as the Open Inference Protocol has them."""
        names = ground.asking.names
        for number in range(start, end):
            row = ground.asking.rows[number % len(ground.asking.rows)]
            tensor = {
                "name": "rows",
                "shape": [1, len(names)],
                "datatype": "FP32",
                "data": [row[name] for name in names],
            }
            value = json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
            yield Ask(b"r%d" % number, value, [("mlserver-model", _NAME.encode())])

    @contextmanager
    def running(self, ground: Ground, prefix: str) -> Iterator[Sequence[Process]]:
        """One server process, ready by its own word."""
        folder, port = ground.folder / f"mlserver-{self.workers}", free_port()
        self._write(folder)
        log = ground.log_of("mlserver")
        settings = self._settings(ground, prefix, folder, port)
        with running([str(self.command), "start", str(folder)], log, settings) as child:
            wait_until(lambda: http_ok(port, "/v2/health/ready"), "MLServer to get ready", child)
            yield [child]

    def read(self, message: Message) -> Answer | None:
        """Its response."""
        response = json.loads(message.value() or b"{}")
        outputs = response.get("outputs")
        return Answer(str(response["id"]), float(outputs[0]["data"][0])) if outputs else None

    def _write(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        shutil.copyfile(Path(__file__).with_name("mlserver_runtime.py"), folder / "benchmark_runtime.py")
        (folder / "logging.json").write_text(json.dumps(_QUIET))
        settings = {
            "name": _NAME,
            "implementation": "benchmark_runtime.Trees",
            "max_batch_size": 256,
            "max_batch_time": 0.01,
            "parameters": {"uri": str(self.model)},
        }
        (folder / "model-settings.json").write_text(json.dumps(settings))

    def _settings(self, ground: Ground, prefix: str, folder: Path, port: int) -> Mapping[str, str]:
        return {
            **ONE_THREAD,
            "PYTHONPATH": str(folder),
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": str(port),
            "MLSERVER_GRPC_PORT": str(free_port()),
            "MLSERVER_METRICS_PORT": str(free_port()),
            "MLSERVER_DEBUG": "false",
            "MLSERVER_LOGGING_SETTINGS": str(folder / "logging.json"),
            "MLSERVER_PARALLEL_WORKERS": str(self.workers),
            "MLSERVER_KAFKA_ENABLED": "true",
            "MLSERVER_KAFKA_SERVERS": ground.kafka.bootstrap_servers,
            "MLSERVER_KAFKA_TOPIC_INPUT": f"{prefix}requests",
            "MLSERVER_KAFKA_TOPIC_OUTPUT": f"{prefix}answers",
        }
