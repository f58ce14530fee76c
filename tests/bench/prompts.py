"""A command in a pseudo-terminal: the time until it shows its first prompt, and its memory then."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.bench.children import ChildFailed, prepared
from tests.bench.programs.sampling import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tests.bench.programs.sampling import Sample

PATIENCE_SECONDS: Final = 60.0
_SETTLE_SECONDS: Final = 0.4
"""What a shell does after its first prompt is done by then."""
_ESCAPES: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78])")


class Prompted(NamedTuple):
    """A command that has shown its prompt."""

    pid: int
    milliseconds: float
    """From before fork to the prompt."""


@contextlib.contextmanager
def first_prompt(
    argv: Sequence[str], prompt: re.Pattern[bytes], environment: Mapping[str, str], cores: AbstractSet[int]
) -> Iterator[Prompted]:
    """Starts *argv* in a new pseudo-terminal, shows *prompt* before the block, and ends after it."""
    ours, theirs = pty.openpty()
    began = time.perf_counter()
    command = subprocess.Popen(
        argv,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=environment["HOME"],
        start_new_session=True,
        preexec_fn=prepared(cores, 60),  # noqa: PLW1509 - this process has one thread
    )
    os.close(theirs)
    try:
        await_prompt(ours, prompt)
        yield Prompted(command.pid, (time.perf_counter() - began) * 1e3)
    finally:
        os.close(ours)
        command.send_signal(signal.SIGKILL)
        command.wait()


def await_prompt(terminal: int, prompt: re.Pattern[bytes]) -> None:
    """Reads until *prompt* was shown, colours and cursor movements apart."""
    shown = b""
    while not prompt.search(_ESCAPES.sub(b"", shown)):
        ready, _, _ = select.select([terminal], [], [], PATIENCE_SECONDS)
        try:
            data = os.read(terminal, 65536) if ready else b""
        except OSError:  # the terminal was closed: the command has ended
            data = b""
        if not data:
            raise ChildFailed(f"no prompt came: {shown[-300:]!r}")
        shown += data


def memory(case: str, pid: int) -> dict[str, Sample]:
    """The resident memory of a process that has settled, in MB (10^6 bytes); nothing where it is unknown."""
    time.sleep(_SETTLE_SECONDS)
    found = resident_bytes(pid)
    return {} if found is None else {case: {"value": found / 1e6}}
