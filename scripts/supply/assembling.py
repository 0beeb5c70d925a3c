"""What an image of a service holds beside Python: /opt/ekiben, the same wherever it is built.

venv/             the packages of the service's lock, by hash, and our own
sbom.cdx.json     what that is, compared with what is there
bin/serve         runs the service
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.supply.bundles import Bundle
from scripts.supply.installed import Installed, installed, needs
from scripts.supply.sbom import DriftError, write
from scripts.supply.workspace import ours

UV = str(Path(sys.executable).with_name("uv"))
SBOM = "sbom.cdx.json"
_SERVE = """#!{python}
import runpy

runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""


def assemble(bundle: Bundle, folder: Path) -> None:
    """Put it together in a folder that becomes /opt/ekiben; a venv knows its place, so build it there.

    Raises:
        DriftError: more is installed than the service needs, or other versions than are locked.
    """
    venv = folder / "venv"
    _run(UV, "venv", "--quiet", "--python", sys._base_executable, str(venv))  # type: ignore[attr-defined] # noqa: SLF001
    install = (UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(venv / "bin/python"))
    _run(*install, "--no-build", "--require-hashes", "--requirements", str(bundle.lock))
    with tempfile.TemporaryDirectory(prefix="wheels-") as wheels:
        for member in ours(bundle):
            _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels, at=member)
        _run(*install, "--no-deps", "--no-index", *map(str, sorted(Path(wheels).glob("*.whl"))))
    here = installed(next(venv.glob("lib/python*/site-packages")))
    refuse_more_than_needed(bundle, here)
    write(bundle, here, folder / SBOM)
    serve = folder / "bin" / "serve"
    serve.parent.mkdir()
    module = bundle.distribution.replace("-", "_")
    serve.write_text(_SERVE.format(python=venv / "bin/python", module=module), "utf-8")
    serve.chmod(0o755)


def refuse_more_than_needed(bundle: Bundle, here: Installed) -> None:
    """An image holds what its service needs, and nothing else."""
    if more := sorted(here.keys() - needs(bundle.distribution, bundle.extras, here).keys()):
        raise DriftError(
            f"{bundle.name}: expected nothing but what it needs, found {', '.join(more)} as well"
        )


def _run(*command: str, at: Path | None = None) -> None:
    subprocess.run(command, check=True, cwd=at, capture_output=True)  # noqa: S603
