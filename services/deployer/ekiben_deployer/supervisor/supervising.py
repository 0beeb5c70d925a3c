"""The loop of the supervisor: look at each child, do the one thing that is next for it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import psutil
from structlog.stdlib import get_logger

from ekiben_deployer.supervisor.deciding import Action, Policy, decide
from ekiben_deployer.supervisor.files import Child, Desired, Home
from ekiben_deployer.supervisor.identity import Identity
from ekiben_deployer.supervisor.listening import is_free
from ekiben_deployer.supervisor.logs import bound, last_error, last_lines
from ekiben_deployer.supervisor.processes import describe_exit, kill, launch, marked

log = get_logger(__name__)

_POLL_S = 0.2


class Supervisor:
    """Makes what runs what is desired. All it knows is on disk, so the next one goes on where it died."""

    def __init__(self, home: Home, policy: Policy, clock: Callable[[], float] = time.time) -> None:
        self._home = home
        self._policy = policy
        self._clock = clock
        self._ours: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Supervise until told to stop, then stop every child and return."""
        self._sweep_strays()
        while not should_stop():
            self.step(self._home.desired.read())
            time.sleep(_POLL_S)
        while self.step({}):
            time.sleep(_POLL_S)

    def step(self, desired: dict[str, Desired]) -> int:
        """Take the next action for each child; how many are up, or coming down."""
        children = self._home.children.read()
        for name in sorted(desired.keys() | children.keys()):
            self._attend(desired.get(name), children.get(name))
        for name in children:
            bound(self._home.child_log(name))
        return sum(child.process is not None for child in self._home.children.read().values())

    def _attend(self, desired: Desired | None, child: Child | None) -> None:
        process = child.process.find() if child and child.process else None
        action = decide(desired, child, alive=process is not None, now=self._clock(), policy=self._policy)
        if action is Action.LAUNCH and desired is not None:
            self._launch(desired, child)
        elif child is not None and action is Action.FORGET:
            self._home.children.remove(child.name)
        elif child is not None and action is not Action.NOTHING:
            self._home.children.put(child.name, self._act(action, child, process))

    def _act(self, action: Action, child: Child, process: psutil.Process | None) -> Child:
        if action is Action.MOURN:
            return self._mourn(child)
        if action is Action.ABSOLVE:
            return child.model_copy(update={"deaths": 0})
        if action is Action.REST:
            self._reap(child)
            log.info("child stopped", child=child.name)
            return child.model_copy(update={"process": None, "stopping_since": None, "retry_at": 0.0})
        if action is Action.KILL:
            log.warning(
                "child did not stop in time, killed", child=child.name, grace_s=self._policy.stop_grace_s
            )
            kill(marked(self._mark(child.name)))
        elif process is not None:
            process.terminate()
        return child.model_copy(update={"stopping_since": child.stopping_since or self._clock()})

    def _launch(self, desired: Desired, child: Child | None) -> None:
        child = (child or Child(name=desired.name, desired=desired)).model_copy(update={"desired": desired})
        kill(marked(self._mark(desired.name)))  # what an earlier life left behind would hold the port
        if not is_free(desired.port):
            child = self._wait(child, f"could not start: port {desired.port} is taken by another process")
            self._home.children.put(desired.name, child.model_copy(update={"port_taken": True}))
            return
        output = self._home.child_log(desired.name)
        try:
            started = launch(desired, self._mark(desired.name), output)
        except OSError as error:
            self._home.children.put(desired.name, self._wait(child, f"could not start: {error}"))
            return
        self._ours[desired.name] = started
        identity = Identity.of(started.pid)
        log.info("child started", child=desired.name, pid=identity.pid, port=desired.port, log=str(output))
        update = {"process": identity, "stopping_since": None, "port_taken": False}
        self._home.children.put(desired.name, child.model_copy(update=update))

    def _mourn(self, child: Child) -> Child:
        output = self._home.child_log(child.name)
        why, error = describe_exit(self._reap(child)), last_error(output)
        child = self._wait(child, f"{why}: {error}" if error else why, said=last_lines(output))
        return child.model_copy(update={"process": None})

    def _wait(self, child: Child, why: str, **told: object) -> Child:
        deaths = child.deaths + 1
        wait_s = self._policy.wait(deaths)
        log.warning("child is down", child=child.name, why=why, deaths=deaths, again_in_s=wait_s, **told)
        return child.model_copy(
            update={"deaths": deaths, "retry_at": self._clock() + wait_s, "last_exit": why}
        )

    def _reap(self, child: Child) -> int | None:
        """The exit code where it was our own child; and whatever it left running is ended."""
        ours = self._ours.pop(child.name, None)
        code = None if ours is None else ours.poll()
        kill(marked(self._mark(child.name)))
        return code

    def _sweep_strays(self) -> None:
        """End what carries our mark and no state names: its supervisor was killed just after its start."""
        known: set[int] = set()
        for child in self._home.children.read().values():
            if child.process and (process := child.process.find()):
                known |= {process.pid, *(below.pid for below in process.children(recursive=True))}
        strays = [
            process for process in marked(f"{self._home.serving.absolute()}/") if process.pid not in known
        ]
        if strays:
            log.warning("ending processes of an earlier supervisor", pids=[process.pid for process in strays])
        kill(strays)

    def _mark(self, name: str) -> str:
        return f"{self._home.serving.absolute()}/{name}"
