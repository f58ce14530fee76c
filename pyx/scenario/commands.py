"""The commands of a transcript (its `$ ` lines), each parsed to its step.

They look like shell commands and are a fixed list: no shell runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import NodeNameInvalid
from pyx.options import OPTIONS
from pyx.scenario.characters import ESCAPED, unescaped
from pyx.scenario.parse_error import ParseError, did_you_mean
from pyx.scenario.steps import Command, Heal, Partition, SendSignal, Start, Stop, Timeout, Type, Write
from pyx.terms import full_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_USAGE: Final = {
    "pyx": "pyx --sname X [options]",
    "iex": "iex --sname X [options]",
    "kill": "kill -9 X, or -STOP, -CONT, -INT",
    "stop": "stop X",
    "partition": "partition A B | C",
    "heal": "heal",
    "cat": "cat > FILE <<END",
    "timeout": "timeout 10s",
    "type": "type TEXT",
}
_SIGNALS: Final = {"-9": "KILL", "-KILL": "KILL", "-STOP": "STOP", "-CONT": "CONT", "-INT": "INT"}

_TAKES_VALUE: Final = {
    "--sname": True,
    **{
        option.flag: option.takes_value
        for option in OPTIONS
        if option.flag is not None and option.name not in {"listen", "port"}  # no other hosts here
    },
    "-S": True,
}
"""The options of `$ pyx`, and whether a value follows."""

_IEX_TAKES_VALUE: Final = {"--sname": True, "--cookie": True, "--hidden": False, "--erl": True}
"""The options of `$ iex`, and whether a value follows."""

_WORD: Final = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s'\"]+")
_HERE_DOCUMENT: Final = re.compile(
    r"cat\s*>\s*(?P<file>\S+)\s*<<\s*(?P<quote>['\"]?)(?P<end>\w+)(?P=quote)\s*$"
)
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


class CommandWord(NamedTuple):
    """A word of a command, with its column in the line (from 1)."""

    text: str
    column: int


def parse_command(line: str, number: int, host_for: Callable[[str], str]) -> Command:
    """Returns the step of a line that starts with `$ `; a start without its block, a file without its text.

    Args:
        line: the whole line.
        number: its number in the file, from 1.
        host_for: returns the host part for a bare node name.

    Raises:
        ParseError: the line is not a command of the list; with the column, and the nearest known word.
    """
    words = [CommandWord(found.group(), found.start() + 1) for found in _WORD.finditer(line, 1)]
    if not words:
        raise ParseError(1, "a command is missing after $", hint=f"one of: {', '.join(_USAGE)}")
    return _CommandParser(line, number, words, host_for).parse()


def parse_seconds(text: str, column: int) -> float:
    """Returns the seconds of `"10s"`, `"250ms"`, `"2m"` or a plain number.  Raises ParseError."""
    found = _SECONDS.fullmatch(text)
    if found is None or not float(found.group(1)):
        raise ParseError(column, f"{text!r} is not a time", hint="a time looks like 10s, 250ms or 2m")
    return float(found.group(1)) * _UNITS[found.group(2)]


class _CommandParser:
    """Parses one line; `words` are all of it, the command's name first."""

    def __init__(
        self, line: str, number: int, words: Sequence[CommandWord], host_for: Callable[[str], str]
    ) -> None:
        self._line = line
        self._number = number
        self._name, *self._arguments = words
        self._at_end = len(line) + 1
        self._host_for = host_for
        self._written = (line,)

    def parse(self) -> Command:
        match self._name.text:
            case "pyx":
                return self._start("pyx", _TAKES_VALUE)
            case "iex":
                started = self._start("iex", _IEX_TAKES_VALUE)
                if not started.node:
                    problem = "iex needs a name: what has none cannot meet a node of pyx"
                    raise ParseError(self._at_end, problem, hint=_USAGE["iex"])
                return started
            case "kill":
                return self._signal()
            case "stop":
                return Stop(self._number, self._node(self._only_argument()), self._written)
            case "partition":
                return self._partition()
            case "heal":
                self._no_more(self._arguments)
                return Heal(self._number, self._written)
            case "cat":
                return self._write()
            case "timeout":
                word = self._only_argument()
                return Timeout(self._number, parse_seconds(word.text, word.column), self._written)
            case "type":
                text = self._line[self._name.column - 1 + len("type") :].removeprefix(" ")
                text = unescaped(text) if text.endswith(ESCAPED) else text
                return Type(self._number, text, self._written)
        raise ParseError(
            self._name.column,
            f"unknown command {self._name.text!r}: a scenario is not a shell script",
            hint=did_you_mean(self._name.text, _USAGE, otherwise=f"one of: {'; '.join(_USAGE.values())}"),
        )

    def _start(self, shell: str, takes_value: Mapping[str, bool]) -> Start:
        node = ""
        options: list[str] = []
        words = iter(self._arguments)
        for word in words:
            name, equals, given = word.text.partition("=")
            if name not in takes_value:
                known = ", ".join(takes_value)
                hint = did_you_mean(name, takes_value, otherwise=f"a scenario knows: {known}")
                raise ParseError(word.column, f"unknown option {name!r} of {shell} in a scenario", hint=hint)
            if not takes_value[name]:
                options.append(name)
                continue
            value = CommandWord(given, word.column + len(name) + 1) if equals else next(words, None)
            if value is None:
                raise ParseError(self._at_end, f"{name} needs a value")
            if name == "--sname":
                node = self._node(value)
            else:
                options += [name, _unquoted(value.text)]
        return Start(self._number, node, tuple(options), self._written, shell=shell)

    def _signal(self) -> SendSignal:
        if not self._arguments:
            raise ParseError(self._at_end, "kill needs a signal and a node", hint=_USAGE["kill"])
        option, *others = self._arguments
        signal = _SIGNALS.get(option.text)
        if signal is None:
            hint = did_you_mean(option.text, _SIGNALS, otherwise=_USAGE["kill"])
            raise ParseError(option.column, f"unknown signal {option.text!r}", hint=hint)
        node = "" if signal == "INT" and not others else self._node(self._only(others))
        return SendSignal(self._number, node, signal, self._written)

    def _partition(self) -> Partition:
        sides: tuple[list[str], list[str]] = ([], [])
        side = 0
        for word in self._arguments:
            column = word.column
            for part in re.split(r"(\|)|,", word.text):
                if part == "|":
                    side += 1
                    if side > 1:
                        raise ParseError(column, "a partition has two sides", hint=_USAGE["partition"])
                elif part:
                    name = self._node(CommandWord(part, column))
                    if name in sides[0] or name in sides[1]:
                        raise ParseError(column, f"{name} is named twice")
                    sides[side].append(name)
                column += 1 if part is None else len(part)  # None: a comma
        if not sides[0] or not sides[1]:
            raise ParseError(self._at_end, "a partition has nodes on both sides", hint=_USAGE["partition"])
        return Partition(self._number, (tuple(sides[0]), tuple(sides[1])), self._written)

    def _write(self) -> Write:
        found = _HERE_DOCUMENT.match(self._line, self._name.column - 1)
        if found is None:
            problem = "cat can only write a file in a scenario"
            raise ParseError(self._name.column, problem, hint=_USAGE["cat"])
        file = found.group("file")
        parts = file.split("/")
        if parts[0] == "" or parts[-1] in {"", "."} or ".." in parts or "~" in parts[0] or "\\" in file:
            raise ParseError(
                found.start("file") + 1,
                f"the file {file!r} is outside the scenario's own directory",
                hint="a relative path without ..",
            )
        return Write(self._number, file, found.group("end"), self._written)

    def _node(self, word: CommandWord) -> str:
        try:
            return full_name(word.text, self._host_for(word.text))
        except NodeNameInvalid as error:
            raise ParseError(word.column, str(error)) from None

    def _only_argument(self) -> CommandWord:
        return self._only(self._arguments)

    def _only(self, words: Sequence[CommandWord]) -> CommandWord:
        if not words:
            name = self._name.text
            raise ParseError(self._at_end, f"{name} needs another argument", hint=_USAGE[name])
        self._no_more(words[1:])
        return words[0]

    def _no_more(self, words: Sequence[CommandWord]) -> None:
        if words:
            problem = f"unexpected argument {words[0].text!r}"
            raise ParseError(words[0].column, problem, hint=_USAGE[self._name.text])


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in {"'", '"'} else text
