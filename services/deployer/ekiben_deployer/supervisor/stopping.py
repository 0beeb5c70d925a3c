"""Ending a supervisor and everything it runs, whatever state it was left in."""

from __future__ import annotations

import psutil
from structlog.stdlib import get_logger

from ekiben_deployer.supervisor.deciding import Policy
from ekiben_deployer.supervisor.files import Home, read_document
from ekiben_deployer.supervisor.identity import Identity
from ekiben_deployer.supervisor.processes import await_end, kill, marked

log = get_logger(__name__)

_MARGIN_S = 10.0


def stop(home: Home, policy: Policy | None = None) -> None:
    """Return once neither the supervisor of this home nor any of its children runs.

    What is desired stays on disk: the next supervisor starts the same children on the same ports.
    """
    supervisor = find_supervisor(home)
    if supervisor is not None:
        patience_s = (policy or Policy()).stop_grace_s + _MARGIN_S
        log.info("stopping", pid=supervisor.pid)
        supervisor.terminate()
        late = await_end([supervisor], patience_s)
        if late:
            log.warning(
                "the supervisor did not stop in time, killed", pid=supervisor.pid, waited_s=patience_s
            )
            kill(late)
    left = marked(f"{home.serving}/")
    if left:
        log.warning("ending children whose supervisor was gone", pids=[process.pid for process in left])
        kill(left)
    home.supervisor.unlink(missing_ok=True)


def find_supervisor(home: Home) -> psutil.Process | None:
    """The running supervisor of this home; None when its file is stale, or its pid is somebody else's now."""
    identity = read_document(home.supervisor, Identity)
    return None if identity is None else identity.find()
