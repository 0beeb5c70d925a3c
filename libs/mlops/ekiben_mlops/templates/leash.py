"""A worker does not outlive the `bentoml serve` that started it.

Circus, below BentoML, starts workers in sessions of their own: killed outright, it leaves one behind
that goes on answering on the port.
"""

from __future__ import annotations

import os
import signal
import threading
import time

_POLL_S = 0.5


def end_with_parent() -> None:
    """End this process, as by SIGTERM, soon after its parent is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="leash", daemon=True).start()
