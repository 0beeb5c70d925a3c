"""Whose end is the supervisor's too."""

import os
import subprocess
import sys

from ekiben_deployer.supervisor.owner import watch


def test_nobody_is_never_gone():
    assert not watch(None)()
    assert not watch("")()


def test_a_process_that_runs_is_not_gone():
    assert not watch(str(os.getpid()))()


def test_one_that_ended_is_gone():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        is_gone = watch(str(owner.pid))
        assert not is_gone()
    assert is_gone()


def test_one_that_was_gone_before_is_gone():
    with subprocess.Popen([sys.executable, "-c", ""]) as owner:
        pass
    assert watch(str(owner.pid))()
