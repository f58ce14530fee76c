r"""Text -> steps: reads `.pyxt` files and ```` ```pyx ```` fences, or complains with line and column.

The rules of a line, in the order in which they are asked:

    blank                     ends a block
    pyx(name@host)3> code     typed at that node's prompt; ...(name@host)3> code goes on with it
    $ command                 see `shell_lines.py`
    # prose                   where a block begins; anywhere else it is output
    anything else             was shown by the step above; a leading \ protects what would be misread

See `match_line.py` for what the lines mean when they are compared, `fences.py` for which blocks a Markdown
file has, and `scenario_files.py` for files.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.errors import TranscriptError
from pyx.scenario.directives import split_directives
from pyx.scenario.expressions import why_invalid
from pyx.scenario.markdown_sessions import Region, find_sessions
from pyx.scenario.match_line import expected_line
from pyx.scenario.parse_error import ParseError, did_you_mean
from pyx.scenario.scenario_files import SUFFIX, is_markdown, lines_of, read_text
from pyx.scenario.shell_lines import parse_shell_line
from pyx.scenario.steps import (
    Block,
    Input,
    Partition,
    Signal,
    Start,
    Step,
    Stop,
    Transcript,
    TranscriptSession,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_WHERE: Final = r"(?:\((?P<node>[A-Za-z0-9_-]+@[A-Za-z0-9_.:%-]+)\)(?P<number>\d+)|\(\d+\))>"
PROMPT: Final = re.compile(rf"pyx{_WHERE}(?: (?P<code>.*)|$)")
CONTINUATION: Final = re.compile(rf"\.\.\.{_WHERE}(?: (?P<code>.*)|$)")
_LIKE_PROMPT: Final = re.compile(r"(?:pyx|\.\.\.)\(")
_BANNER: Final = re.compile(r"pyx \d\S* \(Python .*\), h\(\) for help")

_RENAMES: Final = re.compile(r"\bNode\s*\.\s*(?:start|stop)\b")

_LOOKS_LIKE: Final = "a prompt looks like pyx(name@host)3> code; an output line like this starts with \\"


def read_transcript(path: str, shown_as: str | None = None) -> Transcript:
    """The transcript of a file, in which at least one step starts a node.

    Args:
        path: where it is.
        shown_as: what complaints call it.

    Raises:
        TranscriptError: it cannot be read, or there is nothing to play in it.
    """
    name = shown_as or path
    if not path.endswith(SUFFIX) and not is_markdown(path) and Path(path).is_file():
        hint = "only scenarios are played: name the file so, or put the session into a ```pyx block"
        raise TranscriptError(name, 0, 0, f"this is neither *{SUFFIX} nor Markdown (*.md)", hint=hint)
    transcript = parse_transcript(read_text(path, name), name)
    if not any(isinstance(step, Start) for session in transcript.sessions for step in session.steps):
        where = "no ```pyx block of it" if is_markdown(path) else "no line of it"
        raise TranscriptError(name, 0, 0, f"nothing to play: {where} starts a node", hint="$ pyx --sname X")
    return transcript


def parse_transcript(text: str, path: str) -> Transcript:
    """The transcript that *text* is; Markdown where *path* says so.  Raises TranscriptError."""
    lines = lines_of(text)
    skipped = 0
    if is_markdown(path):
        blocks = find_sessions(lines, path)
        regions = list(blocks.sessions)
        has_prompt = (any(map(PROMPT.match, block.lines)) for block in blocks.others)
        skipped = blocks.hidden + sum(has_prompt)
    else:
        regions = [Region(0, tuple(lines), (0,) * len(lines), "")]
    hosts = _Hosts(line for region in regions for line in region.lines)
    sessions: list[TranscriptSession] = []
    for _, stories in itertools.groupby(regions, key=lambda region: region.section):
        reader = _TranscriptReader(path, hosts)
        for region in stories:
            reader.read(region)
        if reader.steps:
            sessions.append(TranscriptSession(tuple(reader.steps)))
    return Transcript(path, text, tuple(sessions), skipped)


class _Hosts:
    """The host part of a bare name: that of the prompts which bear it, else of any, else `localhost`."""

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
    """Reads the regions of one session."""

    path: str
    hosts: _Hosts
    steps: list[Step] = field(default_factory=list)
    started: set[str] = field(default_factory=set)
    renames: bool = False
    """An input may have given a shell another name, or taken its name: only a replay can tell."""
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
                    raise self._belongs_nowhere(line)
            except ParseError as complaint:
                row = index + complaint.offset
                column = complaint.column + region.columns[min(row, region.end - 1) - region.first]
                raise TranscriptError(
                    self.path, row + 1, column, complaint.problem, hint=complaint.hint
                ) from None

    def _at(self, index: int) -> str:
        return self._region.lines[index - self._region.first]

    @staticmethod
    def _belongs_nowhere(line: str) -> ParseError:
        if CONTINUATION.match(line):
            return ParseError(1, "this continuation follows no prompt of its node")
        if _LIKE_PROMPT.match(line):
            return ParseError(1, "this prompt cannot be read", hint=_LOOKS_LIKE)
        return ParseError(1, "this line belongs to no step", hint="prose starts with #, an empty line is \\")

    # ------------------------------------------------------------ inputs

    def _input(self, first: int) -> int:
        found = PROMPT.match(self._at(first))
        assert found is not None
        node = found.group("node") or ""
        columns = [found.start("code") if found.group("code") is not None else found.end()]
        code = [found.group("code") or ""]
        index = first + 1
        while index < self._region.end and (more := CONTINUATION.match(self._at(index))):
            if (more.group("node") or "") != node:
                raise ParseError(1, "this continuation is another node's", offset=index - first)
            columns.append(more.start("code") if more.group("code") is not None else more.end())
            code.append(more.group("code") or "")
            index += 1
        self._check_started(node, 5)
        try:
            source, directives = split_directives("\n".join(code))
        except ParseError as complaint:
            complaint.column += columns[complaint.offset]
            raise
        source = source if source.strip() else ""
        if source and node in self.blocked:
            raise ParseError(
                columns[0] + 1,
                f"{node or 'this shell'} is still busy with the step of line {self.blocked[node]}",
                hint="its result is claimed at an empty prompt",
            )
        if directives.blocks:
            self.blocked[node] = first + 1
        elif not source:
            self.blocked.pop(node, None)
        self.renames |= _RENAMES.search(source) is not None
        end = self._block_end(index, first)
        self.steps.append(
            Input(
                first + 1,
                node,
                source,
                directives,
                self._block(index, end, first),
                self._written(first, index),
            )
        )
        return end

    def _block(self, first: int, end: int, step: int) -> Block:
        """The lines from *first* up to *end*; *step* is the index that complaints count from."""
        lines = tuple(self._at(index) for index in range(first, end))
        for index, line in enumerate(map(expected_line, lines)):
            if line.kind == "re" and (wrong := why_invalid(line.text)) is not None:
                problem = f"not a regular expression: {wrong[0]}"
                hint = "a leading \\ makes it plain text"
                raise ParseError(wrong[1] + 1, problem, hint=hint, offset=first + index - step)
        return Block(first + 1, lines)

    def _block_end(self, index: int, step: int) -> int:
        """Where the block that starts at *index* ends; *step* is the index that complaints count from."""
        while index < self._region.end:
            line = self._at(index)
            if not line.strip() or line.startswith("$ ") or line == "$" or PROMPT.match(line):
                break
            if _LIKE_PROMPT.match(line):
                complaint = self._belongs_nowhere(line)
                complaint.offset = index - step
                raise complaint
            index += 1
        return index

    def _written(self, first: int, end: int) -> tuple[str, ...]:
        return tuple(self._at(index) for index in range(first, end))

    def _check_started(self, node: str, column: int) -> None:
        if node not in self.started and ("" not in self.started or not node) and not self.renames:
            what = node or "a shell without a name"
            start = f"$ pyx --sname {node.partition('@')[0]}" if node else "$ pyx"
            hint = did_you_mean(node, self.started, otherwise=f"start it above: {start}")
            raise ParseError(column, f"{what} has not been started", hint=hint)

    # ------------------------------------------------------------ commands

    def _command(self, first: int) -> int:
        line = self._at(first)
        if not line.startswith("$ "):
            raise ParseError(1, "a command is missing after $", hint="$ pyx --sname X")
        step = parse_shell_line(line, first + 1, self.hosts)
        below = first + 1
        match step:
            case Start(node=node):
                self.started.add(node)
                if below < self._region.end and _BANNER.fullmatch(self._at(below)):
                    below += 1  # an interactive shell prints its banner, a replayed one does not
                end = below if self._is_prose(below) else self._block_end(below, first)
                self.steps.append(replace(step, block=self._block(below, end, first)))
                return end
            case Signal(node=node) | Stop(node=node):
                self._check_started(node, len(line) - len(line.split()[-1]) + 1)
            case Partition(sides=sides):
                for node in itertools.chain(*sides):
                    self._check_started(node, 3)
            case Write():
                step, below = self._with_text(step, first)
            case _:
                pass
        self.steps.append(step)
        return self._no_output(below, first)

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
        """Below a command a block only begins where there is no prose."""
        return index < self._region.end and self._at(index).startswith("#")

    def _no_output(self, index: int, step: int) -> int:
        if not self._is_prose(index) and self._block_end(index, step) != index:
            raise ParseError(1, "this command has no output", offset=index - step)
        return index
