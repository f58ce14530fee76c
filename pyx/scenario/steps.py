"""What a transcript asks for, as values: one class a kind of step.  Not here: how text becomes these
(`transcript.py`) and what they do (`player.py`).

Line numbers count from 1 and are those of the file, inside Markdown too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Block:
    """The lines below a step, as written: `lines[0]` is line `first` of the file (if there is any)."""

    first: int
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
    """Something typed at a prompt.  `node` is the full name in the prompt, "" for a shell without one.

    `code` has no directive any more; it is empty where somebody just pressed Enter to look.
    """

    line: int
    node: str
    code: str
    directives: Directives
    block: Block
    shown: tuple[str, ...]
    """The lines as written, prompts and all, for reports."""

    @property
    def looks(self) -> bool:
        """True for an empty prompt: nothing runs, the lines below must eventually be there."""
        return not self.code


@dataclass(frozen=True, slots=True)
class Start:
    """`$ pyx --sname X [options]`.  `node` is the full name it will have, "" without one."""

    line: int
    node: str
    options: tuple[str, ...]
    block: Block
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """`$ kill -9 X`, `$ kill -STOP X`, `$ kill -CONT X`, `$ kill -INT X` (a Ctrl-C for what runs there)."""

    line: int
    node: str
    name: str
    """`"KILL"`, `"STOP"`, `"CONT"` or `"INT"`."""
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """`$ stop X`: the node leaves cleanly, as by SIGTERM."""

    line: int
    node: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """`$ partition A ... | B ...`: nothing passes between the two sides, either way."""

    line: int
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heal:
    """`$ heal`: every partition ends."""

    line: int
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """`$ cat > FILE <<END`: a file in the scenario's own directory."""

    line: int
    file: str
    text: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timeout:
    """`$ timeout 10s`: from here on a step may take so long."""

    line: int
    seconds: float
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """`$ type TEXT`: a line that the next input finds typed, for `input()`."""

    line: int
    text: str
    shown: tuple[str, ...]


Step: TypeAlias = Input | Start | Signal | Stop | Partition | Heal | Write | Timeout | Type


@dataclass(frozen=True, slots=True)
class TranscriptSession:
    """Steps that share their nodes: a whole `.pyxt` file, or the fences of one section of a Markdown file."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A file read: its sessions, and its text, with its own line ends and mark, for what rewrites it."""

    path: str
    text: str
    sessions: tuple[TranscriptSession, ...]
    skipped: int = 0
    """How many blocks of a Markdown file hold a prompt and are not played."""
