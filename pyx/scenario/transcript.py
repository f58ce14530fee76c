r"""Parses text to steps: `.pyxt` files and ```` ```pyx ```` fences, with line and column for errors.

The first rule that fits a line applies:

    blank                     ends a block
    pyx(name@host)3> code     an input at that node's prompt; ...(name@host)3> code continues it
    iex(name@host)3> code     the same at the prompt of an Elixir node
    pyx(a@host via b@host)3> code   an input at the prompt of b, which is a remote shell on a
    $ command                 see `commands.py`
    # prose                   where a block begins; anywhere else it is output
    anything else             output of the step above; a leading \ protects a line that would be misread

`match_line.py` parses the lines of output.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.errors import TranscriptError
from pyx.scenario.commands import parse_command
from pyx.scenario.comment_directives import split_directives
from pyx.scenario.expressions import why_invalid
from pyx.scenario.markdown_sessions import Region, find_sessions
from pyx.scenario.match_line import expected_line
from pyx.scenario.parse_error import ParseError, did_you_mean
from pyx.scenario.scenario_files import SUFFIX, is_markdown, lines_of, read_text
from pyx.scenario.steps import (
    Block,
    Input,
    Partition,
    SendSignal,
    Start,
    Step,
    Stop,
    Transcript,
    TranscriptSession,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_NODE: Final = r"[A-Za-z0-9_-]+@[A-Za-z0-9_.:%-]+"
_WHERE: Final = rf"(?:\((?:(?P<attached>{_NODE}) via )?(?P<node>{_NODE})\)(?P<number>\d+)|\(\d+\))>"
PROMPT: Final = re.compile(rf"(?P<shell>pyx|iex){_WHERE}(?: (?P<code>.*)|$)")
CONTINUATION: Final = re.compile(rf"\.\.\.{_WHERE}(?: (?P<code>.*)|$)")
_LIKE_PROMPT: Final = re.compile(r"(?:pyx|iex|\.\.\.)\(")
_BANNER: Final = re.compile(r"pyx \d\S* \(Python .*\), h\(\) for help")
_IEX_BANNER: Final = re.compile(r"Interactive Elixir \(.*|Erlang/OTP \d.*|")

_STARTS_OR_STOPS: Final = re.compile(r"\bNode\s*\.\s*(?:start|stop)\b")

_LOOKS_LIKE: Final = (
    "a prompt looks like pyx(name@host)3> code, or iex(name@host)3> code; "
    "an output line like this starts with \\"
)
_WITHOUT_STEP: Final = "prose starts with #; an empty line of output is written as \\"


def read_transcript(path: str, shown_as: str | None = None) -> Transcript:
    """Reads and parses a file, in which at least one step starts a node.

    Args:
        path: where it is.
        shown_as: its name in errors; None: *path*.

    Raises:
        TranscriptError: it cannot be read or parsed, or no step of it starts a node.
    """
    name = shown_as or path
    if not path.endswith(SUFFIX) and not is_markdown(path) and Path(path).is_file():
        hint = f"rename it to *{SUFFIX}, or put the session into a ```pyx block of a Markdown file"
        raise TranscriptError(
            name, 0, 0, f"this is not a scenario (*{SUFFIX}) and not Markdown (*.md)", hint=hint
        )
    transcript = parse_transcript(read_text(path, name), name)
    if not any(isinstance(step, Start) for session in transcript.sessions for step in session.steps):
        where = "no ```pyx block of it" if is_markdown(path) else "no line of it"
        raise TranscriptError(
            name, 0, 0, f"nothing to play: {where} starts a node", hint="$ pyx --sname X starts a node"
        )
    return transcript


def parse_transcript(text: str, path: str) -> Transcript:
    """Parses *text*, as Markdown if *path* is that of a Markdown file.  Raises TranscriptError."""
    lines = lines_of(text)
    skipped = 0
    if is_markdown(path):
        blocks = find_sessions(lines, path)
        regions = list(blocks.sessions)
        has_prompt = (any(map(_is_typed_at_pyx, block.lines)) for block in blocks.others)
        skipped = blocks.hidden + sum(has_prompt)
    else:
        regions = [Region(0, tuple(lines), (0,) * len(lines), "")]
    hosts = _Hosts(line for region in regions for line in region.lines)
    sessions: list[TranscriptSession] = []
    for _, section in itertools.groupby(regions, key=lambda region: region.section):
        reader = _TranscriptReader(path, hosts)
        for region in section:
            reader.read(region)
        if reader.steps:
            sessions.append(TranscriptSession(tuple(reader.steps)))
    return Transcript(path, text, tuple(sessions), skipped)


def _is_typed_at_pyx(line: str) -> bool:
    found = PROMPT.match(line)
    return found is not None and found["shell"] == "pyx"


class _Hosts:
    """Returns the host of a bare name: of a prompt with that name, else of any prompt, else `localhost`."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._of: dict[str, str] = {}
        for line in lines:
            found = PROMPT.match(line.lstrip())
            if found is not None and found.group("node"):
                first, _, host = found.group("node").partition("@")
                self._of.setdefault(first, host)

    def __call__(self, name: str) -> str:
        return self._of.get(name) or next(iter(self._of.values()), "localhost")


@dataclass
class _TranscriptReader:
    """Parses the regions of one session."""

    path: str
    hosts: _Hosts
    steps: list[Step] = field(default_factory=list)
    started: dict[str, set[str]] = field(default_factory=dict)
    """The shells that were started under each name: `"pyx"`, `"iex"`, or both where one start fails."""
    may_rename: bool = False
    """True if an input may have started or stopped a node: only a replay can tell which names there are."""
    blocked: dict[str, int] = field(default_factory=dict)

    def read(self, region: Region) -> None:
        self._region = region
        index = region.first
        while index < region.end:
            line = self._at(index)
            try:
                if not line.strip() or line.startswith("#"):
                    index += 1
                elif PROMPT.match(line):
                    index = self._input(index)
                elif line.startswith("$"):
                    index = self._command(index)
                else:
                    raise self._unexpected(line)
            except ParseError as error:
                row = index + error.offset
                column = error.column + region.columns[min(row, region.end - 1) - region.first]
                raise TranscriptError(self.path, row + 1, column, error.problem, hint=error.hint) from None

    def _at(self, index: int) -> str:
        return self._region.lines[index - self._region.first]

    @staticmethod
    def _unexpected(line: str) -> ParseError:
        if CONTINUATION.match(line):
            return ParseError(1, "this continuation does not follow a prompt of its node")
        if _LIKE_PROMPT.match(line):
            return ParseError(1, "this is not a valid prompt", hint=_LOOKS_LIKE)
        return ParseError(1, "this line is not below a step", hint=_WITHOUT_STEP)

    # ------------------------------------------------------------ inputs

    def _input(self, first: int) -> int:
        found = PROMPT.match(self._at(first))
        assert found is not None
        node, attached = found.group("node") or "", found.group("attached") or ""
        columns = [found.start("code") if found.group("code") is not None else found.end()]
        code = [found.group("code") or ""]
        index = first + 1
        while index < self._region.end and (more := CONTINUATION.match(self._at(index))):
            if (more.group("node") or "", more.group("attached") or "") != (node, attached):
                raise ParseError(
                    1, "this continuation is of another node than its prompt", offset=index - first
                )
            columns.append(more.start("code") if more.group("code") is not None else more.end())
            code.append(more.group("code") or "")
            index += 1
        self._check_started(node, 5, found["shell"])
        is_python = found["shell"] == "pyx"
        if attached and not is_python:
            raise ParseError(1, "a remote shell is one of pyx: iex has none in a scenario")
        try:
            source, directives = split_directives("\n".join(code), is_python=is_python)
        except ParseError as error:
            error.column += columns[error.offset]
            raise
        source = source if source.strip() else ""
        if attached and directives.eventually is not None:
            problem = "# eventually cannot be used at the prompt of a remote shell"
            raise ParseError(1, problem, hint=f"at the prompt of {attached} it can")
        if source and node in self.blocked:
            raise ParseError(
                columns[0] + 1,
                f"{node or 'this shell'} is still busy with the step of line {self.blocked[node]}",
                hint="an empty prompt waits for its result",
            )
        if directives.blocks:
            self.blocked[node] = first + 1
        elif not source:
            self.blocked.pop(node, None)
        self.may_rename |= _STARTS_OR_STOPS.search(source) is not None
        end = self._block_end(index, first)
        self.steps.append(
            Input(
                first + 1,
                node,
                source,
                directives,
                self._block(index, end, first),
                self._written(first, index),
                attached,
            )
        )
        return end

    def _block(self, first: int, end: int, step: int) -> Block:
        """Returns the block of the lines from *first* up to *end*; *step* is the index of its step."""
        lines = tuple(self._at(index) for index in range(first, end))
        for index, line in enumerate(map(expected_line, lines)):
            if line.kind == "re" and (wrong := why_invalid(line.text)) is not None:
                problem = f"not a regular expression: {wrong[0]}"
                hint = "a leading \\ makes the line plain text"
                raise ParseError(wrong[1] + 1, problem, hint=hint, offset=first + index - step)
        return Block(first + 1, lines)

    def _block_end(self, index: int, step: int) -> int:
        """Returns the index behind the block that starts at *index*; *step* is the index of its step."""
        while index < self._region.end:
            line = self._at(index)
            if not line.strip() or line.startswith("$ ") or line == "$" or PROMPT.match(line):
                break
            if _LIKE_PROMPT.match(line):
                error = self._unexpected(line)
                error.offset = index - step
                raise error
            index += 1
        return index

    def _written(self, first: int, end: int) -> tuple[str, ...]:
        return tuple(self._at(index) for index in range(first, end))

    def _check_started(self, node: str, column: int, shell: str = "") -> None:
        """Raises ParseError if no step started *node*, or one did with another *shell* ("" for any)."""
        if node not in self.started and ("" not in self.started or not node) and not self.may_rename:
            name = node or "a shell without a name"
            start = f"$ {shell or 'pyx'} --sname {node.partition('@')[0] or 'X'}"
            start = start if node or shell == "iex" else "$ pyx"
            hint = did_you_mean(node, self.started, otherwise=f"start it above: {start}")
            raise ParseError(column, f"{name} has not been started", hint=hint)
        shells = self.started.get(node, {shell})
        if shell and shell not in shells:
            runs = min(shells)
            problem = f"{node or 'this shell'} was started as {runs}, so its prompt is not one of {shell}"
            raise ParseError(1, problem, hint=f"its prompt looks like {runs}({node})1>")

    def _check_is_pyx(self, node: str, column: int, wish: str) -> None:
        if self.started.get(node) == {"iex"}:
            raise ParseError(column, f"{wish} is for nodes of pyx, and {node} is one of Elixir")

    # ------------------------------------------------------------ commands

    def _command(self, first: int) -> int:
        line = self._at(first)
        if not line.startswith("$ "):
            raise ParseError(1, "a command is missing after $", hint="$ pyx --sname X")
        step = parse_command(line, first + 1, self.hosts)
        below = first + 1
        match step:
            case Start(node=node):
                self.started.setdefault(node, set()).add(step.shell)
                below = self._behind_banner(below, step.shell)
                end = below if self._is_prose(below) else self._block_end(below, first)
                self.steps.append(replace(step, block=self._block(below, end, first)))
                return end
            case SendSignal(node=node) | Stop(node=node):
                column = len(line) - len(line.split()[-1]) + 1
                self._check_started(node, column)
                if isinstance(step, SendSignal) and step.name == "INT":
                    self._check_is_pyx(node, column, "$ kill -INT")
            case Partition(sides=sides):
                for node in itertools.chain(*sides):
                    self._check_started(node, 3)
                    self._check_is_pyx(node, 3, "$ partition")
            case Write():
                step, below = self._with_text(step, first)
            case _:
                pass
        self.steps.append(step)
        return self._no_output(below, first)

    def _behind_banner(self, index: int, shell: str) -> int:
        """Returns the index behind the banner of an interactive shell, which a replayed one does not show."""
        if shell == "pyx":
            is_there = index < self._region.end and _BANNER.fullmatch(self._at(index))
            return index + 1 if is_there else index
        end = index
        while end < self._region.end and _IEX_BANNER.fullmatch(self._at(end)):
            end += 1
            if self._at(end - 1):
                index = end  # blank lines alone are not a banner
        return index

    def _with_text(self, step: Write, first: int) -> tuple[Write, int]:
        """Returns the step with the lines up to its end word as text, and the index behind that."""
        index = first + 1
        while index < self._region.end and self._at(index).rstrip() != step.end:
            index += 1
        if index == self._region.end:
            problem = f"the text of {step.file} has no end"
            raise ParseError(1, problem, hint=f"a line {step.end} ends it")
        text = "".join(f"{self._at(row)}\n" for row in range(first + 1, index))
        return replace(step, text=text), index + 1

    def _is_prose(self, index: int) -> bool:
        """Returns True for prose, which is also allowed right below a command."""
        return index < self._region.end and self._at(index).startswith("#")

    def _no_output(self, index: int, step: int) -> int:
        if not self._is_prose(index) and self._block_end(index, step) != index:
            raise ParseError(1, "this command has no output", offset=index - step)
        return index
