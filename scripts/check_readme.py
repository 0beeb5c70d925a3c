"""Check that what README and docs name is there: targets, commands, options, files, tests.

python scripts/check_readme.py
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.main import get_command

from ekiben.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:make|ekiben|\.venv/bin/ekiben) [^`]+)`")
TEST = re.compile(r"\b(test_\w+)`")
DEFINED_TEST = re.compile(r"def (test_\w+)\(")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def commands(text: str) -> Iterator[str]:
    """Each command line of the shell blocks, and each `make …` or `ekiben …` in a sentence."""
    for block in FENCE.findall(text):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            yield from (part.strip() for part in re.split(r"\||&&|;", line.split(" #")[0]) if part.strip())
    yield from INLINE.findall(text)


def problem_with(command: str) -> str | None:
    """Why a command cannot be run as written; None when it can, or is none of ours."""
    words = shlex.split(command.removeprefix("$ ").replace("…", ""))
    if words[:1] == ["make"]:
        return _missing_target(words[1:])
    if words and Path(words[0]).name == "ekiben":
        return _unknown_option(words[1:])
    return None


def _missing_target(words: list[str]) -> str | None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = [word for word in words if "=" not in word and not word.startswith("-")]
    missing = [word for word in wanted if word not in targets]
    return f"Makefile has no target {missing[0]}" if missing else None


def _unknown_option(words: list[str]) -> str | None:
    command = get_command(app)
    while words and isinstance(command, typer.core.TyperGroup) and not words[0].startswith("-"):
        found = command.commands.get(words[0])
        if found is None:
            return f"ekiben has no command {words[0]}"
        command, words = found, words[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options = [word.split("=")[0] for word in words if word.startswith("--")]
    unknown = [option for option in options if option not in {*known, "--help"}]
    return f"{command.name} has no option {unknown[0]}" if unknown else None


def tests_of(path: Path) -> Iterator[str]:
    """The tests that a file defines, and the file's own name."""
    yield path.stem
    yield from DEFINED_TEST.findall(path.read_text())


def problems() -> Iterator[str]:
    """Everything that a reader would stumble over."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    tests = {name for path in (ROOT / "tests").rglob("test_*.py") for name in tests_of(path)}
    for page in pages:
        text = page.read_text()
        for command in commands(text):
            problem = problem_with(command)
            if problem:
                yield f"{page.relative_to(ROOT)}: `{command}`: {problem}"
        for name in TEST.findall(text):
            if name not in tests:
                yield f"{page.relative_to(ROOT)}: names {name}, which is no test"
        for link in LINK.findall(text):
            if not (page.parent / link).exists():
                yield f"{page.relative_to(ROOT)}: links to {link}, which is not there"


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found) or "README and docs: every command, option, file and test is there")
    sys.exit(1 if found else 0)
