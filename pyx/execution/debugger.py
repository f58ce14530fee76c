"""Python's debugger, without the frames of pyx: in a shell; and in a process, used from a shell of any node.

In Python's own debugger, `next` at the end of the user's code goes on inside pyx, and `where` begins with a
dozen frames of pyx.  Debugging in a shell ends with the evaluation (`shell/evaluate.py`).
`runtime/breakpoints.py` decides which of the two runs.
"""

from __future__ import annotations

import pdb  # noqa: T100 - this is the debugger's place
import sys
from typing import TYPE_CHECKING, Any, Protocol

from pyx.execution.tracebacks import is_ours

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import FrameType, TracebackType


class Debugger(pdb.Pdb):
    """Python's debugger, without the lines and frames of pyx and the frames that started pyx.

    The handler of Ctrl-C stays: Python's own debugger sets another one at `c`, which later inputs would keep.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(skip=["pyx", "pyx.*"], nosigint=True, **options)

    def get_stack(
        self, f: FrameType | None, t: TracebackType | None
    ) -> tuple[list[tuple[FrameType, int]], int]:
        """See `bdb.Bdb`."""
        stack, index = super().get_stack(f, t)
        ours = [is_ours(frame.f_code.co_filename) for frame, _ in stack]
        start = ours.index(True) if True in ours else 0
        shown = [place for place in range(start, len(stack)) if not ours[place]]
        if index not in shown:
            return stack, index
        return [stack[place] for place in shown], shown.index(index)

    def user_exception(
        self,
        frame: FrameType,
        exc_info: tuple[type[BaseException], BaseException, TracebackType],
    ) -> None:
        """See `bdb.Bdb`, which calls this at the end of a coroutine of a skipped module, too."""
        if not is_ours(frame.f_code.co_filename):
            super().user_exception(frame, exc_info)


class FarTerminal(Protocol):
    """The terminal of a process's debugger, which may be another node's."""

    def readline(self) -> str:
        """Returns a line with its end; "" where no more come."""

    def write(self, text: str) -> int:
        """Shows text."""

    def flush(self) -> None:
        """Shows text without a line end, too, if it can."""

    def printing(self) -> AbstractContextManager[None]:
        """Returns a context in which `print` of the process writes to this terminal."""

    def left(self) -> None:
        """Says that the debugger has been left."""


class ProcessDebugger(Debugger):
    """The debugger of a process: its terminal is that of the shell which leads the process.

    Leaving it (`c`, `q`, the end of the lines) lets the process go on, as a look from another node never ends
    a process.  The debugger ends with the process's code, too.
    """

    def __init__(self, terminal: FarTerminal) -> None:
        self._terminal = terminal
        self._bottom: FrameType | None = None
        super().__init__(stdin=terminal, stdout=terminal, readrc=False)
        self.prompt = ""  # the terminal shows one

    def set_trace(self, frame: FrameType | None = None, **options: Any) -> None:
        """See `bdb.Bdb`."""
        self._bottom = stopped = frame
        while frame is not None and frame.f_back is not None:
            frame = frame.f_back
            if is_ours(frame.f_code.co_filename):
                break
            self._bottom = frame
        super().set_trace(stopped, **options)

    def trace_dispatch(self, frame: FrameType, event: str, arg: Any) -> Any:
        """See `bdb.Bdb`; the thread runs other processes after this one."""
        following = super().trace_dispatch(frame, event, arg)
        if event == "return" and frame is self._bottom:
            self._leave()
            return None
        return following

    def do_continue(self, arg: str) -> bool | None:
        """See `pdb.Pdb`."""
        is_over = super().do_continue(arg)
        if not self.breaks:
            self._leave()
        return is_over

    do_c = do_cont = do_continue

    def do_quit(self, arg: str) -> bool | None:
        """Leaves the debugger; the process goes on."""
        self.clear_all_breaks()
        return self.do_continue(arg)

    do_q = do_exit = do_EOF = do_quit  # noqa: N815 - pdb's names

    def do_interact(self, arg: str) -> None:
        """Refuses `interact`, whose lines would come from this node's terminal."""
        del arg
        self.message("no interact here: write ! before a statement")

    def default(self, line: str) -> None:
        """See `pdb.Pdb`, which replaces the streams of the whole program while it runs a statement."""
        mine = self.stdout
        with self._terminal.printing():
            self.stdout = sys.stdout
            try:
                super().default(line)
            finally:
                self.stdout = mine

    def _leave(self) -> None:
        sys.settrace(None)
        if self._bottom is not None:
            self._bottom = None
            self._terminal.left()
