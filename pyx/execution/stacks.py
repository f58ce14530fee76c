"""What every thread of this OS process is in the middle of.  Not here: which of the frames are the user's
(`tracebacks.py`).

`sys._current_frames` holds a lock of the interpreter while it makes frame objects.  In Python 3.11 making one
may begin a garbage collection there, whose callbacks let other threads run: if one of them starts or ends a
thread, it waits for that lock and keeps the GIL, and the whole process stands still for ever (CPython issue
106883).
"""

from __future__ import annotations

import _thread
import gc
import sys
from operator import call
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def current_frames() -> dict[int, FrameType]:
    """The innermost frame of each other thread, by its identifier.

    Not of the calling one: its frame would hold the dict that holds it, and with it all the others.
    """
    frames = _look()
    del frames[_thread.get_ident()]
    return frames


def _look() -> dict[int, FrameType]:
    look = sys._current_frames  # noqa: SLF001 - its documented use
    if not gc.isenabled():
        return look()
    # One step of the interpreter: no other thread runs between these three calls, and no kill strikes.
    _, frames, _ = map(call, (gc.disable, look, gc.enable))
    assert frames is not None
    return frames
