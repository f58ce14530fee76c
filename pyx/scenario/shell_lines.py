"""The `$ ` lines of a transcript: a fixed list in shell clothing, and never a shell.

Not here: the lines around them (`transcript.py`), nor what they do (`player.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.errors import NodeNameInvalid
from pyx.options import OPTIONS
from pyx.scenario.characters import ESCAPED, unescaped
from pyx.scenario.parse_error import ParseError, did_you_mean
from pyx.terms import full_name

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS: Final = (
    "pyx --sname X [options]",
    "kill -9 X",
    "kill -STOP X",
    "kill -CONT X",
    "kill -INT X",
    "stop X",
    "partition A | B",
    "heal",
    "cat > FILE <<END",
    "timeout 10s",
    "type TEXT",
)
_WORDS: Final = ("pyx", "kill", "stop", "partition", "heal", "cat", "timeout", "type")
_SIGNALS: Final = {"-9": "KILL", "-KILL": "KILL", "-STOP": "STOP", "-CONT": "CONT", "-INT": "INT"}

_TAKES_VALUE: Final = {
    "--sname": True,
    **{
        option.flag: option.takes_value
        for option in OPTIONS
        if option.flag is not None and option.name not in {"listen", "port", "seeds"}  # no other hosts here
    },
    "-S": True,
}
"""The options of `$ pyx`, and whether a value follows."""

_TOKEN: Final = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s'\"]+")
_HERE: Final = re.compile(r"cat\s*>\s*(?P<file>\S+)\s*<<\s*(?P<quote>['\"]?)(?P<end>\w+)(?P=quote)\s*$")
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


class Word(NamedTuple):
    """A word of a command, with its column in the line (from 1)."""

    text: str
    column: int


class PyxCommand(NamedTuple):
    """`pyx [options]`; `options` without `--sname` and its value."""

    node: str
    options: tuple[str, ...]


class KillCommand(NamedTuple):
    """`kill -9 X` and the like; `node` is "" where `kill -INT` is for a shell without a name."""

    node: str
    signal: str


class StopCommand(NamedTuple):
    """`stop X`."""

    node: str


class PartitionCommand(NamedTuple):
    """`partition A ... | B ...`."""

    sides: tuple[tuple[str, ...], tuple[str, ...]]


class HealCommand(NamedTuple):
    """`heal`."""


class CatCommand(NamedTuple):
    """`cat > FILE <<END`; the text follows in the file, up to the line `end`."""

    file: str
    end: str


class TimeoutCommand(NamedTuple):
    """`timeout 10s`."""

    seconds: float


class TypeCommand(NamedTuple):
    """`type TEXT`, for `input()`; `text` is what follows the one blank."""

    text: str


Command: TypeAlias = (
    PyxCommand
    | KillCommand
    | StopCommand
    | PartitionCommand
    | HealCommand
    | CatCommand
    | TimeoutCommand
    | TypeCommand
)


def parse_command(line: str, host_for: Callable[[str], str]) -> Command:
    """The command of a line that starts with `$ `.

    Args:
        line: the whole line.
        host_for: the host part for a bare node name.

    Raises:
        Complaint: it is none of the list; with the column, and the nearest known word.
    """
    words = [Word(found.group(), found.start() + 1) for found in _TOKEN.finditer(line, 1)]
    if not words:
        raise ParseError(1, "a command is missing after $", hint=f"one of: {', '.join(_WORDS)}")
    head, *rest = words
    at_end = len(line) + 1
    match head.text:
        case "pyx":
            return _pyx(rest, at_end, host_for)
        case "kill":
            return _kill(rest, at_end, host_for)
        case "stop":
            return StopCommand(_node(_only(rest, at_end, "stop X"), host_for))
        case "partition":
            return _partition(rest, at_end, host_for)
        case "heal":
            _no_more(rest, "heal")
            return HealCommand()
        case "cat":
            return _cat(line, head)
        case "timeout":
            word = _only(rest, at_end, "timeout 10s")
            return TimeoutCommand(parse_seconds(word.text, word.column))
        case "type":
            text = line[head.column - 1 + len("type") :].removeprefix(" ")
            return TypeCommand(unescaped(text) if text.endswith(ESCAPED) else text)
    hint = did_you_mean(head.text, _WORDS, otherwise=f"one of: {'; '.join(COMMANDS)}")
    raise ParseError(head.column, f"unknown command {head.text!r} (a scenario is no shell script)", hint=hint)


def parse_seconds(text: str, column: int) -> float:
    """`"10s"`, `"250ms"`, `"2m"` or plain seconds; raises Complaint."""
    found = _SECONDS.fullmatch(text)
    if found is None or not float(found.group(1)):
        raise ParseError(column, f"{text!r} is no time", hint="one looks like 10s, 250ms or 2m")
    return float(found.group(1)) * _UNITS[found.group(2)]


def _pyx(words: list[Word], at_end: int, host_for: Callable[[str], str]) -> PyxCommand:
    node = ""
    options: list[str] = []
    left = iter(words)
    for word in left:
        name, equals, given = word.text.partition("=")
        if name not in _TAKES_VALUE:
            known = ", ".join(_TAKES_VALUE)
            hint = did_you_mean(name, _TAKES_VALUE, otherwise=f"known here: {known}")
            raise ParseError(word.column, f"unknown option {name!r} of pyx in a scenario", hint=hint)
        value: Word | None = None
        if _TAKES_VALUE[name]:
            value = Word(given, word.column + len(name) + 1) if equals else next(left, None)
            if value is None:
                raise ParseError(at_end, f"{name} needs a value")
        if name == "--sname":
            assert value is not None
            node = _node(value, host_for)
        else:
            options += [name] if value is None else [name, _unquoted(value.text)]
    return PyxCommand(node, tuple(options))


def _kill(words: list[Word], at_end: int, host_for: Callable[[str], str]) -> KillCommand:
    if not words:
        raise ParseError(at_end, "kill needs a signal and a node", hint="kill -9 X")
    signal = _SIGNALS.get(words[0].text)
    if signal is None:
        hint = did_you_mean(words[0].text, _SIGNALS, otherwise="kill -9 X, or -STOP, -CONT, -INT")
        raise ParseError(words[0].column, f"unknown signal {words[0].text!r}", hint=hint)
    if signal == "INT" and not words[1:]:
        return KillCommand("", signal)
    return KillCommand(_node(_only(words[1:], at_end, f"kill {words[0].text} X"), host_for), signal)


def _partition(words: list[Word], at_end: int, host_for: Callable[[str], str]) -> PartitionCommand:
    sides: tuple[list[str], list[str]] = ([], [])
    side = 0
    for word in words:
        column = word.column
        for part in re.split(r"(\|)|,", word.text):
            if part == "|":
                side += 1
                if side > 1:
                    raise ParseError(column, "a partition has two sides", hint="partition A B | C")
            elif part:
                name = _node(Word(part, column), host_for)
                if name in sides[0] or name in sides[1]:
                    raise ParseError(column, f"{name} is named twice")
                sides[side].append(name)
            column += 1 if part is None else len(part)  # None: a comma
    if not sides[0] or not sides[1]:
        raise ParseError(at_end, "a partition has nodes on both sides", hint="partition A B | C")
    return PartitionCommand((tuple(sides[0]), tuple(sides[1])))


def _cat(line: str, head: Word) -> CatCommand:
    found = _HERE.match(line, head.column - 1)
    if found is None:
        raise ParseError(
            head.column, "cat writes a file here, and does nothing else", hint="cat > FILE <<END"
        )
    file = found.group("file")
    parts = file.split("/")
    if parts[0] == "" or parts[-1] in {"", "."} or ".." in parts or "~" in parts[0] or "\\" in file:
        raise ParseError(
            found.start("file") + 1,
            f"the file {file!r} is outside the scenario's own directory",
            hint="a relative path without ..",
        )
    return CatCommand(file, found.group("end"))


def _node(word: Word, host_for: Callable[[str], str]) -> str:
    try:
        return full_name(word.text, host_for(word.text))
    except NodeNameInvalid as error:
        raise ParseError(word.column, str(error)) from None


def _only(words: list[Word], at_end: int, usage: str) -> Word:
    if not words:
        raise ParseError(at_end, f"something is missing: {usage}")
    _no_more(words[1:], usage)
    return words[0]


def _no_more(words: list[Word], usage: str) -> None:
    if words:
        raise ParseError(words[0].column, f"{words[0].text!r} is too much: {usage}")


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in {"'", '"'} else text
