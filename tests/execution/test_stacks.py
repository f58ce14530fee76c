"""stacks.py: Frames of other threads are read with garbage collection off, which is restored afterwards.

In Python 3.11 a frame that is made while its thread goes on ends the OS process by SIGSEGV.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import sys
import threading
import types
from operator import call
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution.private_loops import cancel_tasks_of
from pyx.execution.stacks import callers, current_frames, frame_of, locals_of, undisturbed
from pyx.execution.user_code import PYX
from tests.local_nodes import HANG, until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator
    from types import FrameType


@pytest.fixture
def collecting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Records whether garbage collection was on at each read of the frames."""
    seen: list[bool] = []
    look, this = sys._current_frames, threading.current_thread()

    def looks() -> dict[int, FrameType]:
        if threading.current_thread() is this:  # a node of an earlier test may look for killed threads
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
    threads = [EndsWhenCollected() for _ in range(3)]
    assert {thread.ident for thread in threads} <= set(current_frames())
    assert len(collecting) == 1
    for thread in threads:
        thread.end("start", None)


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


# ---------------------------------------------------------------- the collector, in and after an instruction


def test_steps_run_without_collections_and_the_collector_is_restored() -> None:
    assert undisturbed(map(call, (gc.isenabled, gc.isenabled))) == [False, False]
    assert gc.isenabled()
    gc.disable()
    assert undisturbed(map(call, (gc.isenabled, gc.isenabled))) == [False, False]
    assert not gc.isenabled()


def test_collector_is_off_between_no_two_instructions() -> None:
    """Another thread that entered the kernel there would find it off, and leave it so."""
    seen: list[bool] = []

    def trace(frame: FrameType, *_: object) -> Any:
        frame.f_trace_opcodes = True
        seen.append(gc.isenabled())
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        undisturbed(map(call, (gc.isenabled,)))
    finally:
        sys.settrace(before)
    assert set(seen) == {True}


class FakeFrame:
    """A frame that notes whether garbage collection was on when another frame was asked for."""

    def __init__(self, back: FakeFrame | None, collecting: list[bool]) -> None:
        self._back = back
        self._collecting = collecting

    @property
    def f_back(self) -> FakeFrame | None:
        self._collecting.append(gc.isenabled())
        return self._back

    @property
    def f_locals(self) -> dict[str, int]:
        self._collecting.append(gc.isenabled())
        return {"local": 1}


def test_callers_and_locals_are_read_without_collections() -> None:
    collecting: list[bool] = []
    below = FakeFrame(None, collecting)
    above: Any = FakeFrame(below, collecting)
    assert callers(above) == [above, below]
    assert locals_of(above) == {"local": 1}
    assert collecting == [False] * 3
    assert callers(None) == []


def test_frames_of_coroutines_and_generators_are_read_until_their_end() -> None:
    async def coroutine() -> None:
        pass

    def generator() -> Generator[int]:
        yield 1

    made: list[Coroutine[Any, Any, None] | Generator[int]] = [coroutine(), generator()]
    for one in made:
        frame = frame_of(one)
        assert frame is not None
        assert frame.f_code.co_name == one.__name__  # type: ignore[union-attr] # both have one
        one.close()
        assert frame_of(one) is None


def test_frame_of_a_compiled_coroutine_is_what_it_says() -> None:
    class Compiled:
        cr_frame = FakeFrame(None, [])

    compiled: Any = Compiled()
    assert frame_of(compiled) is compiled.cr_frame
    assert frame_of(object()) is None


# ---------------------------------------------------------------- threads that go on meanwhile


class EndsWhenCollected:
    """A thread in `inner`, which `outer` has called; a garbage collection waits until it has ended."""

    def __init__(self) -> None:
        self._stays = threading.Lock()
        self._stays.acquire()
        self._thread = threading.Thread(target=self.outer)
        self._thread.start()

    def outer(self) -> None:
        self.inner()

    def inner(self) -> None:
        self._stays.acquire(timeout=HANG)

    @property
    def ident(self) -> int:
        return self._thread.ident or 0

    def innermost_frame(self) -> FrameType:
        """Returns the frame of `inner`; those below it are not made yet."""
        ident = self.ident
        until(lambda: current_frames()[ident].f_code is type(self).inner.__code__)
        return current_frames()[ident]

    def end(self, phase: str, _: object) -> None:
        if phase == "start" and self._thread.is_alive():
            self._stays.release()
            self._thread.join(HANG)

    def is_looked_at(self, look: Callable[[FrameType], object]) -> object:
        """Returns what *look* finds while each allocation begins a collection; the thread has ended then."""
        frame = self.innermost_frame()
        before = gc.get_threshold()
        gc.callbacks.append(self.end)
        gc.set_threshold(1)
        try:
            return look(frame)
        finally:
            gc.callbacks.remove(self.end)
            gc.set_threshold(*before)
            self.end("start", None)


def names(frame: FrameType) -> list[str]:
    return [one.f_code.co_name for one in callers(frame)][:3]


def test_stack_of_a_thread_that_ends_in_a_collection_is_the_one_it_had() -> None:
    assert EndsWhenCollected().is_looked_at(names) == ["inner", "outer", "run"]


def test_thread_that_ends_in_a_collection_has_no_tasks() -> None:
    assert EndsWhenCollected().is_looked_at(cancel_tasks_of) is False


def test_coroutine_that_ends_in_a_collection_shows_no_freed_variable() -> None:
    async def ends() -> None:
        variable = [1, 2]  # noqa: F841 - freed at the end
        await passes()

    @types.coroutine
    def passes() -> Generator[None, None, None]:
        yield

    def end(phase: str, _: object) -> None:
        if phase == "start" and frame_of(coroutine) is not None:
            with contextlib.suppress(StopIteration):
                coroutine.send(None)

    coroutine = ends()
    coroutine.send(None)
    before = gc.get_threshold()
    gc.callbacks.append(end)
    gc.set_threshold(1)
    try:
        frame = frame_of(coroutine)
    finally:
        gc.callbacks.remove(end)
        gc.set_threshold(*before)
    assert frame is None or frame.f_locals["variable"] == [1, 2]
    coroutine.close()


# ---------------------------------------------------------------- the rest of the code

OWN_FRAMES = {"execution/debugger.py", "execution/interrupts.py", "execution/thread_kill.py"}
"""These also go through the frames of the calling thread, which it cannot leave meanwhile."""

MAKERS = {
    *("f_back", "f_locals", "cr_frame", "gi_frame", "ag_frame", "_current_frames"),
    *("walk_stack", "extract_stack", "format_stack"),  # of `traceback`, which follow `f_back`
}
"""The attributes whose value is a frame, or needs one that is still there, and functions that read them."""


def test_no_other_file_reads_what_makes_frames() -> None:
    readers = {
        path.relative_to(PYX).as_posix()
        for path in Path(PYX).rglob("*.py")
        for part in ast.walk(ast.parse(path.read_text()))
        if isinstance(part, ast.Attribute) and part.attr in MAKERS
    }
    assert readers - {"execution/stacks.py"} <= OWN_FRAMES
