"""The questions of processes that met a breakpoint, asked at the terminal that shows their output.

A process asks by a call of this node (`runtime/breakpoints.py`), so the policy on calls decides for other
nodes.  What is typed at the prompt is the answer (`loop.py`); while an evaluation runs, and where there is no
prompt, lines are read from the terminal itself.  One process is debugged at a time; the others wait.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from pyx.errors import ReceiveTimeout
from pyx.primitives import make_ref, receive, self, send, spawn
from pyx.printable import filter_foreign
from pyx.process import Process
from pyx.runtime.local_node import this_node
from pyx.shell.interception import interception

if TYPE_CHECKING:
    from pyx.terms import Pid, Ref

ASK_SECONDS: Final = 60.0
"""How long a question waits for its answer; then the process goes on."""

_ANSWERS: Final = {"y", "yes", "n", "no", ""}
"""What is an answer to the question; any other input is the prompt's."""

_LONGEST_PLACE: Final = 100
"""Characters of a file and line that a question shows."""

_LOOK_SECONDS: Final = 0.1
"""How often a waiting question looks whether a prompt has come or gone, or a line was typed without one."""


class _Stop:
    """The process that stopped and is asked about or debugged, and the lines that were typed for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.frm: Pid | None = None
        self.is_entered = False
        self.lines: deque[str] = deque()
        self.waiter: tuple[Pid, Ref] | None = None

    def take(self, source: str) -> bool:
        """Takes an input of the prompt: any line while the debugger runs, else an answer to the question."""
        with self.lock:
            if self.frm is None or not (self.is_entered or source.strip().lower() in _ANSWERS):
                return False
            self.lines.append(source)
            waiter = self.waiter
        if waiter is not None:
            send(waiter[0], ("line", waiter[1]))
        return True

    def begin(self, frm: Pid) -> bool:
        with self.lock:
            if self.frm not in {None, frm}:
                return False
            self.frm, self.is_entered = frm, False
            self.lines.clear()
            interception.take = self.take
            return True

    def end(self, frm: Pid) -> None:
        with self.lock:
            if self.frm == frm:
                self.frm, self.is_entered, self.waiter = None, False, None
                interception.take = interception.prompt = None
        if interception.at_prompt:
            interception.redraw()


_stop = _Stop()


def ask(leader: Pid, frm: Pid, place: str) -> str:
    """Asks whether to enter process *frm*, which stopped at *place*; returns "enter", "go on", or why not."""
    if not _leads_a_terminal(leader):
        return "no terminal shows its output"
    if not (interception.has_prompt or interception.stdin is not None):
        return "its shell has no terminal"
    ended = Process.monitor(frm)
    deadline = time.monotonic() + ASK_SECONDS
    while not _stop.begin(frm):
        if _has_ended(ended, _LOOK_SECONDS) or time.monotonic() > deadline:
            return "another process is being debugged at its terminal"
    # The words of another node: one line of them, and made harmless for the terminal.
    where = filter_foreign(str(place)[:_LONGEST_PLACE]).replace("\n", " ")
    _tell(f"{frm} stopped at {where}, enter? [y/N]\n")
    line = _next_line(frm, ended, deadline)
    if line is not None and line.strip().lower() in {"y", "yes"}:
        _stop.is_entered = True
        spawn(_watch, frm)
        return "enter"
    _stop.end(frm)
    if line is None:
        _tell(f"{frm} goes on: no answer within {ASK_SECONDS:g} s\n")
    return "go on"


def read_line(leader: Pid, frm: Pid) -> str:
    """Returns the next line that is typed for the debugger of *frm*; "" if the debugger has been left."""
    del leader
    if _stop.frm != frm:
        return ""
    interception.settle()  # what the process has shown comes before the prompt
    interception.prompt = "(Pdb) "
    if interception.at_prompt:
        interception.redraw()
    elif interception.show is not None:
        interception.show("(Pdb) ")
    line = _next_line(frm, Process.monitor(frm), None)
    return "" if line is None or line == interception.END else f"{line}\n"


def left(leader: Pid, frm: Pid) -> None:
    """Gives the prompt back to the shell: the debugger of *frm* has been left."""
    del leader
    _stop.end(frm)


def _watch(frm: Pid) -> None:
    """Gives the prompt back to the shell if the debugged process ends before the debugger is left."""
    ended = Process.monitor(frm)
    while _stop.frm == frm:
        if _has_ended(ended, _LOOK_SECONDS):
            _stop.end(frm)


def _leads_a_terminal(leader: Pid) -> bool:
    with this_node().kernel_call as kernel:
        process = kernel.tables.find(leader)
        return process is not None and process.output is not None


def _next_line(frm: Pid, ended: Ref, deadline: float | None) -> str | None:
    """Returns the next line for *frm*; None after the deadline, or once the process has ended."""
    ref = make_ref()
    _stop.waiter = self(), ref
    try:
        while not _stop.lines:
            if deadline is not None and time.monotonic() > deadline:
                return None
            if _has_ended(ended, _LOOK_SECONDS):
                _stop.end(frm)
                return None
            _read_without_prompt()
        return _stop.lines.popleft()
    finally:
        _stop.waiter = None


def _has_ended(ended: Ref, seconds: float) -> bool:
    """Waits for a line or for the end of the process that is monitored by *ended*; True for the latter."""
    try:
        return bool(receive(("DOWN", ended, ..., ..., ...), ("line", ...), timeout=seconds)[0] == "DOWN")
    except ReceiveTimeout:
        return False


def _read_without_prompt() -> None:
    """Takes a line that was typed while no prompt is shown."""
    number = interception.stdin
    if number is None:
        return
    with interception.reading:
        if interception.at_prompt or not select.select([number], [], [], 0)[0]:
            return
        typed = os.read(number, 1 << 16)
    if interception.line_was_ended is not None:
        interception.line_was_ended()
    for line in typed.decode(errors="replace").splitlines() or [interception.END]:
        if not _stop.take(line):
            _tell("y enters the debugger, n lets the process go on\n")


def _tell(text: str) -> None:
    print(text, end="")  # noqa: T201 - at the leader's terminal
