"""From a registered model to an immutable Bento that needs nothing of Ekiben to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from ekiben_contracts.training import ModelTrained
from ekiben_mlops.bento_source import write_source
from ekiben_mlops.errors import PackagingError
from ekiben_mlops.logged_model import read_logged_model
from ekiben_mlops.quiet import NO_PHONE_HOME
from ekiben_mlops.registry import Registry
from ekiben_mlops.serve import bento_path
from ekiben_mlops.settings import MlopsSettings

_BUILD_TIMEOUT_S: Final = 300
_MOST_OUTPUT: Final = 2000


def package(trained: ModelTrained, settings: MlopsSettings) -> str:
    """Build the Bento of a trained model and return its tag, such as `delay:3-5f0c2b7d9a1e`.

    The tag derives from the model, its version and the content: packaging the same again returns the
    same tag and builds nothing. Blocking, for some seconds: run it in a thread.

    Raises:
        UntrustedModelError, UnknownModelError: model_uri names nothing in the configured registry.
        UnservableModelError: our service templates cannot serve it.
        PackagingError: the build failed; the message ends with its output.
    """
    registry = Registry(settings)
    settings.bentoml_home.mkdir(parents=True, exist_ok=True)
    # below the store, so that what is built can be renamed into it
    with tempfile.TemporaryDirectory(prefix="packaging-", dir=settings.bentoml_home) as directory:
        work = Path(directory)
        downloaded = work / "downloaded"
        downloaded.mkdir()
        logged = read_logged_model(registry.download(trained.model_uri, downloaded))
        tag = write_source(work / "source", trained, logged)
        if not bento_path(tag, settings).exists():
            _build(tag, work / "source", work / "built")
            _publish(tag, work / "built", settings)
    return tag


def _build(tag: str, source: Path, home: Path) -> None:
    """Run `bentoml build` into a store of its own; it imports the service, which no other process should."""
    version = tag.partition(":")[2]
    done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        [sys.executable, "-m", "bentoml", "build", "--version", version, "-f", "bentofile.yaml", str(source)],
        cwd=source,
        env={**os.environ, **NO_PHONE_HOME, "BENTOML_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise PackagingError(
            f"expected bentoml to build {tag}, found exit code {done.returncode}:\n"
            f"{(done.stdout + done.stderr)[-_MOST_OUTPUT:]}"
        )


def _publish(tag: str, home: Path, settings: MlopsSettings) -> None:
    """Rename the built Bento into the store: it appears whole, and once."""
    name, _, version = tag.partition(":")
    built, target = home / "bentos" / name, bento_path(tag, settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        (built / version).rename(target)
    except OSError:
        if not target.exists():
            raise
        return  # another process has packaged the same meanwhile
    shutil.copyfile(built / "latest", target.parent / "latest")
