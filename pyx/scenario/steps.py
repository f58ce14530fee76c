"""The steps of a scenario, one class for each kind; `transcript.py` reads them, `player.py` plays them.

Line numbers count from 1 and are those of the file, inside Markdown too.  `written` are a step's own lines as
they stand in the file, prompts and all, for reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

TIMEOUT_SECONDS: Final = 5.0
"""The time-out of each step, until a `$ timeout` changes it."""


@dataclass(frozen=True, slots=True)
class Block:
    """The expected output below a step, as written: `lines[0]` is line `first` of the file."""

    first: int = 0
    """0 where the step cannot have a block."""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directives:
    """What the comment at the end of an input asks for.

    `eventually`: seconds, 0 for the usual time-out, None for a single evaluation.
    """

    eventually: float | None = None
    unordered: bool = False
    blocks: bool = False
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """Code typed at a prompt.  `node` is the full name in the prompt, "" for a shell without one.

    `code` is without its directive; it is empty for an empty prompt.  `attached` is the node that the prompt
    is a remote shell on, "" for the node's own prompt.
    """

    line: int
    node: str
    code: str
    directives: Directives
    block: Block
    written: tuple[str, ...]
    attached: str = ""

    @property
    def is_empty_prompt(self) -> bool:
        """True where no code runs, and the lines below must eventually be on the screen."""
        return not self.code


@dataclass(frozen=True, slots=True)
class Start:
    """`$ pyx --sname X [options]`.  `node` is its full name, "" without one; `options` are the others.

    `shell` is `"pyx"`, or `"iex"` for an Elixir node, whose prompts begin with that word.
    """

    line: int
    node: str
    options: tuple[str, ...]
    written: tuple[str, ...]
    block: Block = Block()
    shell: str = "pyx"


@dataclass(frozen=True, slots=True)
class SendSignal:
    """`$ kill -9 X`, `$ kill -STOP X`, `$ kill -CONT X`, `$ kill -INT X` (a Ctrl-C for what runs there).

    `node` is "" where `$ kill -INT` is for a shell without a name; `name` is `"KILL"`, `"STOP"`, `"CONT"` or
    `"INT"`.
    """

    line: int
    node: str
    name: str
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """`$ stop X`: the node leaves cleanly, as by SIGTERM."""

    line: int
    node: str
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """`$ partition A ... | B ...`: nothing passes between the two sides, either way."""

    line: int
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heal:
    """`$ heal`: every partition ends."""

    line: int
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """`$ cat > FILE <<END`: a file in the scenario's own directory.  `text` ends before the line `end`."""

    line: int
    file: str
    end: str
    written: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Timeout:
    """`$ timeout 10s`: the time-out of each step from here on."""

    line: int
    seconds: float
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """`$ type TEXT`: a line that `input()` reads in the next input."""

    line: int
    text: str
    written: tuple[str, ...]


Command: TypeAlias = Start | SendSignal | Stop | Partition | Heal | Write | Timeout | Type
Step: TypeAlias = Input | Command


@dataclass(frozen=True, slots=True)
class TranscriptSession:
    """Steps that share their nodes: a whole `.pyxt` file, or the fences of one section of a Markdown file."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """The sessions of a file, and its text, with its own line ends and byte order mark, for `--update`."""

    path: str
    text: str
    sessions: tuple[TranscriptSession, ...]
    skipped: int = 0
    """The number of blocks of a Markdown file that hold a prompt and are not played."""
