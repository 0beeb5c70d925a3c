"""Build the images of the services, from the Dockerfile beside it.

    python -m deploy.docker.services.build [--tag TAG] [--python IMAGE] [SERVICE ...]

--python is the base image; `local` makes one out of this machine, where none can be pulled.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
from docker.errors import BuildError

from deploy.docker import python_base
from deploy.docker.packing import described
from scripts.supply.bundles import BUNDLES, ROOT, named
from scripts.supply.workspace import version

DOCKERFILE = Path(__file__).with_name("Dockerfile")
LOCAL_BASE = "ekiben/python:local"
IMAGES = tuple(bundle.name for bundle in BUNDLES if bundle.image)
AT_ONCE = 2
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def build(service: str, tag: str, python: str | None) -> str:
    """Build one; what it has become.

    Raises:
        SystemExit: it cannot be built; with the end of what the build said.
    """
    engine = docker.from_env()
    image = f"ekiben/{service}:{tag}"
    try:
        engine.images.build(
            path=str(ROOT),
            dockerfile=str(DOCKERFILE.relative_to(ROOT)),
            tag=image,
            rm=True,
            network_mode="host",
            buildargs=arguments(service, python),
        )
    except BuildError as error:
        said = "".join(str(each.get("stream", "")) for each in error.build_log)
        raise SystemExit(f"expected to build {image}, found: {error}\n{said[-4000:]}") from error
    return described(engine, image)


def arguments(service: str, python: str | None) -> Mapping[str, str]:
    """What the Dockerfile is told."""
    revision = _git("rev-parse", "HEAD")
    told = {
        "SERVICE": service,
        "VERSION": version(named(service)),
        "REVISION": revision,
        "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct"),
    }
    proxies = {name: os.environ[name] for name in PROXIES if name in os.environ}
    return (
        {name: value for name, value in told.items() if value}
        | proxies
        | ({"PYTHON": python} if python else {})
    )


def _git(*arguments: str) -> str:
    """What git says of this checkout; nothing where there is none."""
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return ran.stdout.strip()


def main() -> None:
    """Build what is asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m deploy.docker.services.build", description=__doc__)
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help=f"of {', '.join(IMAGES)}; all by default"
    )
    parser.add_argument("--tag", default="latest")
    parser.add_argument("--python", metavar="IMAGE", help="the base; `local` makes it out of this machine")
    chosen = parser.parse_args()
    python = chosen.python
    if python == "local":
        print(python_base.build(LOCAL_BASE))
        python = LOCAL_BASE
    with ThreadPoolExecutor(AT_ONCE) as builds:
        building = [
            builds.submit(build, service, chosen.tag, python) for service in chosen.services or IMAGES
        ]
        for built in building:
            print(built.result(), flush=True)


if __name__ == "__main__":
    main()
