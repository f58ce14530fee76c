"""Threads, kills, interrupts and finalizers by the thousand: what kills and kernel calls promise.

After each load the tables of the kernels agree, no lock is held, and a reader has received a prefix of what a
sender sent, whole and in order, and nothing after its end.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import io
import itertools
import operator
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from pyx import Node, Process, ProcessKilled, aio, make_ref, receive, rpc, send, spawn, spawn_monitor
from pyx import self as own_pid
from pyx.execution.stdout_router import StdoutRouter
from pyx.terms import Pid
from tests.local_nodes import (
    HANG,
    LocalNodes,
    Running,
    as_process,
    end_of,
    in_kernel,
    in_the_name_of_a_process,
    seen_from,
    until,
    wait_for,
)
from tests.runtime import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode

KILLS = 5_000

WORK = 6 * HANG
"""The limit where the end of much work is waited for."""
ALIVE_AT_ONCE = 4
BURST = 8
"""Messages sent in a row; then the sender waits until they are read, or the mailbox would only grow."""


@pytest.fixture(autouse=True)
def quick_switches() -> Iterator[None]:
    """Threads switch every 0.2 ms, not every 5: more switches in less time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(before)


class Finished:
    """Counts the ends of threads and tasks on a node, which may come after the end of their process."""

    def __init__(self, node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ends = threading.Semaphore(0)
        finished = node.processes._finished

        def counted(*args: Any) -> None:
            finished(*args)
            self._ends.release()

        monkeypatch.setattr(node.processes, "_finished", counted)  # of threads
        monkeypatch.setattr(node.processes, "_ended", counted)  # of tasks

    def wait_for(self, number: int) -> None:
        for _ in range(number):
            assert self._ends.acquire(timeout=HANG)


def no_lock_is_held(node: LocalNode) -> None:
    """Makes kernel calls on this thread, on a fresh one, as a process, and on both loops."""
    in_kernel(node, node.kernel.registry.registered)
    fresh = threading.Thread(target=in_kernel, args=(node, node.kernel.registry.registered))
    fresh.start()
    fresh.join(HANG)
    assert not fresh.is_alive()
    as_process(node, lambda: own_pid())
    node.transport_loop.call(in_kernel, node, node.kernel.registry.registered)
    done = threading.Event()

    async def on_the_process_loop() -> None:
        make_ref()
        done.set()

    node.processes.spawn(on_the_process_loop, ())
    wait_for(done)


def tables_agree(node: LocalNode, *, alive: set[Pid]) -> None:
    """The kernel knows these processes, without links and monitors, and no others."""
    kernel = node.kernel
    assert {process.pid for process in kernel.tables.processes.all()} == alive
    assert kernel.registry.registered() == []
    assert kernel.pending == {}
    assert kernel.tables.aliases == {}
    assert kernel.tables.monitors == {}
    assert list(kernel.tables.inbox) == []
    for process in kernel.tables.processes.all():
        assert process.monitored_by == {}
        assert list(process.links) == []
    assert node.dispatch.deferred == {}
    assert len(node.processes.kills) == 0


# ---------------------------------------------------------------- kills of senders


def reader(over: threading.Event, complaints: list[str], seen: list[int]) -> None:
    """Receives `(sender, number, ...)` until it is told to stop; monitors each sender from the start."""
    senders: dict[Any, Pid] = {}
    numbers: dict[Pid, int] = {}
    ended: set[Pid] = set()
    while True:
        match receive():
            case ("watch", sender):
                senders[Process.monitor(sender)] = sender
                numbers[sender] = 0
                send(sender, "go")
            case ("DOWN", ref, "process", sender, _):
                assert senders.pop(ref) == sender
                ended.add(sender)
            case (sender, int(number), *_):
                if sender in ended:
                    complaints.append(f"{sender} speaks after its end")
                if numbers[sender] != number:
                    complaints.append(f"{sender} said {number} after {numbers[sender] - 1}")
                numbers[sender] = number + 1
                if number % BURST == BURST - 1:
                    send(sender, "more")
            case "stop":
                break
    if senders:
        complaints.append(f"{len(senders)} senders have no end")
    seen.append(sum(numbers.values()))
    over.set()


def flat(to: Pid, number: int) -> None:
    send(to, (own_pid(), number, "flat"))


def encoded(to: Pid, number: int) -> None:
    send(to, (own_pid(), number, [number, {"name": "nike"}]))


def polling(to: Pid, number: int) -> None:
    send(to, (own_pid(), number))
    with pytest.raises(pyx.ReceiveTimeout):
        receive("never sent", timeout=0)  # "more" may be there already


def by_alias(to: Pid, number: int) -> None:
    alias = Process.alias()
    send(alias, ("reply", alias))
    receive(("reply", alias))
    Process.unalias(alias)
    send(to, (own_pid(), number))


def watching(to: Pid, number: int) -> None:
    Process.demonitor(Process.monitor(to))
    send(to, (own_pid(), number))


def registering(to: Pid, number: int) -> None:
    name = str(own_pid())
    Process.register(own_pid(), name)
    send(to, (own_pid(), number))
    Process.unregister(name)


WAYS: list[Callable[[Pid, int], None]] = [flat, encoded, polling, by_alias, watching, registering]


def sender(to: Pid, killer: Pid, say: Callable[[Pid, int], None]) -> None:
    receive("go")
    say(to, 0)
    send(killer, ("speaks", own_pid()))
    for number in itertools.count(1):
        say(to, number)
        if number % BURST == BURST - 1:
            receive("more")


def kill(pid: Pid) -> None:
    receive(("speaks", pid), timeout=HANG)
    Process.exit(pid, "kill")


def kill_senders(
    node: LocalNode, reader_there: Pid, monkeypatch: pytest.MonkeyPatch, ways: list[Any], kills: int
) -> None:
    """Starts senders one after the other, and kills the oldest while the younger ones send."""
    finished = Finished(node, monkeypatch)

    def killer() -> None:
        living: list[Pid] = []
        for way in itertools.islice(itertools.cycle(ways), kills):
            pid = spawn(functools.partial(sender, say=way), reader_there, own_pid())
            send(reader_there, ("watch", pid))
            living.append(pid)
            if len(living) == ALIVE_AT_ONCE:
                kill(living.pop(0))
        for pid in living:
            kill(pid)

    as_process(node, killer, hang=WORK)
    finished.wait_for(kills + 1)


class TestKillsOfSenders:
    def test_kills_of_senders_to_a_reader_on_the_same_node(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        over, complaints, seen = threading.Event(), list[str](), list[int]()
        pid, _ = node.processes.spawn(lambda: reader(over, complaints, seen), ())
        kill_senders(node, pid, monkeypatch, WAYS, KILLS)
        node.sending.send(pid, "stop")  # after everything else
        wait_for(over, hang=WORK)
        assert complaints == []
        assert seen > [KILLS]
        assert end_of(node, pid) in {"normal", "noproc"}
        until(lambda: len(node.kernel.tables.processes.all()) == 0)
        tables_agree(node, alive=set())
        no_lock_is_held(node)

    def test_kills_of_senders_to_a_reader_on_another_node(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        over, complaints, seen = threading.Event(), list[str](), list[int]()
        pid, _ = b.processes.spawn(lambda: reader(over, complaints, seen), ())
        as_process(a, lambda: pyx.Node.ping("b@test"))
        kill_senders(a, seen_from(a, b, pid), monkeypatch, WAYS, KILLS)
        a.sending.send(seen_from(a, b, pid), "stop")  # after everything else
        wait_for(over, hang=WORK)
        assert complaints == []
        assert seen > [KILLS]
        tables_agree(a, alive=set())
        for node in (a, b):
            no_lock_is_held(node)
        assert as_process(a, lambda: pyx.Node.ping("b@test")) == "pong"


# ---------------------------------------------------------------- kills in every wait


@pytest.fixture
def frozen(nodes: LocalNodes) -> Iterator[tuple[LocalNode, Pid]]:
    """A node a, connected to a node b that has a process and answers nothing any more."""
    a, b = nodes.start("a"), nodes.start("b")
    as_process(a, lambda: Node.ping("b@test"))
    pid, _ = b.processes.spawn(receive, ())
    standing, thawed = threading.Event(), threading.Event()
    b.transport_loop.soon(lambda: (standing.set(), thawed.wait(HANG)))
    wait_for(standing)
    yield a, seen_from(a, b, pid)
    thawed.set()


WAITS: dict[str, Callable[[Pid], Any]] = {
    "receive": lambda _: receive(),
    "receive with a time-out": lambda _: receive("never", timeout=1000),
    "sleep": lambda _: Process.sleep(1000),
    "sleep for ever": lambda _: Process.sleep(None),
    "rpc.call": lambda _: rpc.call("b@test", "os", "getpid"),
    "rpc.multicall": lambda _: rpc.multicall(["a@test", "b@test"], "os", "getpid", timeout=1000),
    "Process.info": Process.info,
    "Process.is_alive": Process.is_alive,
    "Node.ping": lambda _: Node.ping("b@test"),
    "Node.spawn": lambda _: Node.spawn("b@test", "os", "getpid"),
    "a loop of its own, receiving": lambda _: asyncio.run(aio.receive()),
    "a loop of its own, sleeping": lambda _: asyncio.run(aio.sleep(1000)),
    "a loop of its own, calling": lambda _: asyncio.run(aio.rpc.call("b@test", "os", "getpid")),
}

AWAITS: dict[str, Callable[[Pid], Coroutine[Any, Any, Any]]] = {
    "receive": lambda _: aio.receive(),
    "receive with a time-out": lambda _: aio.receive("never", timeout=1000),
    "sleep": lambda _: aio.sleep(1000),
    "sleep for ever": lambda _: aio.sleep(None),
    "rpc.call": lambda _: aio.rpc.call("b@test", "os", "getpid"),
    "rpc.multicall": lambda _: aio.rpc.multicall(["a@test", "b@test"], "os", "getpid", timeout=1000),
    "Process.info": aio.Process.info,
    "Process.is_alive": aio.Process.is_alive,
    "Node.ping": lambda _: aio.Node.ping("b@test"),
    "Node.spawn": lambda _: aio.Node.spawn("b@test", "os", "getpid"),
    "asyncio's own": lambda _: asyncio.sleep(1000),
}


class TestKillsOfWaiters:
    @pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
    @pytest.mark.filterwarnings(
        # The kill may come while `asyncio.run` closes that loop: user code, left half done like any other.
        "ignore::pytest.PytestUnraisableExceptionWarning"
    )
    def test_kills_of_waiting_threads(
        self, wait: Callable[[Pid], Any], frozen: tuple[LocalNode, Pid], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a, there = frozen
        self.kill(a, lambda: wait(there), monkeypatch)

    @pytest.mark.parametrize("wait", AWAITS.values(), ids=AWAITS.keys())
    def test_kills_of_waiting_tasks(
        self,
        wait: Callable[[Pid], Coroutine[Any, Any, Any]],
        frozen: tuple[LocalNode, Pid],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        a, there = frozen

        async def waiter() -> None:
            await wait(there)

        self.kill(a, waiter, monkeypatch)

    def kill(self, node: LocalNode, function: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """Kills it while it sleeps, and at once, when it may be anywhere on its way."""
        for at_once in (False, True) * 5:
            finished = Finished(node, monkeypatch)
            pid, _ = node.processes.spawn(function, ())
            process = node.kernel.tables.find(pid)
            assert process is not None
            if not at_once:
                until(lambda process=process: is_asleep(process.runner))  # type: ignore[misc]
            in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
            assert not process.alive
            finished.wait_for(1)
            monkeypatch.undo()
        # No request waits any more; the one that only a spawn's link would need stays.
        until(lambda: all(one.waiter is None for one in node.kernel.pending.values()))
        until(lambda: len(node.processes.kills) == 0)
        no_lock_is_held(node)


def is_asleep(runner: Any) -> bool:
    if runner is None:
        return False
    if runner.task is not None and not runner.is_waiting:  # in a wait of asyncio's
        return runner.task._fut_waiter is not None
    return bool(runner.is_waiting)


class TestCodeOfDeadProcesses:
    """A process that catches ProcessKilled is dead all the same, and every primitive raises."""

    def test_thread_left_behind_by_a_process_is_refused(self, node: LocalNode) -> None:
        refused: list[str] = []
        lines = io.StringIO()

        def stubborn(runner: Runner) -> None:
            with pytest.raises(ProcessKilled):
                in_kernel(node, node.kernel.process_signals.exit, Pid(0), runner.process.pid, "kill")
            for act in (
                lambda: send(own_pid(), "x"),
                lambda: receive(timeout=0),
                lambda: Process.sleep(0),
                lambda: spawn(receive),
                lambda: Process.exit(Pid(99), "x"),
                make_ref,
                lambda: StdoutRouter(lines).write("a line\n"),
                lambda: rpc.call(Node.self(), "os", "getpid"),
                lambda: rpc.cast(Node.self(), "os", "getpid"),
                lambda: Process.send_after(Pid(99), "x", 0),
            ):
                try:
                    act()
                except ProcessKilled:
                    refused.append("refused")

        in_the_name_of_a_process(node, stubborn)
        assert refused == ["refused"] * 10
        assert lines.getvalue() == ""

    def test_task_of_a_dead_process_is_refused(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused: list[str] = []
        finished = Finished(node, monkeypatch)

        async def stubborn() -> None:
            try:
                await aio.receive()
            except (asyncio.CancelledError, ProcessKilled):  # the kill wakes it, and cancels it
                pass
            for act in (lambda: aio.receive(timeout=0), lambda: aio.sleep(0), lambda: aio.Node.ping("a@b")):
                try:
                    await act()
                except ProcessKilled:
                    refused.append("refused")
            await asyncio.sleep(0)  # asyncio's own calls are not refused
            send(own_pid(), "x")

        pid, _ = node.processes.spawn(stubborn, ())
        process = node.kernel.tables.find(pid)
        assert process is not None
        until(lambda: process.waiting)
        node.tasks._own.call(lambda: None)  # the task has left the kernel call that marks it as waiting
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        finished.wait_for(1)
        assert refused == ["refused"] * 2  # a ping of a node without a name sends nothing
        assert len(node.processes.kills) == 0

    def test_killed_thread_in_a_call_of_c_is_counted_and_its_prints_are_dropped(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown: list[str] = []
        monkeypatch.setattr(sys, "stdout", StdoutRouter(io.StringIO()))
        node.output.writer._write = lambda text, _: shown.append(text)
        begun, in_c = threading.Lock(), threading.Lock()
        begun.acquire()
        in_c.acquire()
        finished = Finished(node, monkeypatch)

        def busy() -> None:
            print("before")
            steps: list[Callable[[], object]] = [begun.release, in_c.acquire]
            begins_in_c = map(operator.call, steps)
            try:
                list(begins_in_c)
            except ProcessKilled:
                print("after")

        pid, _ = node.processes.spawn(busy, ())
        assert begun.acquire(timeout=HANG)
        until(lambda: shown == ["before\n"])
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        assert len(node.processes.kills) == 1
        in_c.release()
        finished.wait_for(1)
        assert len(node.processes.kills) == 0
        assert shown == ["before\n"]


# ---------------------------------------------------------------- kills of tasks


def test_kills_of_sending_tasks(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    over, complaints, seen = threading.Event(), list[str](), list[int]()
    pid, _ = node.processes.spawn(lambda: reader(over, complaints, seen), ())
    kills = KILLS // 5
    finished = Finished(node, monkeypatch)

    async def talker(to: Pid, killer: Pid) -> None:
        await aio.receive("go")
        for number in itertools.count():
            send(to, (own_pid(), number))
            if not number:
                send(killer, ("speaks", own_pid()))
            if number % BURST == BURST - 1:
                await aio.receive("more")
            else:
                await aio.sleep(0)

    def killer() -> None:
        living: list[Pid] = []
        for _ in range(kills):
            living.append(spawn(talker, pid, own_pid()))
            send(pid, ("watch", living[-1]))
            if len(living) == ALIVE_AT_ONCE:
                kill(living.pop(0))
        for one in living:
            kill(one)

    as_process(node, killer, hang=WORK)
    finished.wait_for(kills + 1)
    node.sending.send(pid, "stop")
    wait_for(over)
    assert complaints == []
    assert seen > [kills]
    assert len(node.processes.kills) == 0
    no_lock_is_held(node)


# ---------------------------------------------------------------- finalizers


class Dropped:
    """Garbage that acts when it is collected; a cycle, so that only a collection frees it."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.me = self

    def __del__(self) -> None:
        self.act()


class TestFinalizers:
    def test_finalizer_that_sends_in_a_kernel_call_has_sent_at_its_end(self, node: LocalNode) -> None:
        def body() -> Any:
            me = own_pid()
            box = [Dropped(lambda: send(me, "from a finalizer"))]
            box[0].me = None  # type: ignore[assignment]
            in_kernel(node, box.clear)  # the last reference goes under the lock
            return receive(timeout=0)

        assert as_process(node, body) == "from a finalizer"

    def test_finalizer_that_asks_in_a_kernel_call_is_refused(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused: list[Any] = []
        monkeypatch.setattr(sys, "unraisablehook", lambda report: refused.append(type(report.exc_value)))
        for act in (make_ref, Process.registered, lambda: spawn(receive), lambda: Process.list()):
            box = [Dropped(act)]
            box[0].me = None  # type: ignore[assignment]
            in_kernel(node, box.clear)
        assert refused == [pyx.errors.Reentered] * 4
        no_lock_is_held(node)

    def test_finalizers_keep_the_order_of_their_thread(self, node: LocalNode) -> None:
        """Other threads leave kernel calls all the time; none may make this thread's deferred calls."""
        stop = threading.Event()

        def calls() -> None:
            while not stop.is_set():
                make_ref()

        def body() -> list[Any]:
            me = own_pid()
            for number in range(0, 2000, 2):
                box = [Dropped(lambda number=number: send(me, number))]  # type: ignore[misc]
                box[0].me = None  # type: ignore[assignment]
                in_kernel(node, box.clear)
                send(me, number + 1)
            return [receive() for _ in range(2000)]

        others = [Running(node, calls) for _ in range(3)]
        try:
            assert as_process(node, body) == list(range(2000))
        finally:
            stop.set()
            for other in others:
                other.outcome()

    def test_garbage_collections_at_any_moment(self, node: LocalNode) -> None:
        """Garbage that sends is collected wherever pyx allocates: in receive, in send, in a spawn."""
        each, workers = 300, 4

        def worker(to: Pid) -> None:
            for number in range(each):
                Dropped(lambda number=number: send(to, ("dropped", number)))  # type: ignore[misc]
                send(own_pid(), [number])
                receive([number])
                spawn_monitor(lambda: None)
                receive(("DOWN", ..., ..., ..., ...))

        def body() -> int:
            for _ in range(workers):
                spawn_monitor(worker, own_pid())
            for _ in range(workers):
                receive(("DOWN", ..., ..., ..., ...), timeout=HANG)
            gc.collect()  # what has got old: with many objects elsewhere Python would not look at it
            for _ in range(each * workers):
                receive(("dropped", ...), timeout=HANG)
            return len(drain())

        before = gc.get_threshold()
        gc.set_threshold(7, 2, 2)
        try:
            assert as_process(node, body) == 0
        finally:
            gc.set_threshold(*before)
        no_lock_is_held(node)


def drain() -> list[Any]:
    gc.collect()
    left: list[Any] = []
    try:
        while True:
            left.append(receive(timeout=0))
    except pyx.ReceiveTimeout:
        return left


# ---------------------------------------------------------------- many


def test_ten_thousand_tasks(node: LocalNode) -> None:
    async def echo() -> None:
        frm, word = await aio.receive()
        send(frm, (own_pid(), word))

    def body() -> set[Any]:
        pids = [spawn(echo) for _ in range(10_000)]
        for pid in pids:
            send(pid, (own_pid(), "hello"))
        # Tasks that were awake answer before those that are woken: in no particular order.
        answered = {receive((pyx.Pid, "hello"), timeout=WORK)[0] for _ in pids}
        assert answered == set(pids)
        return answered

    assert len(as_process(node, body, hang=WORK)) == 10_000
    until(lambda: not node.kernel.tables.processes.all())
    tables_agree(node, alive=set())


def test_thread_runs_one_process_after_the_other(node: LocalNode) -> None:
    threads: set[int] = set()

    def body() -> None:
        for _ in range(1_000):
            spawn_monitor(lambda: threads.add(threading.get_ident()))
            receive(("DOWN", ..., "process", ..., "normal"))

    as_process(node, body)
    # One is enough, but that a process ended is known a moment before its thread is free.
    assert len(threads) < 50


# ---------------------------------------------------------------- a main thread, forks


def test_interrupts_of_sends_are_all_raised(home: str) -> None:
    assert programs.run(programs.sends_under_interrupts, home) == "every interrupt was raised\n"


def test_interrupts_of_receives_are_raised(home: str) -> None:
    assert int(programs.run(programs.receives_under_interrupts, home)) > 0


def test_node_survives_a_fork(home: str) -> None:
    assert programs.run(programs.forks, home) == "still a node\n"


def test_end_of_the_interpreter_waits_for_no_process(home: str) -> None:
    assert programs.run(programs.leaves_while_processes_run, home) == "bye\n"
