"""Steps: whole or not at all, one at a time, their effects carried out; and the node of this OS process."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

import pytest

from pyx.core import effects as fx
from pyx.errors import EncodeError, ProcessKilled, Reentered, RegistrationError
from pyx.runtime import context, local_node
from pyx.runtime.gate import wish
from pyx.runtime.local_node import LocalNode, this_node
from pyx.runtime.runners import Runner
from pyx.signals import Letter
from pyx.terms import Pid, Ref
from tests.staging import HANG, Stage, as_process, until, wait_for


class TestAStep:
    def test_gives_what_the_kernel_decided(self, node: LocalNode) -> None:
        assert node.step(node.kernel.registered) == []

    def test_raises_what_the_kernel_raised_and_leaves_nothing_behind(self, node: LocalNode) -> None:
        for _ in range(2):
            with pytest.raises(RegistrationError):
                node.step(node.kernel.unregister, "nobody")
        assert not node._lock.locked()
        assert not context.thread.state.inside

    def test_is_taken_under_the_lock_and_its_effects_are_carried_out_without(self, node: LocalNode) -> None:
        locked: list[bool] = []
        node._carry[fx.Log] = lambda _: locked.append(node._lock.locked())

        def decide() -> None:
            locked.append(node._lock.locked())
            node.kernel.effects.append(fx.Log("info", "x"))

        node.step(decide)
        assert locked == [True, False]

    def test_inside_another_one_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(Reentered, match="pyx was called from a finalizer or signal handler"):
            node.step(node.step, node.kernel.registered)
        assert node.step(node.kernel.registered) == []

    def test_of_a_process_passes_its_gate(self, node: LocalNode) -> None:
        def body() -> list[bool]:
            runner = context.current.get()
            assert runner is not None
            lock = runner.gate._lock
            return [lock.locked(), node.step(lock.locked), lock.locked()]

        assert as_process(node, body) == [False, True, False]

    def test_of_the_transport_is_nobodys_even_in_a_processs_context(self, node: LocalNode) -> None:
        def body() -> bool:
            import contextvars

            runner = context.current.get()
            assert runner is not None
            copied = contextvars.copy_context()
            return node.portal.call(copied.run, node.step, runner.gate._lock.locked)  # type: ignore[no-any-return]

        assert as_process(node, body) is False

    def test_of_a_dead_process_is_refused(self, node: LocalNode) -> None:
        def body() -> None:
            runner = context.current.get()
            assert runner is not None
            with pytest.raises(ProcessKilled):  # on the way out: it dies of this very step
                node.step(node.kernel.exit, Pid(0), runner.process.pid, "kill")
            with pytest.raises(ProcessKilled):
                node.step(lambda: pytest.fail("it was taken"))

        as_process(node, body)

    def test_on_the_way_out_ctrl_c_is_raised_that_came_meanwhile(self, node: LocalNode) -> None:
        seen: list[str] = []

        def decide() -> None:
            wish.noted = True
            seen.append("to the end")

        with pytest.raises(KeyboardInterrupt):
            node.step(decide)
        assert seen == ["to the end"]
        assert not wish.noted


class TestEffects:
    def test_one_that_fails_is_logged_and_keeps_no_other_back(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        def decide() -> None:
            node.kernel.console.append((Pid(1), "a line\n"))
            node.kernel.effects.extend((fx.Show(None), fx.Log("warning", "the next one")))

        def broken(_: str, __: Pid) -> None:
            raise BrokenPipeError

        node.outlet._write = broken
        node.step(decide)
        assert [record.getMessage() for record in caplog.records] == [
            "could not carry out Show",
            "the next one",
        ]

    def test_nobody_carries_out_anothers(self, node: LocalNode) -> None:
        """A step without effects has let go of the lock; before it goes on, another one brings effects."""
        carried: list[str] = []
        node._carry[fx.Log] = lambda effect: carried.append(effect.text)

        class Interloper:
            """The lock, and a step of another thread just as it is let go."""

            def __init__(self, lock: Any) -> None:
                self._lock = lock

            def __enter__(self) -> None:
                self._lock.acquire()

            def __exit__(self, *_: object) -> None:
                self._lock.release()
                if threading.current_thread() is threading.main_thread():
                    other = threading.Thread(target=node.step, args=(decide,))
                    other.start()
                    other.join(HANG)

        def decide() -> None:
            node.kernel.effects.append(fx.Log("info", "once"))

        node._lock = Interloper(node._lock)  # type: ignore[assignment]
        node.step(node.kernel.registered)
        assert carried == ["once"]

    def test_log_lines_have_their_level(self, node: LocalNode, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        for level in ("info", "warning", "error"):
            node.step(node.kernel.effects.append, fx.Log(level, f"100% {level}"))
        assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
            ("INFO", "100% info"),
            ("WARNING", "100% warning"),
            ("ERROR", "100% error"),
        ]

    def test_on_the_transport_a_console_is_left_to_another_thread(self, node: LocalNode) -> None:
        """One that stands still (Ctrl-S, a full pipe) must not stop the ticks."""
        shown: list[int] = []
        standing, go_on = threading.Event(), threading.Event()

        def slow(_: str, __: Pid) -> None:
            standing.set()
            wait_for(go_on)
            shown.append(threading.get_ident())

        node.outlet._write = slow
        node.portal.call(node.step, node.kernel.print_lines, Pid(0), None, "a line\n")
        wait_for(standing)
        assert node.portal.call(lambda: "still there") == "still there"
        go_on.set()
        until(lambda: bool(shown))
        assert shown != [node.portal.call(threading.get_ident)]

    def test_a_rest_ends_when_it_is_time(self, node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
        rested = threading.Event()
        monkeypatch.setattr(node.kernel, "rested", lambda _: rested.set())
        node.step(node.kernel.effects.append, fx.Rest("b@test", node.now()))
        wait_for(rested)

    def test_without_a_transport_nobody_is_dialled(self, node: LocalNode) -> None:
        node.step(node.kernel.effects.extend, (fx.Dial("b@test"), fx.CancelDial("b@test")))


class FakeLink:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def flush(self) -> None:
        self.calls.append("flush")

    def flush_later(self) -> None:
        self.calls.append("flush later")

    def close(self, *, gracefully: bool) -> None:
        self.calls.append(f"close {gracefully}")


class FakePeer:
    def __init__(self, link: FakeLink | None) -> None:
        self.link = link


class TestFlushing:
    """A lone message is written by its own thread; a stream gathers, and is flushed before its sender
    waits."""

    def test_of_nobody_at_once(self, node: LocalNode) -> None:
        link = FakeLink()
        for _ in range(2):
            node.step(node.kernel.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]
        assert link.calls == ["flush", "flush"]

    def test_of_a_process_the_first_at_once_the_others_later(self, node: LocalNode) -> None:
        link = FakeLink()

        def body() -> None:
            runner = context.current.get()
            assert runner is not None
            for _ in range(3):
                node.step(node.kernel.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]
            assert runner.dirty == {link}  # type: ignore[comparison-overlap]
            node.flush(runner)
            node.flush(runner)
            assert runner.dirty == set()

        as_process(node, body)
        assert link.calls == ["flush", "flush later", "flush later", "flush"]

    def test_after_a_wait_the_next_is_the_first_again(self, node: LocalNode) -> None:
        link = FakeLink()

        def body() -> None:
            runner = context.current.get()
            assert runner is not None
            for _ in range(2):
                node.step(node.kernel.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]
            node.about_to_wait(runner)
            node.waited(runner)
            node.step(node.kernel.effects.append, fx.Flush(FakePeer(link)))  # type: ignore[arg-type]

        as_process(node, body)
        assert link.calls == ["flush", "flush later", "flush", "flush"]

    def test_a_session_whose_link_is_not_attached_yet_is_flushed_by_that(self, node: LocalNode) -> None:
        node.step(node.kernel.effects.append, fx.Flush(FakePeer(None)))  # type: ignore[arg-type]
        node.step(node.kernel.effects.append, fx.Hangup(FakePeer(None), True))  # type: ignore[arg-type]

    def test_hanging_up(self, node: LocalNode) -> None:
        link = FakeLink()
        node.step(node.kernel.effects.append, fx.Hangup(FakePeer(link), gracefully=True))  # type: ignore[arg-type]
        assert link.calls == ["close True"]


class TestTelling:
    """What a finalizer wants is never refused, and done when the step is over that it interrupted."""

    def test_outside_it_is_done_at_once(self, node: LocalNode) -> None:
        seen: list[str] = []
        node.tell(seen.append, "told")
        assert seen == ["told"]

    def test_inside_it_is_done_before_the_step_is_left(self, node: LocalNode) -> None:
        seen: list[str] = []

        def decide() -> None:
            node.tell(seen.append, "told")
            node.tell(lambda: node.tell(seen.append, "told by what was told"))
            seen.append("decided")

        node.step(decide)
        assert seen == ["decided", "told", "told by what was told"]
        assert node._deferred == {}

    def test_one_that_fails_is_logged(self, node: LocalNode, caplog: pytest.LogCaptureFixture) -> None:
        node.step(node.tell, node.kernel.unregister, "nobody")
        assert "could not do what a finalizer asked for" in caplog.text
        assert node.step(node.kernel.registered) == []

    def test_in_the_last_instructions_of_a_step_it_goes_to_the_node(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A finalizer ran after the look at what was told, before the thread was outside."""
        told = threading.Event()

        class LateGate:
            def enter(self) -> None: ...

            def leave(self) -> None:
                node.tell(told.set)

        monkeypatch.setattr(local_node, "NO_GATE", LateGate())
        node.step(node.kernel.registered)
        monkeypatch.undo()
        wait_for(told)
        assert node._deferred == {}

    def test_of_a_dead_process_is_refused(self, node: LocalNode) -> None:
        def body() -> None:
            runner = context.current.get()
            assert runner is not None
            runner.gate.killed = True
            with pytest.raises(ProcessKilled):
                node.tell(lambda: pytest.fail("it was done"))

        as_process(node, body)

    def test_but_it_may_give_up_what_it_asked_for(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given_up: list[int] = []
        monkeypatch.setattr(node.kernel, "abandon", given_up.append)

        def body() -> None:
            runner = context.current.get()
            assert runner is not None
            runner.gate.killed = True
            with pytest.raises(ProcessKilled):
                node.abandon(7)

        as_process(node, body)
        node.portal.call(lambda: None)
        assert given_up == [7]


class TestSending:
    @pytest.fixture
    def reader(self, node: LocalNode) -> Runner:
        process, _ = node.step(node.kernel.process_started, "def")
        process.runner = Runner(node, process)
        node.step(node.kernel.register, process.pid, "reader")
        runner: Runner = process.runner
        return runner

    def got(self, reader: Runner) -> Any:
        return reader.process.mailbox.incoming.popleft()

    @pytest.mark.parametrize("message", [1, "x", None, ("a", 1, Pid(5))])
    def test_at_home_a_flat_message_stays_itself(self, node: LocalNode, reader: Runner, message: Any) -> None:
        for dest in (reader.process.pid, "reader"):
            assert node.send(dest, message)
            assert self.got(reader) is message

    def test_any_other_is_sealed(self, node: LocalNode, reader: Runner) -> None:
        node.send("reader", [1])
        assert isinstance(self.got(reader), Letter)

    def test_a_destination_that_may_be_elsewhere_gets_a_letter(self, node: LocalNode) -> None:
        assert isinstance(node.body(("reader", "b@test"), 1), Letter)
        assert isinstance(node.body(Pid(1, node="b@test", creation=1), 1), Letter)
        assert node.body(Ref(1), 1) == 1

    def test_only_a_plain_name_that_nobody_has_is_told(self, node: LocalNode) -> None:
        assert node.send("nobody", 1) is False
        assert node.send(("nobody", "nonode@nohost"), 1) is True
        assert node.send(Pid(4711), 1) is True

    def test_what_is_no_data_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError):
            node.send("reader", object())

    def test_inside_a_step_it_is_put_off(self, node: LocalNode, reader: Runner) -> None:
        """As from a finalizer: nobody can tell then whether the name is somebody's."""
        assert node.step(node.send, "nobody", 1) is True
        node.step(node.send, "reader", 2)
        assert self.got(reader) == 2


class TestNames:
    def test_without_a_name_the_host_is_this_ones(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local_node.socket, "gethostname", lambda: "vm.example.org")  # type: ignore[attr-defined]
        assert node.full_name("gus") == "gus@vm"
        monkeypatch.setattr(local_node.socket, "gethostname", lambda: "")  # type: ignore[attr-defined]
        assert node.full_name("gus") == "gus@localhost"

    def test_with_one_it_is_that_ones(self, stage: Stage) -> None:
        assert stage.start("a").full_name("gus") == "gus@test"


class TestWarning:
    def test_is_logged_inside(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A kill in `logging` would leave a handler's lock taken."""
        inside: list[bool] = []

        class Looking(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                inside.append(context.thread.state.inside)

        handler = Looking()
        local_node.log.addHandler(handler)
        node.warn("once %s", "outside")
        node.step(node.warn, "once inside")
        local_node.log.removeHandler(handler)
        assert inside == [True, True]
        assert [record.getMessage() for record in caplog.records] == ["once outside", "once inside"]


class TestThisNode:
    @pytest.fixture
    def none_yet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_node, "_node", None)

    def test_is_made_when_first_asked_for_and_once(self, none_yet: None) -> None:
        barrier, nodes = threading.Barrier(8), list[LocalNode]()

        def ask() -> None:
            barrier.wait(HANG)
            nodes.append(this_node())

        askers = [threading.Thread(target=ask) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(HANG)
        assert nodes == [this_node()] * 8

    def test_starts_nothing(self, none_yet: None) -> None:
        before = threading.active_count()
        this_node()
        assert threading.active_count() == before

    def test_of_a_process_is_its_own(self, stage: Stage) -> None:
        first, second = stage.make(), stage.make()
        assert this_node() is first
        assert as_process(second, this_node) is second

    def test_a_finalizer_may_ask_for_it_while_it_is_made(
        self, none_yet: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[LocalNode] = []

        class WithAFinalizer(LocalNode):
            def __init__(self) -> None:
                super().__init__()
                if not asked:
                    asked.append(self)
                    asked.append(this_node())

        monkeypatch.setattr(local_node, "LocalNode", WithAFinalizer)
        node = this_node()
        assert node is asked[1]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # of threads, from Python 3.12 on
def test_in_a_forked_child_nobody_holds_the_lock(node: LocalNode) -> None:
    node._lock.acquire()
    child = os.fork()
    if not child:
        fine = context.current.get() is None and this_node() is not node and not node._lock.locked()
        os._exit(0 if fine and node.step(node.kernel.registered) == [] else 1)
    node._lock.release()
    assert os.waitpid(child, 0)[1] == 0
    assert this_node() is node
