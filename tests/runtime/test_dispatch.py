"""dispatch.py: Kernel calls: whole or not at all, one at a time; deferred calls; flushes."""

from __future__ import annotations

import contextvars
import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pyx import aio, fast_paths, receive, send, spawn, spawn_link
from pyx.core import effects as fx
from pyx.errors import ProcessKilled, Reentered, RegistrationError
from pyx.execution import context, interrupts, thread_state
from pyx.execution.interrupts import pending_interrupt
from pyx.runtime import dispatch
from pyx.runtime.dispatch import in_one_instruction
from pyx.signals import queued_bytes
from pyx.terms import Pid
from tests.local_nodes import HANG, as_process, in_kernel, in_the_name_of_a_process, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode

RUNTIME: Final = str(Path(dispatch.__file__).parent)

EVENT: Final = "line" if sys.version_info[:2] == (3, 12) else "opcode"
"""Python 3.12 does not trace the instructions of a frame that asks for it when it is entered."""


class TestKernelCall:
    def test_kernel_call_returns_a_value_of_the_kernel(self, node: LocalNode) -> None:
        assert in_kernel(node, node.kernel.registry.registered) == []

    def test_kernel_call_that_fails_raises_and_releases_the_lock(self, node: LocalNode) -> None:
        for _ in range(2):
            with pytest.raises(RegistrationError):
                in_kernel(node, node.kernel.registry.unregister, "nobody")
        assert not node.dispatch.lock.locked()
        assert not thread_state.thread.state.inside

    def test_effects_are_handled_after_the_lock_is_released(self, node: LocalNode) -> None:
        locked: list[bool] = []
        node.dispatch.handlers[fx.Log] = lambda _: locked.append(node.dispatch.lock.locked())

        def decide() -> None:
            locked.append(node.dispatch.lock.locked())
            node.kernel.tables.effects.append(fx.Log("info", "x"))

        in_kernel(node, decide)
        assert locked == [True, False]

    def test_kernel_call_inside_another_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(Reentered, match="pyx was called from a finalizer or signal handler"):
            in_kernel(node, in_kernel, node, node.kernel.registry.registered)
        assert in_kernel(node, node.kernel.registry.registered) == []

    def test_kernel_call_on_the_transport_thread_belongs_to_no_process(self, node: LocalNode) -> None:
        def body(runner: Runner) -> int:
            runner.gate.closed = True
            copied = contextvars.copy_context()
            answer: int = node.transport_loop.call(copied.run, in_kernel, node, lambda: 42)
            return answer

        assert in_the_name_of_a_process(node, body) == 42

    def test_kernel_call_of_a_dead_process_is_refused(self, node: LocalNode) -> None:
        def body(runner: Runner) -> None:
            with pytest.raises(ProcessKilled):  # on leaving: the process dies of this very call
                in_kernel(node, node.kernel.process_signals.exit, Pid(0), runner.process.pid, "kill")
            with pytest.raises(ProcessKilled):
                in_kernel(node, lambda: pytest.fail("it was taken"))

        in_the_name_of_a_process(node, body)

    def test_kernel_call_collects_no_garbage_under_the_lock(self, node: LocalNode) -> None:
        assert in_kernel(node, gc.isenabled) is False
        assert gc.isenabled()

    def test_kernel_call_leaves_a_disabled_collector_disabled(self, node: LocalNode) -> None:
        gc.disable()
        try:
            in_kernel(node, node.kernel.registry.registered)
            assert not gc.isenabled()
        finally:
            gc.enable()

    def test_kernel_call_that_fails_enables_the_collector_again(self, node: LocalNode) -> None:
        with pytest.raises(RegistrationError):
            in_kernel(node, node.kernel.registry.unregister, "nobody")
        assert gc.isenabled()

    def test_objects_of_an_ended_process_are_freed_without_the_lock(self, node: LocalNode) -> None:
        """The dictionary of a process, say, may hold the last reference to an object with a finalizer."""
        locked: list[bool] = []

        class Finalized:
            def __del__(self) -> None:
                locked.append(node.dispatch.lock.locked())

        process, _ = in_kernel(node, node.kernel.process_signals.process_started, "def")
        process.dictionary["key"] = Finalized()
        pid = process.pid
        del process
        in_kernel(
            node,
            lambda: node.kernel.process_signals.process_exited(
                node.kernel.tables.processes[pid.number], "normal"
            ),
        )
        assert locked == [False]

    def test_pending_ctrl_c_is_raised_on_leaving_a_kernel_call(self, node: LocalNode) -> None:
        seen: list[str] = []

        def decide() -> None:
            pending_interrupt.noted = True
            seen.append("to the end")

        with pytest.raises(KeyboardInterrupt):
            in_kernel(node, decide)
        assert seen == ["to the end"]
        assert not pending_interrupt.noted

    def test_effects_of_another_threads_call_are_not_handled_twice(self, node: LocalNode) -> None:
        """A call without effects has released the lock; before it goes on, another one has effects."""
        carried: list[str] = []
        node.dispatch.handlers[fx.Log] = lambda effect: carried.append(effect.text)

        def decide() -> None:
            node.kernel.tables.effects.append(fx.Log("info", "once"))

        def release() -> None:
            node.dispatch.lock.release()
            if threading.current_thread() is threading.main_thread():
                other = threading.Thread(target=in_kernel, args=(node, decide))
                other.start()
                other.join(HANG)

        node.dispatch.release = in_one_instruction(gc.enable, release)
        in_kernel(node, node.kernel.registry.registered)
        assert carried == ["once"]


class FakeLink:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def flush(self) -> None:
        self.calls.append("flush")

    def flush_later(self) -> None:
        self.calls.append("flush later")


class FakePeer:
    def __init__(self, link: FakeLink | None) -> None:
        self.connection = link


class TestFlushing:
    """A lone message is written by its own thread; a stream gathers, and is flushed before its sender
    waits."""

    def test_signal_of_no_process_is_flushed_at_once(self, node: LocalNode) -> None:
        link = FakeLink()
        for _ in range(2):
            in_kernel(node, node.kernel.tables.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]
        assert link.calls == ["flush", "flush"]

    def test_first_signal_of_a_process_is_flushed_at_once_the_others_later(self, node: LocalNode) -> None:
        link = FakeLink()

        def body() -> None:
            runner = context.current.get()
            assert runner is not None
            for _ in range(3):
                in_kernel(node, node.kernel.tables.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]
            assert runner.dirty == {link}  # type: ignore[comparison-overlap]
            node.flush(runner)
            node.flush(runner)
            assert runner.dirty == set()

        as_process(node, body)
        assert link.calls == ["flush", "flush later", "flush later", "flush"]

    def test_first_signal_after_a_wait_is_flushed_at_once(self, node: LocalNode) -> None:
        link = FakeLink()

        def body() -> None:
            runner = context.current.get()
            assert runner is not None
            for _ in range(2):
                in_kernel(node, node.kernel.tables.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]
            node.dispatch.about_to_wait(runner)
            runner.process.waiting, runner.fresh = False, True
            in_kernel(node, node.kernel.tables.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]

        as_process(node, body)
        assert link.calls == ["flush", "flush later", "flush", "flush"]

    def test_flush_before_the_connection_is_attached_is_ignored(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        in_kernel(node, node.kernel.tables.effects.append, fx.Flush(FakePeer(None)))  # type: ignore[arg-type]
        assert caplog.messages == []


class TestDeferredCalls:
    """A call of a finalizer is never refused, and made when the kernel call that it interrupted ends."""

    def test_call_outside_a_kernel_call_is_made_at_once(self, node: LocalNode) -> None:
        seen: list[str] = []
        node.dispatch.call_or_defer(seen.append, "told")
        assert seen == ["told"]

    def test_call_inside_a_kernel_call_is_made_at_its_end(self, node: LocalNode) -> None:
        seen: list[str] = []

        def decide() -> None:
            node.dispatch.call_or_defer(seen.append, "told")
            node.dispatch.call_or_defer(
                lambda: node.dispatch.call_or_defer(seen.append, "told by what was told")
            )
            seen.append("decided")

        in_kernel(node, decide)
        assert seen == ["decided", "told", "told by what was told"]
        assert node.dispatch.deferred == {}

    def test_deferred_call_that_fails_is_logged(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        in_kernel(node, node.dispatch.call_or_defer, node.kernel.registry.unregister, "nobody")
        assert "a call that was deferred to the end of a kernel call failed" in caplog.text
        assert in_kernel(node, node.kernel.registry.registered) == []

    def test_call_deferred_too_late_is_made_by_the_transport_thread(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A finalizer ran after the last look at the deferred calls, before the thread was outside."""
        told = threading.Event()
        catch_up = node.dispatch._catch_up

        def late(runner: Runner | None) -> None:
            catch_up(runner)
            node.dispatch.call_or_defer(told.set)

        monkeypatch.setattr(node.dispatch, "_catch_up", late)
        in_kernel(node, node.dispatch.call_or_defer, lambda: None)
        wait_for(told)
        assert node.dispatch.deferred == {}

    def test_deferred_call_of_a_dead_process_is_refused(self, node: LocalNode) -> None:
        def body(runner: Runner) -> None:
            runner.gate.closed = True
            with pytest.raises(ProcessKilled):
                node.dispatch.call_or_defer(lambda: pytest.fail("it was done"))

        in_the_name_of_a_process(node, body)


class TestInterrupts:
    """A Ctrl-C before any instruction of a kernel call is raised, and the call is whole."""

    @pytest.fixture(autouse=True)
    def not_sent_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another signal might meet the trace function, which is not pyx's."""
        monkeypatch.setattr(interrupts, "send_again", lambda *_: None)

    @pytest.mark.parametrize("is_fast", [True, False], ids=["fast", "general"])
    def test_interrupt_at_any_instruction_of_a_send_leaves_it_whole(
        self, node: LocalNode, runner: Runner, monkeypatch: pytest.MonkeyPatch, *, is_fast: bool
    ) -> None:
        monkeypatch.setattr(fast_paths, "enabled", is_fast)
        got: list[int] = []

        def sends(_: Runner) -> None:
            while interrupted_at(len(got), lambda: send(runner.process.pid, len(got))):
                assert not node.dispatch.lock.locked()
                assert not thread_state.thread.state.inside
                assert gc.isenabled()
                got.append(len(got))
                assert list(runner.process.mailbox.incoming) == got

        in_the_name_of_a_process(node, sends)
        assert len(got) > 30

    @pytest.mark.parametrize("is_fast", [True, False], ids=["fast", "general"])
    def test_interrupt_at_any_instruction_of_a_send_to_a_peer_leaves_it_whole(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch, *, is_fast: bool
    ) -> None:
        monkeypatch.setattr(fast_paths, "enabled", is_fast)
        peer = in_kernel(node, lambda: node.kernel.router.new_session("b@test", dialled=True))
        peer.state = "up"
        sent = 0

        def sends(_: Runner) -> None:
            nonlocal sent
            while interrupted_at(sent, lambda: send(Pid(7, 0, "b@test", 1), {"number": 1})):
                sent += 1
                assert not node.dispatch.lock.locked()
                assert not thread_state.thread.state.inside
                assert gc.isenabled()
                assert len(peer.out) == sent
                assert peer.out.enqueued == sum(queued_bytes(signal) for signal in peer.out)

        in_the_name_of_a_process(node, sends)
        assert sent > 30

    def test_interrupt_at_any_instruction_of_a_receive_loses_no_message(self, node: LocalNode) -> None:
        def receives(runner: Runner) -> int:
            for number in range(2000):
                in_kernel(node, runner.process.mailbox.deliver, number)
            got: list[int] = []
            calls = 0
            while interrupted_at(calls, lambda: got.append(receive(int, timeout=0))):
                calls += 1
                assert not runner.receiving
                assert not runner.process.waiting
                assert got == list(range(calls))
            return calls

        assert in_the_name_of_a_process(node, receives) > 30

    @pytest.mark.parametrize("link", [False, True], ids=["spawn", "spawn_link"])
    def test_interrupt_at_any_instruction_of_a_spawn_leaves_a_process_that_runs(
        self, node: LocalNode, *, link: bool
    ) -> None:
        async def waits() -> None:
            await aio.receive()

        def spawns(parent: Runner) -> int:
            calls = 0
            while interrupted_at(calls, lambda: (spawn_link if link else spawn)(waits)):
                calls += 1
                assert not node.dispatch.lock.locked()
                assert gc.isenabled()
                children = [process for process in node.kernel.tables.processes.all() if process.parent]
                assert len(children) == calls
                assert len(list(parent.process.links)) == (calls if link else 0)
            until(lambda: all(child.waiting for child in children))
            return calls

        assert in_the_name_of_a_process(node, spawns) > 30


def interrupted_at(instruction: int, act: Callable[[], object]) -> bool:
    """Calls *act* with a Ctrl-C before that instruction of `pyx/runtime`; False if it has fewer."""
    passed = -1

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal passed
        if not frame.f_code.co_filename.startswith(RUNTIME):
            return None
        frame.f_trace_opcodes = True
        passed += event == EVENT
        if event == EVENT and passed == instruction:
            interrupts.interrupted(signal.SIGINT, frame)
        return trace

    before = sys.gettrace()
    try:
        sys.settrace(trace)
        try:
            act()
        finally:
            sys.settrace(before)
        if passed >= instruction:  # too late for the end of the call, so the next signal raises it
            interrupts.raise_pending()
    except KeyboardInterrupt:
        return True
    assert passed < instruction, "the interrupt was lost"
    return False


WATCHED: Final = """\
import sys
from pathlib import Path
import pyx

class Watch:
    found = []
    def find_spec(self, name, path=None, target=None):
        frame = sys._getframe()
        while frame is not None:
            code = frame.f_code
            in_kernel = Path(code.co_filename).parent == Path(pyx.__file__).parent / "core"
            if in_kernel and code.co_name not in {"<module>", "load_late_parts"}:
                self.found.append(f"{name} by {code.co_qualname}")
            frame = frame.f_back

sys.meta_path.insert(0, Watch())
"""
"""Notes what is imported by the kernel's functions."""

SERVER: Final = (
    WATCHED
    + """
from pyx import Node, Process, receive, self, send, spawn
Node.start("srv")

def serve():
    Process.register(self(), "echo")
    print("ready", flush=True)
    while True:
        match receive():
            case ("$gen_call", (pid, ref), request):
                send(ref, (ref, request))
            case ("members", asker):
                from pyx import PubSub, pg
                pg.join("club", self())
                PubSub.subscribe("news")
                send(asker, (pg.get_members("club"), []))
            case ("found", asker):
                send(asker, Watch.found)

spawn(serve)
sys.stdin.read()
"""
)

CLIENT: Final = (
    WATCHED
    + """
from pyx import GenServer, Node, Presence, PubSub, Registry, pg, receive, self, send, spawn

def ask():
    try:
        use_late_parts()
    except Exception as error:
        print(repr(error), flush=True)

def use_late_parts():
    send(("echo", "srv"), "a message first")
    assert GenServer.call(("echo", "srv"), "hello") == "hello"
    pg.join("club", self())
    Registry.start_link(keys="unique", name="keys")
    Registry.register("keys", "k")
    send(("echo", "srv"), ("members", self()))
    members, found = receive(timeout=30)
    assert len(members) == 2, members
    PubSub.subscribe("news")
    PubSub.broadcast("news", "today")
    assert receive(timeout=30) == "today"
    Presence.track("room", "gus")
    assert list(Presence.list("room")) == ["gus"]
    send(("echo", "srv"), ("found", self()))
    found += receive(timeout=30)
    print(found + Watch.found, flush=True)

Node.start("cli")
spawn(ask)
sys.stdin.read()
"""
)


def test_nothing_is_imported_in_a_kernel_call(tmp_path: Path) -> None:
    """What the kernel makes late is loaded before: for the first session, call, key and group."""
    environment = {**os.environ, "PYX_RUNTIME_DIR": str(tmp_path / "run"), "HOME": str(tmp_path)}
    started: list[subprocess.Popen[str]] = []
    try:
        for program, said in ((SERVER, "ready\n"), (CLIENT, "[]\n")):
            one = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            started.append(one)
            assert one.stdout is not None
            assert one.stdout.readline() == said
    finally:
        for one in started:
            with one:
                one.kill()
