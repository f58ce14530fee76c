"""stdout_router.py, console_writer.py: Printed lines go whole and in order to the leader's console."""

from __future__ import annotations

import contextvars
import functools
import io
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.console_queue import ConsoleQueue
from pyx.errors import ProcessKilled
from pyx.execution import stdout_router
from pyx.execution.console_writer import ConsoleWriter, Pace
from pyx.execution.context import current
from pyx.execution.line_buffer import LONGEST_PRINT
from pyx.execution.slots import LockSlot
from pyx.execution.stdout_router import StdoutRouter, found_stream, install
from pyx.execution.thread_pool import Pool
from pyx.terms import Pid
from tests.local_nodes import HANG, as_process, in_kernel, in_the_name_of_a_process, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode


class Console:
    """Records the lines shown on it."""

    def __init__(self) -> None:
        self.shown: list[tuple[Pid, str]] = []

    def write(self, text: str, frm: Pid) -> None:
        self.shown.append((frm, text))

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.shown)


@pytest.fixture
def console(node: LocalNode) -> Console:
    """The node's own console."""
    console = Console()
    node.output.writer._write = console.write
    return console


@pytest.fixture
def found() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def router(found: io.StringIO) -> StdoutRouter:
    return StdoutRouter(found)


class TestRouter:
    def test_print_outside_processes_goes_to_the_original_stream(
        self, router: StdoutRouter, found: io.StringIO
    ) -> None:
        assert router.write("half") == 4
        router.writelines([" a ", "line\n"])
        router.flush()
        assert found.getvalue() == "half a line\n"

    def test_router_delegates_other_attributes_to_the_original_stream(
        self, router: StdoutRouter, found: io.StringIO
    ) -> None:
        assert router.readable() is True
        assert router.getvalue == found.getvalue

    def test_output_of_a_process_is_passed_on_in_whole_lines(
        self, node: LocalNode, console: Console, router: StdoutRouter, found: io.StringIO
    ) -> None:
        def body() -> list[str]:
            looks = []
            router.write("half")
            looks.append(console.text)
            router.write(" a line\nand half")
            looks.append(console.text)
            router.write(" a second\n")
            looks.append(console.text)
            return looks

        assert as_process(node, body) == ["", "half a line\n", "half a line\nand half a second\n"]
        assert found.getvalue() == ""

    def test_lines_of_two_processes_are_never_mixed(
        self, node: LocalNode, console: Console, router: StdoutRouter
    ) -> None:
        barrier = threading.Barrier(2)

        def body() -> None:
            for _ in range(100):
                router.write("abc")
                barrier.wait(HANG)
                router.write("def\n")

        threads = [threading.Thread(target=as_process, args=(node, body)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG)
        assert console.text == "abcdef\n" * 200

    def test_unfinished_line_is_ended_at_the_end_of_its_process(
        self, node: LocalNode, console: Console, router: StdoutRouter
    ) -> None:
        as_process(node, lambda: router.write("no newline"))
        until(lambda: bool(console.shown))
        assert console.text == "no newline\n"

    def test_flush_of_a_terminals_own_process_shows_its_unfinished_line(self, node: LocalNode) -> None:
        console, runner = leads_a_terminal(node)
        router = StdoutRouter(io.StringIO())
        token = current.set(runner)
        try:
            router.write("name? ")
            assert console.text == ""
            router.flush()
            assert console.text == "name? "
        finally:
            current.reset(token)

    def test_flush_of_another_process_keeps_the_unfinished_line(
        self, node: LocalNode, console: Console, router: StdoutRouter
    ) -> None:
        def body() -> str:
            router.write("half")
            router.flush()
            before = console.text
            router.write(" a line\n")
            return before

        assert as_process(node, body) == ""
        assert console.text == "half a line\n"

    def test_print_of_a_dead_process_raises_and_its_lines_are_dropped(
        self, node: LocalNode, console: Console, router: StdoutRouter
    ) -> None:
        """Otherwise a process that only prints could not be killed."""

        def body(me: Runner) -> None:
            node.kernel.exits.end(me.process, "killed")
            me.gate.closed = True
            with pytest.raises(ProcessKilled):
                router.write("a line\n")

        in_the_name_of_a_process(node, body)
        assert console.text == ""

    def test_unfinished_line_is_passed_on_when_it_has_the_length_of_a_piece(
        self, node: LocalNode, console: Console, router: StdoutRouter
    ) -> None:
        def body() -> list[int]:
            looks = []
            for _ in range(3):
                router.write("." * (LONGEST_PRINT // 2))
                looks.append(len(console.text))
            return looks

        assert as_process(node, body) == [0, LONGEST_PRINT, LONGEST_PRINT]
        until(lambda: len(console.shown) == 2)
        assert console.text == "." * (LONGEST_PRINT * 3 // 2) + "\n"

    def test_prints_of_two_threads_of_one_process_are_not_lost_or_doubled(
        self, node: LocalNode, console: Console, router: StdoutRouter
    ) -> None:
        def body() -> None:
            context = contextvars.copy_context()

            def write(name: str) -> None:
                for number in range(2000):
                    router.write(f"{name}{number}\n")

            other = threading.Thread(target=context.run, args=(write, "a"))
            other.start()
            write("b")
            other.join(HANG)

        as_process(node, body)
        until(lambda: not node.kernel.tables.console)
        lines = console.text.splitlines()
        assert len(lines) == 4000
        for name in "ab":
            assert [line for line in lines if line[0] == name] == [f"{name}{n}" for n in range(2000)]


def leads_a_terminal(node: LocalNode) -> tuple[Console, Any]:
    from pyx.execution.runner import Runner

    console = Console()
    process, _ = in_kernel(
        node, functools.partial(node.kernel.process_signals.process_started, "shell", terminal=True)
    )
    assert process.output is not None
    runner = process.runner = Runner(node, process)
    runner.console_writer = ConsoleWriter(process.output, console.write)
    return console, runner


class TestLeaders:
    def test_child_and_grandchild_print_on_the_terminal_of_their_parent(
        self, node: LocalNode, console: Console
    ) -> None:
        terminal, leader = leads_a_terminal(node)
        router = StdoutRouter(io.StringIO())
        token = current.set(leader)
        try:
            from tests.local_nodes import Running

            grandchild_is_over = threading.Event()

            def child() -> None:
                router.write("child\n")
                Running(node, grandchild).outcome()

            def grandchild() -> None:
                router.write("grandchild\n")
                grandchild_is_over.set()

            as_process(node, child)
            wait_for(grandchild_is_over)
        finally:
            current.reset(token)
        assert terminal.text == "child\ngrandchild\n"
        assert console.text == ""


class TestOutlet:
    def writer(self, write: Callable[[str, Pid], object], *texts: str) -> tuple[ConsoleWriter, ConsoleQueue]:
        lines = ConsoleQueue()
        for number, text in enumerate(texts):
            lines.put(Pid(number), text)
        return ConsoleWriter(lines, write), lines

    def test_outlet_shows_queued_lines_in_order(self) -> None:
        console = Console()
        writer, lines = self.writer(console.write, "a\n", "b\n")
        writer.show()
        assert console.shown == [(Pid(0), "a\n"), (Pid(1), "b\n")]
        assert not lines

    def test_lines_stay_in_the_bounded_queue_while_the_console_accepts_none(self) -> None:
        console, lines = Console(), ConsoleQueue()
        later: list[Callable[[], object]] = []
        room = 2

        def has_room(then: Callable[[], object]) -> bool:
            if len(console.shown) < room:
                return True
            later.append(then)
            return False

        writer = ConsoleWriter(lines, console.write, lambda: Pace(has_room))
        for number in range(5):
            lines.put(Pid(number), "x\n")
        writer.show()
        assert (len(console.shown), len(lines)) == (2, 3)
        room = 5
        later[0]()
        assert [frm for frm, _ in console.shown] == [Pid(number) for number in range(5)]

    def test_waiting_processes_are_woken_below_the_low_water_mark(self) -> None:
        console, lines, slot = Console(), ConsoleQueue(), LockSlot()
        while not lines.put(Pid(1), "x" * 9999 + "\n"):
            pass
        lines.waiters.add(slot)
        ConsoleWriter(lines, console.write).show()
        assert slot.wait(0)

    def test_number_of_dropped_lines_is_shown_once_after_the_kept_ones(self) -> None:
        console, lines = Console(), ConsoleQueue()
        lines.put(Pid(1), "kept\n")
        lines.dropped = 7
        writer = ConsoleWriter(lines, console.write)
        writer.show()
        lines.put(Pid(1), "later\n")
        writer.show()
        assert [text for _, text in console.shown] == [
            "kept\n",
            "... 7 lines dropped: they came faster than they can be shown\n",
            "later\n",
        ]

    def test_slow_console_blocks_no_other_thread_and_loses_no_line(self) -> None:
        """A thread that finds another thread writing leaves its line to that thread."""
        console = Console()
        writing, go_on = threading.Event(), threading.Event()

        def write(text: str, frm: Pid) -> None:
            writing.set()
            wait_for(go_on)
            console.write(text, frm)

        writer, lines = self.writer(write, "a\n")
        slow = threading.Thread(target=writer.show)
        slow.start()
        wait_for(writing)
        lines.append((Pid(1), "b\n"))
        writer.show()
        assert console.shown == []
        go_on.set()
        slow.join(HANG)
        assert console.text == "a\nb\n"

    def test_direct_writer_waits_until_queued_lines_are_shown(self) -> None:
        console = Console()
        writing, go_on = threading.Event(), threading.Event()

        def write(text: str, frm: Pid) -> None:
            writing.set()
            wait_for(go_on)
            console.write(text, frm)

        writer, _ = self.writer(write, "a\n", "b\n")
        slow = threading.Thread(target=writer.show)
        slow.start()
        wait_for(writing)
        threading.Timer(0, go_on.set).start()
        writer.show_all()
        assert console.text == "a\nb\n"
        slow.join(HANG)

    def test_failing_console_loses_one_line_and_stays_usable(self) -> None:
        console, fails = Console(), [True]

        def write(text: str, frm: Pid) -> None:
            if fails.pop() if fails else False:
                raise OSError("gone")
            console.write(text, frm)

        writer, _ = self.writer(write, "a\n", "b\n")
        with pytest.raises(OSError, match="gone"):
            writer.show()
        writer.show()
        assert console.text == "b\n"

    def test_show_elsewhere_uses_one_other_thread_for_all_lines(self) -> None:
        threads: list[int] = []
        shown = threading.Semaphore(0)

        def write(text: str, frm: Pid) -> None:
            threads.append(threading.get_ident())
            shown.release()

        writer, lines = self.writer(write)

        class Counting(Pool):
            jobs: list[Callable[[], None]]

            def run(self, job: Callable[[], None]) -> None:
                self.jobs.append(job)

        pool = Counting()
        pool.jobs = []
        for number in range(10):
            lines.append((Pid(number), "x\n"))
            writer.show_elsewhere(pool)
        assert len(pool.jobs) == 1
        assert threads == []
        Pool().run(pool.jobs[0])
        for _ in range(10):
            assert shown.acquire(timeout=HANG)
        assert threading.get_ident() not in threads
        lines.append((Pid(0), "y\n"))
        writer.show_elsewhere(pool)
        assert len(pool.jobs) == 2


class TestInstalling:
    def test_install_wraps_the_present_stdout_once(
        self, monkeypatch: pytest.MonkeyPatch, found: io.StringIO
    ) -> None:
        monkeypatch.setattr(sys, "stdout", found)
        assert found_stream() is found
        install()
        router = sys.stdout
        install()
        assert sys.stdout is router
        assert isinstance(router, StdoutRouter)
        assert found_stream() is found

    def test_print_is_routed_after_install(
        self, node: LocalNode, console: Console, monkeypatch: pytest.MonkeyPatch, found: io.StringIO
    ) -> None:
        monkeypatch.setattr(sys, "stdout", found)
        install()
        as_process(node, lambda: print("from a process"))
        print("from no process")
        assert console.text == "from a process\n"
        assert found.getvalue() == "from no process\n"


def test_lines_on_the_nodes_console_go_to_the_original_stream(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch, found: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stdout", StdoutRouter(found))
    as_process(node, lambda: print("a line"))
    assert found.getvalue() == "a line\n"


@pytest.mark.parametrize("stream", [None, "closed"])
def test_node_without_stdout_drops_its_lines_only(
    stream: Any, node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    router = StdoutRouter(stream)
    monkeypatch.setattr(stdout_router, "found_stream", lambda: stream)
    as_process(node, lambda: router.write("a line\n"))


def test_program_without_stdout_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    install()
    print("vanishes")
    stream = found_stream()
    assert stream is not None
    stream.close()
