"""stacks.py: Threads are looked at while nothing is collected, and everything is as it was afterwards."""

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
    """Whether garbage could be collected at each look."""
    seen: list[bool] = []
    look = sys._current_frames

    def looks() -> dict[int, FrameType]:
        seen.append(gc.isenabled())
        return look()

    monkeypatch.setattr(sys, "_current_frames", looks)
    return seen


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    """Garbage is collected after a test, whatever that has left."""
    yield
    gc.enable()


def test_each_other_thread_has_a_frame(collecting: list[bool]) -> None:
    idents = [thread.ident for thread in threading.enumerate() if thread is not threading.current_thread()]
    assert set(idents) <= set(current_frames())
    assert len(collecting) == 1


def test_the_frame_of_the_caller_is_not_kept_by_itself(collecting: list[bool]) -> None:
    assert threading.get_ident() not in current_frames()


def test_nothing_is_collected_meanwhile(collecting: list[bool]) -> None:
    current_frames()
    assert collecting == [False]
    assert gc.isenabled()


def test_who_collects_nothing_goes_on_so(collecting: list[bool]) -> None:
    gc.disable()
    current_frames()
    assert collecting == [False]
    assert not gc.isenabled()
