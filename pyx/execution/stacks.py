"""The frames of other threads, read in one instruction of the interpreter, with garbage collection off.

A frame object is made when it is first asked for.  In Python 3.11 that may begin a garbage collection, whose
finalizers let other threads run.  Then the thread that is looked at may return from the very function whose
frame is being made: the new object stands for memory that is used for another function by now, or not at all,
and the OS process ends by SIGSEGV.  `sys._current_frames` moreover holds a lock of the interpreter meanwhile,
for which a thread that starts or ends waits with the GIL held, for ever (CPython issue 106883).

So what makes frames of another thread (`f_back`, `f_locals`, `cr_frame`) is read here, by C code alone: no
other thread, signal handler or finalizer runs in between.  The other attributes of a frame are safe to read,
and so are all of a frame of the calling thread, which cannot return from it meanwhile.
"""

from __future__ import annotations

import _thread
import gc
import sys
from functools import partial
from itertools import accumulate, chain, compress, repeat, takewhile, tee
from operator import call, is_not
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType

_FRAMES: Final[dict[type, str]] = {CoroutineType: "cr_frame", GeneratorType: "gi_frame"}

_is_there: Final = partial(is_not, None)


def undisturbed(steps: Iterable[Any]) -> list[Any]:
    """Returns what *steps*, iterators of C alone, yield: in one instruction, without a garbage collection.

    The collector is left as it was in that instruction too: other threads switch it off and on
    (`runtime/dispatch.py`), so that to look, and to restore a moment later, would undo what they did.
    """
    was_on, once_more = tee(map(call, (gc.isenabled,)))
    on = map(call, compress((gc.enable,), once_more))
    done = list(chain(was_on, map(call, (gc.disable,)), steps, on))
    return done[2:-1] if done[0] else done[2:]


def current_frames() -> dict[int, FrameType]:
    """Returns the innermost frame of each other thread, by thread identifier.

    The calling thread is left out: its frame would hold the dict that holds it, and with it all other frames.
    """
    frames: dict[int, FrameType]
    (frames,) = undisturbed(map(call, (sys._current_frames,)))  # noqa: SLF001 - its documented use
    del frames[_thread.get_ident()]
    return frames


def callers(frame: FrameType | None) -> list[FrameType]:
    """Returns *frame*, of any thread, and the frames below it, which called it; the innermost first."""
    if frame is None:
        return []
    return undisturbed(takewhile(_is_there, accumulate(repeat("f_back"), getattr, initial=frame)))


def locals_of(frame: FrameType) -> Mapping[str, Any]:
    """Returns the local variables of a frame of any thread, for functions that bind each variable once.

    Up to Python 3.12 a second look lets go of the values that only the first one has kept, so that their
    finalizers would run.
    """
    found: Mapping[str, Any]
    (found,) = undisturbed(map(getattr, (frame,), ("f_locals",)))
    return found


def frame_of(awaited: object) -> FrameType | None:
    """Returns the frame of a coroutine or generator, which another thread may run; None at its end."""
    name = _FRAMES.get(type(awaited))
    if name is None:  # compiled: its frame is an object of its own
        return getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
    frame: FrameType | None
    (frame,) = undisturbed(map(getattr, (awaited,), (name,)))
    return frame
