"""Ctrl-C for an input that a runner has typed, when a person would press it: once that input rests."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from pyx.execution.interrupts import interrupt_main_thread
from pyx.execution.stacks import current_frames

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGINNING_SECONDS: Final = 1.0
"""So long an input that computes may go on before it is interrupted."""
_LOOK_AGAIN_SECONDS: Final = 0.05


def interrupt_at_rest(is_busy: Callable[[], bool]) -> None:
    """Sends SIGINT to the main thread once that stands still in user code, or has computed for a moment.

    Args:
        is_busy: returns False when there is nothing to interrupt any more; then nothing is sent.
    """
    deadline = time.monotonic() + _BEGINNING_SECONDS
    last: list[tuple[int, int]] = []
    while is_busy() and time.monotonic() < deadline:
        place = _place_of_main_thread()
        if place and place == last:
            break
        last = place
        time.sleep(_LOOK_AGAIN_SECONDS)
    if is_busy():
        interrupt_main_thread()


def _place_of_main_thread() -> list[tuple[int, int]]:
    """The frames of the main thread, with the instruction at which each is; none outside user code."""
    main_thread = threading.main_thread().ident
    frame = current_frames().get(main_thread) if main_thread is not None else None
    place: list[tuple[int, int]] = []
    is_inside = False
    while frame is not None:
        place.append((id(frame), frame.f_lasti))
        # An `await` at the prompt runs on the process loop, and this thread waits for it.
        is_inside |= frame.f_code.co_filename.startswith("<pyx") or frame.f_code.co_name == "run_coroutine"
        frame = frame.f_back
    return place if is_inside else []
