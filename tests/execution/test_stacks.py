"""stacks.py: Frames of other threads are read with garbage collection off, which is restored afterwards."""

from __future__ import annotations

import gc
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.execution.stacks import current_frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@pytest.fixture
def collecting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Records whether garbage collection was on at each read of the frames."""
    seen: list[bool] = []
    look = sys._current_frames

    def looks() -> dict[int, FrameType]:
        seen.append(gc.isenabled())
        return look()

    monkeypatch.setattr(sys, "_current_frames", looks)
    return seen


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    """Turns garbage collection on after each test."""
    yield
    gc.enable()


def test_frames_of_all_other_threads_are_returned(collecting: list[bool]) -> None:
    idents = [thread.ident for thread in threading.enumerate() if thread is not threading.current_thread()]
    assert set(idents) <= set(current_frames())
    assert len(collecting) == 1


def test_frame_of_the_caller_is_left_out(collecting: list[bool]) -> None:
    assert threading.get_ident() not in current_frames()


def test_garbage_collection_is_off_while_frames_are_read(collecting: list[bool]) -> None:
    current_frames()
    assert collecting == [False]
    assert gc.isenabled()


def test_disabled_garbage_collection_stays_disabled(collecting: list[bool]) -> None:
    gc.disable()
    current_frames()
    assert collecting == [False]
    assert not gc.isenabled()
