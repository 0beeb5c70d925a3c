"""A Bento is made once, whole, of what stands in the registry, and runs without Ekiben."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ekiben_mlops.bento_source import write_source
from ekiben_mlops.errors import PackagingError, UntrustedModelError
from ekiben_mlops.logged_model import read_logged_model
from ekiben_mlops.packaging import package
from ekiben_mlops.registry import Registry
from ekiben_mlops.serve import bento_path
from ekiben_mlops.settings import MlopsSettings
from integration.served import Logged


def test_packaging_again_gives_the_same_bento_and_builds_nothing(
    classifier: Logged, mlops_settings: MlopsSettings
) -> None:
    tag = package(classifier.event, mlops_settings)
    built = (bento_path(tag, mlops_settings) / "bento.yaml").stat()

    assert package(classifier.event, mlops_settings) == tag
    assert (bento_path(tag, mlops_settings) / "bento.yaml").stat() == built
    assert tag.startswith("late:1-")


def test_another_content_is_another_bento(classifier: Logged, registry: Registry, tmp_path: Path) -> None:
    logged = read_logged_model(registry.download("models:/late/1", tmp_path))
    changed = classifier.event.model_copy(update={"classes": ["LATE", "on time"]})

    tags = [
        write_source(tmp_path / name, event, logged)
        for name, event in (("first", classifier.event), ("again", classifier.event), ("changed", changed))
    ]

    assert tags[0] == tags[1] != tags[2]


def test_it_has_labels_and_pinned_requirements_without_mlflow(
    classifier: Logged, mlops_settings: MlopsSettings
) -> None:
    path = bento_path(package(classifier.event, mlops_settings), mlops_settings)
    described = yaml.safe_load((path / "bento.yaml").read_text())
    requirements = (path / "env" / "python" / "requirements.txt").read_text().split()

    assert described["labels"]["ekiben.model"] == "late"
    assert described["labels"]["ekiben.run-id"] == classifier.event.run_id
    assert {line.partition("==")[0] for line in requirements} >= {
        "bentoml",
        "pandas",
        "scikit-learn",
        "skops",
    }
    assert all("==" in line and not line.startswith("mlflow") for line in requirements)


def test_its_service_imports_nothing_of_ekiben_but_what_it_carries(
    classifier: Logged, mlops_settings: MlopsSettings
) -> None:
    source = bento_path(package(classifier.event, mlops_settings), mlops_settings) / "src"
    program = (
        "import sys, ekiben_mlops.templates.service, ekiben_mlops.templates.served\n"
        "for name, module in sys.modules.items():\n"
        "    if name.startswith('ekiben'): print(name, module.__file__)"
    )
    # -P and the path first: as `bentoml serve` has it
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(source)!r})\n{program}"],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )

    found = dict(line.split(" ") for line in done.stdout.splitlines())
    assert "ekiben_serving.columnar.frames" in found
    assert {name for name, path in found.items() if not path.startswith(str(source))} == set()


def test_a_model_that_does_not_answer_its_input_example_as_it_did_is_not_served(
    classifier: Logged, registry: Registry, tmp_path: Path
) -> None:
    logged = read_logged_model(registry.download("models:/late/1", tmp_path))
    example = classifier.event.input_example.model_copy(update={"expected": 0.123})
    source = tmp_path / "source"
    write_source(source, classifier.event.model_copy(update={"input_example": example}), logged)

    program = "import pathlib, ekiben_mlops.templates.served as served; served.ServedModel(pathlib.Path())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=source, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "RuntimeError: expected 0.123 for the input example, found {'value': " in done.stderr


def test_a_build_that_fails_says_why_and_leaves_nothing(
    classifier: Logged, mlops_settings: MlopsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENTOML_CONFIG", "/nowhere.yaml")
    changed = classifier.event.model_copy(update={"classes": ["broken", "build"]})

    with pytest.raises(PackagingError, match="nowhere"):
        package(changed, mlops_settings)

    assert list(mlops_settings.bentoml_home.glob("packaging-*")) == []


def test_an_event_that_names_a_model_elsewhere_is_refused(
    classifier: Logged, mlops_settings: MlopsSettings
) -> None:
    forged = classifier.event.model_copy(update={"model_uri": "file:///tmp/forged"})

    with pytest.raises(UntrustedModelError):
        package(forged, mlops_settings)
