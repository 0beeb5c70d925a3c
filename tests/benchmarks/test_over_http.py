"""The load over HTTP from end to end, as quickly as may be: a real Bento, real gateways, wrk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.over_http.wrk import find_wrk, put_load, write_bodies
from ekiben_bus.settings import KafkaSettings

ROOT = Path(__file__).parents[2]


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_quick_run_compares_the_gateway_with_the_bento_and_nothing_fails(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    every_round = tmp_path / "rounds.json"

    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.over_http", "--quick", "--json", every_round),
            *("--bootstrap-servers", kafka_settings.bootstrap_servers),
        ],
        cwd=ROOT,
        env={**os.environ, "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["single_to_bento"] > 0
    assert said["batched_to_bento"] > 0
    assert (said["failed"], said["void"], said["connections"]) == (0, [], 16)
    (compared,) = json.loads(every_round.read_text())
    assert [len(rounds) for rounds in compared["rounds"].values()] == [1, 1, 1, 1]


class EveryThirdRefused(BaseHTTPRequestHandler):
    """Takes each body, and counts them."""

    protocol_version = "HTTP/1.1"
    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(503 if len(self.bodies) % 3 == 0 else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.timeout(60)
def test_wrk_sends_every_body_in_turn_and_counts_what_is_refused(tmp_path: Path) -> None:
    handler = type("Handler", (EveryThirdRefused,), {"bodies": []})
    bodies = [b'{"row":1}', b"\n\x00\xff", b'{"row":3}', b"4"]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        file = write_bodies(tmp_path / "bodies", bodies)

        found = put_load(find_wrk(), url, file, "application/octet-stream", connections=1, seconds=1)

        server.shutdown()
    assert found.requests > len(bodies)
    assert found.refused == pytest.approx(found.requests / 3, abs=1)
    first = bodies.index(handler.bodies[0])  # wrk makes one request for itself
    assert handler.bodies[: 2 * len(bodies)] == [*bodies[first:], *bodies, *bodies[:first]]
