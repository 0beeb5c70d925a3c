"""What a log shows of an error."""

from __future__ import annotations

import sys

import pytest

from ekiben_telemetry.logging import _rendering


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_a_traceback_shows_no_locals(on_a_terminal):
    def fail(hair):
        raise RuntimeError("at work")

    try:
        fail("wears a " + "wig")
    except RuntimeError:
        entry = {"event": "failed", "exc_info": sys.exc_info()}
    for process in _rendering(on_a_terminal=on_a_terminal)[1:]:
        entry = process(None, "error", entry)
    assert "at work" in str(entry)
    assert "wears a wig" not in str(entry)
