"""The source tree of a Bento: the model, what is known of it, and the template that serves it.

The files of Ekiben that the template imports are copied in under their own names, so that a Bento
runs, and is containerized, where no Ekiben is installed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml

from ekiben_contracts.training import ModelTrained
from ekiben_mlops.logged_model import LoggedModel
from ekiben_serving.model_client import ModelDescription

SERVICE: Final = "ekiben_mlops.templates.service:ModelService"
_COPIED: Final = {
    "ekiben_mlops": ["__init__.py"],
    "ekiben_mlops.templates": [
        "__init__.py",
        "service.py",
        "served.py",
        "explain_routes.py",
        "scoring.py",
        "predicting.py",
        "jsonable.py",
        "leash.py",
        "metrics.py",
    ],
    "ekiben_mlops.templates.explaining": [
        "__init__.py",
        "answering.py",
        "exact.py",
        "explainer.py",
        "outside.py",
        "parts.py",
        "shapley.py",
        "sources.py",
        "targets.py",
    ],
    "ekiben_serving": ["__init__.py", "specs.py", "validation.py"],
    "ekiben_serving.columnar": [
        "__init__.py",
        "answer.py",
        "building.py",
        "columns.py",
        "explanation.py",
        "frames.py",
    ],
}
_LONGEST_NAME: Final = 63
_LONGEST_VERSION: Final = 40


def write_source(directory: Path, trained: ModelTrained, logged: LoggedModel) -> str:
    """Write the tree of a model and return the tag of its Bento: model, version and a digest of the tree."""
    _copy_code(directory, trained.problem_type)
    shutil.copyfile(logged.directory / logged.file, directory / logged.file)
    description = ModelDescription(
        model=trained.model,
        version=trained.version,
        problem_type=trained.problem_type,
        signature=tuple(trained.signature),
        classes=tuple(trained.classes or ()),
    )
    (directory / "model.json").write_text(description.model_dump_json(indent=1))
    serving = {
        "file": logged.file,
        "trusted_types": list(logged.trusted_types),
        "input_example": trained.input_example.model_dump(),
    }
    (directory / "serving.json").write_text(json.dumps(serving, indent=1))
    (directory / "background.json").write_text(json.dumps(logged.background))
    (directory / "bentofile.yaml").write_text(yaml.safe_dump(_bentofile(trained, logged)))
    return bento_tag(trained.model, trained.version, _digest(directory))


def bento_tag(model: str, version: str, digest: str) -> str:
    """`model:version-digest`, within what BentoML takes: lower case, 63 characters, an alphanumeric end."""
    name = model.lower()[:_LONGEST_NAME].rstrip("-._")
    shown = re.sub("[^a-z0-9]+", "-", version.lower())[:_LONGEST_VERSION]
    return f"{name}:{f'{shown}-{digest[:12]}'.lstrip('-')}"


def _copy_code(directory: Path, problem_type: str) -> None:
    for package, names in _COPIED.items():
        target = directory.joinpath(*package.split("."))
        target.mkdir(parents=True)
        own = [f"{problem_type}.py"] if package.endswith(".templates") else []
        for name in [*names, *own]:
            (target / name).write_bytes((files(package) / name).read_bytes())


def _bentofile(trained: ModelTrained, logged: LoggedModel) -> dict[str, object]:
    # MLflow writes itself into the requirements; reading skops does not need it
    needed = [line for line in logged.requirements if not line.startswith(("mlflow==", "mlflow-"))]
    return {
        "service": SERVICE,
        "name": bento_tag(trained.model, trained.version, "").partition(":")[0],
        "description": f"{trained.model} {trained.version}: {trained.problem_type}, packaged by Ekiben.",
        "labels": {
            "ekiben.model": trained.model,
            "ekiben.version": trained.version,
            "ekiben.problem-type": str(trained.problem_type),
            "ekiben.run-id": trained.run_id,
        },
        "include": ["**"],
        "python": {"packages": needed, "lock_packages": False},
    }


def _digest(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
