"""Commands as coroutines: what many of them take stands once, in a dataclass whose fields are options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from inspect import Parameter
from typing import Any, TypeGuard, get_type_hints

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import Target, find_target
from ekiben.client import Ekiben
from ekiben_contracts.topics import OPERATORS

Command = Callable[..., Coroutine[None, None, ExitCode]]


@dataclass(slots=True)
class Terminal:
    """Where a command was typed: which system it talks to, and how it tells what it found."""

    bootstrap_servers: BootstrapServers = None
    topic_prefix: TopicPrefix = None
    home: HomeFolder = None
    json_: Json = False
    output: Output = field(init=False)

    def __post_init__(self) -> None:
        self.output = Output(as_json=self.json_)

    def target(self, role: str = OPERATORS) -> Target:
        """The system to talk to, as somebody who operates it. Raises what `find_target` raises."""
        return find_target(self.bootstrap_servers, self.topic_prefix, self.home, role=role)

    def client(self) -> Ekiben:
        """A client of it, not opened."""
        return self.target().client()


def command(function: Command) -> Callable[..., None]:
    """What Typer takes, of a coroutine from a `Terminal` and options to an exit code.

    Each parameter that is a dataclass stands for its fields, as keyword options behind the others.
    """
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    groups = {each.name: each.annotation for each in parameters if _is_group(each.annotation)}
    own = [each for each in parameters if each.name not in groups]

    def invoke(**given: Any) -> None:
        made = {
            name: kind(**{option.name: given.pop(option.name) for option in _options(kind)})
            for name, kind in groups.items()
        }
        (terminal,) = [each for each in made.values() if isinstance(each, Terminal)]
        run(function(**made, **given), terminal.output)

    expanded = [*own, *(each for kind in reversed(groups.values()) for each in _parameters(kind))]
    invoke.__name__, invoke.__doc__ = function.__name__, function.__doc__
    invoke.__annotations__ = {each.name: each.annotation for each in expanded}
    setattr(invoke, "__signature__", inspect.Signature(expanded))  # noqa: B010 - functions have it, their type not
    return invoke


def _is_group(annotation: object) -> TypeGuard[type[Any]]:
    return isinstance(annotation, type) and is_dataclass(annotation)


def _options(kind: type[Any]) -> Iterable[Field[Any]]:
    return [each for each in fields(kind) if each.init]


def _parameters(kind: type[Any]) -> Iterable[Parameter]:
    types = get_type_hints(kind, include_extras=True)
    for each in _options(kind):
        default = Parameter.empty if each.default is MISSING else each.default
        yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=types[each.name])
