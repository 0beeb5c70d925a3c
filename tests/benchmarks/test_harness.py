"""The harness from end to end, as quickly as may be: real services, a real Bento, real Kafka."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ekiben_bus.settings import KafkaSettings

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
def test_a_quick_run_compares_ekiben_with_the_bare_skeleton_and_misses_nothing(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    sides, every_run = "bare-1024,gateway,pipeline,naive", tmp_path / "runs.json"

    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--quick", "--sides", sides, "--json", every_run),
            *("--bootstrap-servers", kafka_settings.bootstrap_servers),
        ],
        cwd=ROOT,
        env={**os.environ, "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["missing"] == 0
    assert all(said[ratio] > 0 for ratio in ("gateway_to_bare", "pipeline_to_bare", "pipeline_to_naive"))
    assert said["p95_ms_500"] > 0
    runs = json.loads(every_run.read_text())["runs"]
    assert [(run["missing"], run["wrong"], run["twice"]) for side in runs.values() for run in side] == [
        (0, 0, 0)
    ] * 4
