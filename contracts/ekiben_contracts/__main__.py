"""`python -m ekiben_contracts`: check, generate and freeze the contracts, and try a record on them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import JsonValue

from ekiben_contracts.checked_in import HERE, PAGE, REFERENCE, read
from ekiben_contracts.checks import SUBJECT, Problem, find_problems
from ekiben_contracts.checks.frozen import frozen_versions
from ekiben_contracts.documents import render
from ekiben_contracts.generation import Plan, freeze, generate
from ekiben_contracts.reading import explain
from ekiben_contracts.topics import BY_NAME

_EXAMPLES = """\
examples:
  python -m ekiben_contracts check
  python -m ekiben_contracts generate
  python -m ekiben_contracts freeze ekiben.prediction.requested.v1
  echo '{"model": "flight-delay", "entity_id": "UA-1545"}' |
    python -m ekiben_contracts read ekiben.prediction-requests

exit codes: 0 all is well, 1 something is wrong and told, 2 the command was not understood
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "read":
        return _read(options)
    if options.command == "check":
        return _check(options)
    checked_in = read(options.folder, options.page)
    if options.command == "generate":
        return _carry_out(generate(SUBJECT, checked_in), options)
    types = tuple(SUBJECT.by_type) if options.all else options.types
    return _carry_out(freeze(SUBJECT, checked_in, types), options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ekiben_contracts",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true", help="write one JSON object, for machines")
    files = argparse.ArgumentParser(add_help=False)
    files.add_argument("--folder", type=_folder, default=HERE, help="where schemas/ and examples/ are")
    files.add_argument("--page", type=_file, default=PAGE, help="the Markdown page with the table of topics")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("check", parents=[output, files], help="tell what no longer agrees")
    commands.add_parser("generate", parents=[output, files], help="bring the derived documents up to date")
    freezing = commands.add_parser("freeze", parents=[output, files], help="promise that types never change")
    which = freezing.add_mutually_exclusive_group(required=True)
    which.add_argument("types", nargs="*", default=[], metavar="TYPE")
    which.add_argument("--all", action="store_true", help="every type of this version")
    reading = commands.add_parser("read", help="tell how a record of a topic would be read")
    reading.add_argument("topic", choices=BY_NAME, metavar="TOPIC", help="such as ekiben.prediction-requests")
    reading.add_argument("file", nargs="?", type=_file, help="the value; standard input without it")
    reading.add_argument(
        "--header", action="append", default=[], metavar="NAME=VALUE", help="once per header"
    )
    return parser


def _check(options: argparse.Namespace) -> int:
    checked_in = read(options.folder, options.page)
    problems = find_problems(SUBJECT, checked_in)
    if options.json:
        print(render({"ok": not problems, "problems": [asdict(problem) for problem in problems]}), end="")
    elif problems:
        _tell(problems)
    else:
        types, topics = len(SUBJECT.events), len(SUBJECT.topics)
        frozen = len(frozen_versions(checked_in.frozen))
        print(f"{types} types, {frozen} of them frozen, on {topics} topics: all agree")
    return 1 if problems else 0


def _carry_out(plan: Plan, options: argparse.Namespace) -> int:
    if not plan.refused:
        plan.carry_out(options.folder, options.page)
    pages = [str(options.page)] if plan.page is not None else []
    pages += [str(options.page.with_name(REFERENCE))] if plan.reference is not None else []
    if options.json:
        refused: list[JsonValue] = [asdict(problem) for problem in plan.refused]
        told: JsonValue = {"written": [*plan.write, *pages], "deleted": [*plan.delete], "refused": refused}
        print(render(told), end="")
    elif plan.refused:
        _tell(plan.refused)
    else:
        lines = [f"wrote {name}" for name in (*plan.write, *pages)] + [
            f"deleted {name}" for name in plan.delete
        ]
        print("\n".join(lines) or "nothing to do")
    return 1 if plan.refused else 0


def _read(options: argparse.Namespace) -> int:
    value = options.file.read_bytes() if options.file else sys.stdin.buffer.read()
    good, told = explain(value, options.header, BY_NAME[options.topic])
    print(render(told), end="")
    return 0 if good else 1


def _tell(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(problems)} found", file=sys.stderr)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"expected a folder, found {text}")
    return Path(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"expected a file, found {text}")
    return Path(text)


if __name__ == "__main__":
    sys.exit(main())
