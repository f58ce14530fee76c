"""thread_kill.py: A killed thread ends at once in user code, after the return in a library, and though it
resists.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import ProcessKilled
from pyx.execution import thread_kill
from pyx.execution.gate import Gate
from pyx.execution.stacks import current_frames
from pyx.execution.thread_kill import kill_thread
from pyx.execution.thread_state import thread
from tests.local_nodes import HANG, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Victim:
    """A thread that runs *body* behind a gate, as a `def` process does."""

    def __init__(self, body: Callable[[Victim], object]) -> None:
        self.gate = Gate()
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.error: BaseException | None = None
        self.traced_at_its_end: Any = None
        self._thread = threading.Thread(target=self._run, args=(body,))
        self._thread.start()
        wait_for(self.begun)

    def _run(self, body: Callable[[Victim], object]) -> None:
        raised = run_behind_the_gate(self, body)
        thread_kill.stop_tracing()
        self.traced_at_its_end = sys.gettrace()
        self.error = raised

    def kill_once(self) -> bool:
        """Tries to kill the thread once, as `kill_retry.py` does; returns whether it was raised."""
        self.gate.closed = True
        ident = self.gate.thread_ident
        frame = current_frames().get(ident) if ident is not None else None
        return frame is not None and kill_thread(self.gate, frame, self.gate.told)

    def ends(self) -> BaseException | None:
        """Returns the exception that ended the thread."""
        self._thread.join(HANG)
        assert not self._thread.is_alive()
        return self.error


# Compiled as pyx's own code, which `run_process` is: ProcessKilled is never raised in it.
namespace: dict[str, Any] = {}
exec(
    compile(
        """
def run_behind_the_gate(victim, body):
    error = None
    try:
        try:
            victim.gate.begin()
            body(victim)
        except BaseException as raised:
            error = raised
        victim.gate.end()
        if victim.gate.closed:
            receive_what_is_due()
    except ProcessKilled as raised:
        error = raised
    return error
""",
        thread_kill.__file__,
        "exec",
    ),
    {"receive_what_is_due": thread_kill.receive_what_is_due, "ProcessKilled": ProcessKilled},
    namespace,
)
run_behind_the_gate = namespace["run_behind_the_gate"]

exec(
    compile(
        """
def wait_in_a_library(event, raises):
    event.wait()
    if raises:
        raise ZeroDivisionError
""",
        queue.__file__,
        "exec",
    ),
    namespace,
)
wait_in_a_library = namespace["wait_in_a_library"]


@pytest.fixture
def victims() -> Iterator[list[Victim]]:
    made: list[Victim] = []
    yield made
    for victim in made:
        victim.go_on.set()
        victim.ends()


def spins(victim: Victim) -> None:
    victim.begun.set()
    while True:
        pass


class TestUserCode:
    def test_kill_in_user_code_raises_at_once(self) -> None:
        victim = Victim(spins)
        until(victim.kill_once)
        assert isinstance(victim.ends(), ProcessKilled)
        assert victim.gate.told == 1

    def test_kill_inside_a_kernel_call_does_not_raise(self) -> None:
        """A finalizer of the user may run there."""

        def inside(victim: Victim) -> None:
            thread.state.inside = True
            victim.begun.set()
            while not victim.go_on.is_set():
                pass
            thread.state.inside = False

        victim = Victim(inside)
        for _ in range(100):
            assert not victim.kill_once()
        victim.go_on.set()
        assert victim.ends() is None

    def test_kill_that_has_raised_meanwhile_does_not_raise_again(self) -> None:
        victim = Victim(spins)
        victim.gate.closed = True
        victim.gate.told = 1
        frame = current_frames()[victim.gate.thread_ident or 0]
        assert not kill_thread(victim.gate, frame, 0)
        until(victim.kill_once)
        victim.ends()

    def test_kill_of_an_earlier_process_of_the_thread_does_not_raise(self) -> None:
        victim = Victim(spins)
        frame = current_frames()[victim.gate.thread_ident or 0]
        of_before = Gate()
        of_before.thread_ident, of_before.thread_state = victim.gate.thread_ident, victim.gate.thread_state
        of_before.closed = True
        for _ in range(100):
            assert not kill_thread(of_before, frame, 0)
        until(victim.kill_once)
        victim.ends()


def waits_in_a_queue(victim: Victim) -> None:
    waiting: queue.Queue[None] = queue.Queue()
    victim.waiting = waiting  # type: ignore[attr-defined]
    victim.begun.set()
    while True:
        with contextlib.suppress(queue.Empty):
            waiting.get(timeout=HANG)


class TestLibrary:
    def test_kill_in_a_library_raises_in_the_caller_after_the_return(self) -> None:
        victim = Victim(waits_in_a_queue)
        waiting: queue.Queue[None] = victim.waiting  # type: ignore[attr-defined]
        until(lambda: bool(waiting.not_empty._waiters))  # type: ignore[attr-defined]
        assert not victim.kill_once()
        waiting.put(None)
        assert isinstance(victim.ends(), ProcessKilled)
        assert not waiting.mutex.locked()
        assert victim.gate.told == 1

    def test_repeated_kills_in_a_library_raise_once_in_the_caller(self) -> None:
        victim = Victim(waits_in_a_queue)
        waiting: queue.Queue[None] = victim.waiting  # type: ignore[attr-defined]
        until(lambda: bool(waiting.not_empty._waiters))  # type: ignore[attr-defined]
        for _ in range(10):
            assert not victim.kill_once()
        waiting.put(None)
        victim.ends()
        assert victim.gate.told == 1

    def test_kill_in_a_library_call_that_never_returns_never_raises(self, victims: list[Victim]) -> None:
        def waits(victim: Victim) -> None:
            victim.begun.set()
            victim.go_on.wait()

        victims.append(victim := Victim(waits))
        until(lambda: bool(victim.go_on._cond._waiters))  # type: ignore[attr-defined]
        for _ in range(10):
            assert not victim.kill_once()
        assert victim.error is None

    @pytest.mark.parametrize("traces_all", [False, True])
    def test_tracer_is_set_aside_until_the_killed_process_has_ended(self, traces_all: bool) -> None:
        """It may be that of a debugger or a coverage tool."""

        def tracer(*_: object) -> Any:
            return tracer if traces_all else None

        def waits(victim: Victim) -> None:
            sys.settrace(tracer)
            victim.begun.set()
            while True:
                victim.go_on.wait()

        victim = Victim(waits)
        until(lambda: bool(victim.go_on._cond._waiters))  # type: ignore[attr-defined]
        assert not victim.kill_once()
        victim.go_on.set()
        assert isinstance(victim.ends(), ProcessKilled)
        assert victim.traced_at_its_end is tracer

    def test_thread_is_not_traced_after_the_killed_process_has_ended(self) -> None:
        def waits(victim: Victim) -> None:
            victim.begun.set()
            victim.go_on.wait()

        victim = Victim(waits)
        until(lambda: bool(victim.go_on._cond._waiters))  # type: ignore[attr-defined]
        victim.kill_once()
        victim.go_on.set()
        victim.ends()
        assert victim.traced_at_its_end is None


class TestCleanupBlock:
    """`with` and `finally` clean up, even if the call was the last line of their block."""

    @pytest.fixture
    def lock(self) -> threading.Lock:
        return threading.Lock()

    @pytest.mark.parametrize("raises", [False, True])
    @pytest.mark.parametrize("shape", ["with", "with return", "finally", "finally return", "in a callee"])
    def test_cleanup_block_around_a_library_call_runs_to_its_end(
        self, lock: threading.Lock, shape: str, raises: bool
    ) -> None:
        def with_block(ask: Callable[[], None]) -> None:
            with lock:
                ask()

        def with_block_returning(ask: Callable[[], None]) -> None:
            with lock:
                return ask()

        def finally_block(ask: Callable[[], None]) -> None:
            lock.acquire()
            try:
                ask()
            finally:
                lock.release()

        def finally_block_returning(ask: Callable[[], None]) -> None:
            lock.acquire()
            try:
                return ask()
            finally:
                lock.release()

        def block_around_a_callee(ask: Callable[[], None]) -> None:
            with_block(lambda: ask())

        shapes = {
            "with": with_block,
            "with return": with_block_returning,
            "finally": finally_block,
            "finally return": finally_block_returning,
            "in a callee": block_around_a_callee,
        }

        def asks(victim: Victim) -> None:
            ask = functools.partial(wait_in_a_library, victim.go_on, raises)
            victim.begun.set()
            while True:
                with contextlib.suppress(ZeroDivisionError):
                    shapes[shape](ask)

        victim = Victim(asks)
        until(lambda: bool(victim.go_on._cond._waiters))  # type: ignore[attr-defined]
        assert not victim.kill_once()
        victim.go_on.set()
        assert isinstance(victim.ends(), ProcessKilled)
        assert not lock.locked()
        assert victim.gate.told == 1

    def test_context_manager_left_by_a_library_call_is_closed(self) -> None:
        class Thing:
            closed = 0

            def close(self) -> None:
                self.closed += 1

        thing = Thing()
        rounds: list[str] = []

        def closes(victim: Victim) -> None:
            victim.begun.set()
            while True:
                rounds.append("begun")
                with contextlib.closing(thing):
                    victim.go_on.wait()

        victim = Victim(closes)
        until(lambda: bool(victim.go_on._cond._waiters))  # type: ignore[attr-defined]
        assert not victim.kill_once()
        victim.go_on.set()
        assert isinstance(victim.ends(), ProcessKilled)
        assert thing.closed == len(rounds)

    @pytest.mark.skipif(sys.version_info[:2] == (3, 12), reason="raises at lines alone, and later, there")
    def test_finally_block_around_a_swallowed_kill_runs_to_its_end(self, lock: threading.Lock) -> None:
        def resists(victim: Victim) -> None:
            while True:
                lock.acquire()
                try:
                    try:
                        victim.begun.set()
                        while True:
                            pass
                    except:  # noqa: E722 - the classic of service loops
                        pass
                finally:
                    lock.release()

        victim = Victim(resists)
        until(victim.kill_once)
        assert isinstance(victim.ends(), ProcessKilled)
        assert not lock.locked()


class TestSwallowedKill:
    def test_kill_swallowed_by_a_bare_except_is_raised_again(self) -> None:
        def resists(victim: Victim) -> None:
            victim.begun.set()
            while True:
                try:
                    sum(range(100))
                except:  # noqa: E722 - the classic of service loops
                    pass

        victim = Victim(resists)
        until(victim.kill_once)
        assert isinstance(victim.ends(), ProcessKilled)

    def test_kill_swallowed_by_nested_loops_is_raised_again(self) -> None:
        def resists(victim: Victim) -> None:
            victim.begun.set()
            while True:
                with contextlib.suppress(BaseException):
                    while True:
                        with contextlib.suppress(BaseException):
                            while True:
                                pass

        victim = Victim(resists)
        until(victim.kill_once)
        assert isinstance(victim.ends(), ProcessKilled)

    def test_kill_swallowed_by_a_finalizer_is_raised_again(self) -> None:
        class Finalized:
            def __del__(self) -> None:
                sum(range(1000))

        def resists(victim: Victim) -> None:
            victim.begun.set()
            while True:
                Finalized()

        unraisable: list[Any] = []
        before = sys.unraisablehook
        sys.unraisablehook = lambda what: unraisable.append(what.exc_type.__name__)
        try:
            victim = Victim(resists)
            until(victim.kill_once)
            assert isinstance(victim.ends(), ProcessKilled)
        finally:
            sys.unraisablehook = before
        assert set(unraisable) <= {"ProcessKilled"}

    def test_finally_block_of_a_killed_process_runs_to_its_end(self) -> None:
        cleaned: list[int] = []

        def cleans_up(victim: Victim) -> None:
            victim.begun.set()
            try:
                while True:
                    pass
            finally:
                for number in range(1000):
                    cleaned.append(number)  # noqa: PERF402 - line by line

        victim = Victim(cleans_up)
        until(victim.kill_once)
        victim.ends()
        assert cleaned == list(range(1000))

    def test_kill_kept_by_the_program_is_not_raised_again(self) -> None:
        kept: list[BaseException] = []

        def keeps(victim: Victim) -> None:
            victim.begun.set()
            try:
                while True:
                    pass
            except ProcessKilled as killed:
                kept.append(killed)
            victim.go_on.wait(HANG)

        victim = Victim(keeps)
        until(victim.kill_once)
        until(lambda: bool(kept))
        victim.go_on.set()
        assert victim.ends() is None
        assert victim.gate.told == 1
