"""The commands and options of pyx with what may follow each, read off the parsers of the command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WordKind: TypeAlias = "Literal['text', 'files', 'directories', 'nodes'] | tuple[str, ...]"
"""What stands in one place: a text of any kind, a path, a node, or one of some words."""

_LONGEST_HELP: Final = 70

SHELLS: Final = ("bash", "zsh", "fish")


class OptionWords(NamedTuple):
    """One option: its flags, what follows, and what it does in a few words."""

    flags: tuple[str, ...]
    values: tuple[WordKind, ...]
    help: str
    takes_the_rest: bool = False
    """All words behind its values belong to the program."""


class CommandWords(NamedTuple):
    """One command: its options, and what stands in the places between them; the last place repeats."""

    options: tuple[OptionWords, ...]
    places: tuple[WordKind, ...]
    runs_program: bool = False
    """All words behind its first place belong to a program."""

    def option(self, flag: str) -> OptionWords | None:
        """Returns the option of that flag."""
        return next((one for one in self.options if flag in one.flags), None)


class Grammar(NamedTuple):
    """What may stand on a line behind `pyx`."""

    commands: Mapping[str, str]
    """The help of each command, by its name."""
    chosen: CommandWords
    """The command of this line, or the options of a program or a prompt."""


def grammar(first: str) -> Grammar:
    """Returns the words of a line whose first one is *first*; makes no other parser."""
    from pyx.cli_parser import COMMANDS

    return Grammar({name: _short(about) for name, (_, about) in COMMANDS.items()}, _command(first))


def _command(name: str) -> CommandWords:
    match name:
        case "new":
            return CommandWords((OptionWords(("--sup",), (), "make an application"), _HELP), ("text",))
        case "names":
            return CommandWords((_HELP,), ("text",))
        case "completion":
            return CommandWords((_HELP,), (SHELLS,))
        case "doctor":
            from pyx.doctor.doctor_cli import doctor_parser

            return words_of(doctor_parser())
        case "replay":
            from pyx.scenario.replay_cli import replay_parser

            return words_of(replay_parser())
    from pyx.cli_parser import parser

    return words_of(parser())._replace(runs_program=True)


def words_of(parser: argparse.ArgumentParser) -> CommandWords:
    """Returns the words of one parser; hidden options are left out."""
    options: list[OptionWords] = []
    places: list[WordKind] = []
    for action in parser._actions:  # noqa: SLF001 - argparse shows them nowhere else
        if action.help == argparse.SUPPRESS:
            continue
        if not action.option_strings:
            places.append(_value(action, action.metavar))
        else:
            takes_the_rest = action.nargs == argparse.REMAINDER
            text = _short(action.help or "")
            options.append(OptionWords(tuple(action.option_strings), _values(action), text, takes_the_rest))
    return CommandWords(tuple(options), tuple(places))


def _values(action: argparse.Action) -> tuple[WordKind, ...]:
    if action.nargs == 0:
        return ()
    if isinstance(action.nargs, int):
        metavars: Sequence[str] = action.metavar if isinstance(action.metavar, tuple) else ()
        return tuple(_value(action, one) for one in metavars)
    return (_value(action, action.metavar),)


def _value(action: argparse.Action, metavar: object) -> WordKind:
    if action.choices is not None:
        return tuple(map(str, action.choices))
    return _KINDS.get(str(metavar).partition(" ")[0], "text")


_KINDS: Final[Mapping[str, WordKind]] = {
    "FILE": "files", "F": "files", "PATH": "files", "DIR": "directories", "NODE": "nodes",
}  # fmt: skip
"""By the name that the help has for it."""


def _short(text: str) -> str:
    first = text.partition(" (")[0].partition(";")[0].partition(": ")[0]
    return first if len(first) <= _LONGEST_HELP else first[: _LONGEST_HELP - 1].rstrip() + "…"


_HELP: Final = OptionWords(("-h", "--help"), (), "show help")
