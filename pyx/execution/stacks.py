"""The innermost frame of each thread of this OS process, taken without the deadlock of CPython issue 106883.

`sys._current_frames` holds a lock of the interpreter while it makes frame objects.  In Python 3.11 making one
may begin a garbage collection, whose finalizers let other threads run: one that starts or ends a thread waits
for that lock with the GIL held, and the OS process hangs for ever.
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
    """Returns the innermost frame of each other thread, by thread identifier.

    The calling thread is left out: its frame would hold the dict that holds it, and with it all other frames.
    """
    frames = _look()
    del frames[_thread.get_ident()]
    return frames


def _look() -> dict[int, FrameType]:
    look = sys._current_frames  # noqa: SLF001 - its documented use
    if not gc.isenabled():
        return look()
    # One instruction of the interpreter: between these three calls no other thread runs, no kill is raised.
    _, frames, _ = map(call, (gc.disable, look, gc.enable))
    assert frames is not None
    return frames
