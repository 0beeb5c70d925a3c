"""`ekiben demo`, small: every record accounted for, and nothing left running."""

from __future__ import annotations

import json

from e2e.system import System

REQUESTS = 2_000


def test_every_record_of_the_demo_is_accounted_for(tmp_path):
    home = System(tmp_path / "home", {"EKIBEN_BROKER": "embedded"})
    file = tmp_path / "report.json"
    try:
        arguments = ("--requests", str(REQUESTS), "--paced", "2", "--json", str(file))
        ended = home.ekiben("demo", *arguments, deadline_s=280)
        assert ended.returncode == 0, ended
        assert home.processes() == []
    finally:
        home.kill_all()
    report = json.loads(file.read_text())
    assert report["sent"] >= REQUESTS
    assert report["sent"] == report["completed"] + report["failed"] + report["unreadable"]
    assert report["lost"] == 0
    assert report["completed"] >= REQUESTS
    assert report["unreadable"] > 0
    assert report["dead_letters"] >= report["unreadable"]
    assert all(0.5 < auc < 1.0 for auc in report["auc"].values())
    assert len(report["auc"]) == 3
    assert {
        "duplicates",
        "requests_per_second",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "seconds",
        "rss_mb",
    } <= report.keys()
    assert "requests a second" in ended.stdout
