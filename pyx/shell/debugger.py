"""`breakpoint()` in a shell: Python's debugger, which skips the frames of pyx.

In Python's own, `next` at the end of the user's code goes on inside pyx, and `where` begins with a dozen of
its frames.  Debugging ends with the evaluation (`evaluate.py`).
"""

from __future__ import annotations

import pdb  # noqa: T100 - this is the debugger's place
from typing import TYPE_CHECKING

from pyx.execution.tracebacks import is_ours

if TYPE_CHECKING:
    from types import FrameType, TracebackType


class Debugger(pdb.Pdb):
    """Python's debugger, without the lines and frames of pyx and the frames that started pyx."""

    def __init__(self) -> None:
        super().__init__(skip=["pyx", "pyx.*"])

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


def stop_in(frame: FrameType) -> None:
    """Starts debugging from *frame* on, as `pdb.set_trace` does."""
    Debugger().set_trace(frame)
