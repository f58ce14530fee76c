"""reading_waits.py: A thread reads the answer that it waits for; kills, Ctrl-C and time-outs end the wait."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from pyx import Node, aio, fast_paths, receive, rpc, send
from pyx.errors import Reentered, RpcNoConnection, RpcTimeout
from pyx.execution import reading_waits
from pyx.runtime import peer_connections
from tests.blocked import Blocked
from tests.local_nodes import (
    HANG,
    Ended,
    Running,
    as_process,
    in_kernel,
    seen_from,
    start_node,
    until,
    wait_for,
)
from tests.net.test_epmd_client import port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.net.watch import Watch
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

__all__ = ["port"]  # a fixture

pytestmark = pytest.mark.skipif(
    not (hasattr(select, "epoll") and hasattr(os, "eventfd")), reason="the watch is lent on Linux only"
)


@pytest.fixture(params=["unix", "tls"])
def pair(
    port: int, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Any:
    """Two connected nodes, whose connections are ready to lend their watches."""
    assert port  # EPMD's, of this test alone
    monkeypatch.setattr(fast_paths, "enabled", True)
    monkeypatch.setattr(reading_waits, "_QUICK_SECONDS", HANG)  # a busy machine changes nothing
    if request.param == "unix":
        a, b = nodes.start("a"), nodes.start("b")
    else:
        a, b = nodes.make(), nodes.make()
        start_node(a, "a@127.0.0.1", long=True)
        start_node(b, "b@127.0.0.2", long=True)
    there = b.kernel.tables.name
    until(lambda: as_process(a, lambda: Node.connect(there)) is True)
    makes_ready(a, there)
    return a, b


def makes_ready(a: LocalNode, there: str) -> None:
    peer = a.kernel.tables.peers[there]
    until(
        lambda: (
            as_process(a, lambda: rpc.call(there, "operator", "add", [1, 2])) == 3
            and peer.connection.watch.bell
        )
    )


@pytest.fixture
def expects_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process is expected to wait at once after a lone message, however its last ones went."""
    monkeypatch.setattr(reading_waits, "_QUICK_WAITS", 0)


class Readers:
    """The threads that have handed signals to a kernel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        hand_over = peer_connections._PeerReceiver.signals_received

        def noted(receiver: Any, signals: list[Any]) -> None:
            self.seen.append(threading.current_thread().name)
            hand_over(receiver, signals)

        monkeypatch.setattr(peer_connections._PeerReceiver, "signals_received", noted)


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Readers:
    return Readers(monkeypatch)


def test_caller_reads_its_answer_itself(pair: Any, readers: Readers) -> None:
    a, b = pair
    there = b.kernel.tables.name

    def calls() -> None:
        while threading.current_thread().name not in readers.seen:  # on a busy machine the loop takes some
            assert [rpc.call(there, "operator", "add", [n, 1]) for n in range(50)] == list(range(1, 51))

    as_process(a, calls)


def test_thread_that_has_answered_reads_the_next_call(pair: Any, readers: Readers) -> None:
    a, b = pair
    there = b.kernel.tables.name

    def calls() -> None:
        caller = threading.current_thread().name
        while not any(name.startswith("pyx-process-") and name != caller for name in readers.seen):
            rpc.call(there, "operator", "add", [1, 2])

    as_process(a, calls)


@pytest.mark.usefixtures("expects_answers")
def test_receiver_reads_the_reply_to_its_message(pair: Any, readers: Readers) -> None:
    a, b = pair

    def echo() -> None:
        while True:
            send(receive(), "reply")

    echoing = Running(b, echo)

    def asks() -> None:
        while threading.current_thread().name not in readers.seen:
            send(seen_from(a, b, echoing.pid), pyx.self())
            assert receive(timeout=60) == "reply"

    as_process(a, asks)
    in_kernel(b, b.kernel.process_signals.exit, echoing.pid, echoing.pid, "kill")


@pytest.mark.parametrize(
    "call",
    [
        lambda node: rpc.call(node, "time", "sleep", [60]),
        lambda node: rpc.call(node, "time", "sleep", [60], timeout=50),
        lambda node: (send(("nobody", node), 1), receive()),
        lambda node: (send(("nobody", node), 1), receive(timeout=50)),
    ],
)
def test_kill_ends_a_wait_that_reads(pair: Any, call: Callable[[str], Any]) -> None:
    a, b = pair
    there = b.kernel.tables.name
    waiting = Running(a, lambda: call(there))
    process = a.kernel.tables.find(waiting.pid)
    assert process is not None
    ended = Ended(a, waiting.pid)
    until(lambda: process.runner is not None and process.runner.is_waiting)
    in_kernel(a, a.kernel.process_signals.exit, waiting.pid, waiting.pid, "kill")
    wait_for(ended)
    assert ended.reason == "killed"
    assert as_process(a, lambda: rpc.call(there, "operator", "add", [1, 2])) == 3
    until(lambda: not a.kernel.tables.peers[there].connection.watch.is_lent)


class Callee:
    """A function that a node calls, which ends when the test lets it."""

    goes_on = threading.Event()
    ended = threading.Event()

    @classmethod
    def waits(cls) -> None:
        wait_for(cls.goes_on)
        cls.ended.set()


callee_waits = Callee.waits


@pytest.fixture
def callee() -> Iterator[None]:
    Callee.goes_on.clear()
    Callee.ended.clear()
    yield
    Callee.goes_on.set()


@pytest.mark.usefixtures("callee")
def test_time_out_ends_a_wait_that_reads(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name

    def calls() -> None:
        for seconds in (0.001, 0.03, 0.08):
            with pytest.raises(RpcTimeout):
                rpc.call(there, __name__, "callee_waits", timeout=seconds)
            assert rpc.call(there, "operator", "add", [1, 2], timeout=60) == 3

    as_process(a, calls)


def test_answer_after_the_watch_was_given_back_arrives(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name
    assert as_process(a, lambda: rpc.call(there, "time", "sleep", [0.2])) is None


def test_message_from_the_own_node_wakes_a_receiver_that_reads(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name
    waiting = Running(a, lambda: (send(("nobody", there), 1), receive(timeout=60))[1])
    process = a.kernel.tables.find(waiting.pid)
    assert process is not None
    until(lambda: process.waiting)
    as_process(a, lambda: send(waiting.pid, "from here"))
    assert waiting.outcome() == "from here"


def test_many_callers_on_one_connection_get_their_own_answers(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name

    def calls(first: int) -> list[int]:
        return [rpc.call(there, "operator", "add", [n, 1]) for n in range(first, first + 100)]

    callers = [Running(a, lambda first=1000 * n: calls(first)) for n in range(8)]  # type: ignore[misc]
    for n, caller in enumerate(callers):
        assert caller.outcome() == list(range(1000 * n + 1, 1000 * n + 101))


def test_nodes_that_call_each_other_back_do_not_wait_for_each_other(pair: Any) -> None:
    a, b = pair
    here, there = a.kernel.tables.name, b.kernel.tables.name
    called_back = "pyx.rpc"
    assert as_process(
        a,
        lambda: [rpc.call(there, called_back, "call", [here, "operator", "add", [n, 1]]) for n in range(20)],
    ) == list(range(1, 21))


def test_caller_near_its_recursion_limit_leaves_the_reading_to_the_loop(pair: Any, readers: Readers) -> None:
    a, b = pair
    there = b.kernel.tables.name

    def deeper(left: int) -> Any:
        if left:
            return deeper(left - 1)
        readers.seen.clear()
        return rpc.call(there, "operator", "add", [1, 2]), threading.current_thread().name

    def calls() -> Any:
        depth = 0
        frame = sys._getframe()
        while frame.f_back is not None:
            frame, depth = frame.f_back, depth + 1
        return deeper(sys.getrecursionlimit() - depth - 250)

    value, name = as_process(a, calls)
    assert value == 3
    assert name not in readers.seen


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # coroutines of the last frames
def test_recursion_without_end_leaves_a_node_that_can_be_called(pair: Any) -> None:
    """Wherever pyx meets the end of the stack: the connection goes on, or ends and is made again."""
    _, b = pair
    there = b.kernel.tables.name

    def call_at(depth: int) -> Any:
        return call_at(depth - 1) if depth else rpc.call(there, "operator", "add", [1, 2], timeout=0.1)

    for depth in range(sys.getrecursionlimit() - 150, sys.getrecursionlimit()):
        with contextlib.suppress(RecursionError, RpcNoConnection, RpcTimeout):
            call_at(depth)
    until(lambda: Node.connect(there) is True)
    assert rpc.call(there, "operator", "add", [1, 2], timeout=HANG) == 3


def test_lost_node_ends_a_wait_that_reads(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name

    def calls() -> None:
        with pytest.raises(RpcNoConnection):
            rpc.call(there, "time", "sleep", [60])

    waiting = Running(a, calls)
    process = a.kernel.tables.find(waiting.pid)
    assert process is not None
    until(lambda: process.runner is not None and process.runner.is_waiting)
    as_process(a, lambda: Node.disconnect(there))
    waiting.outcome()


def signalled_once_it_waits(number: signal.Signals) -> threading.Thread:
    """Starts a thread that sends the main one a signal when that waits (see `tests/blocked.py`)."""
    main = threading.main_thread()

    def sends() -> None:
        until(Blocked(os.getpid(), main.native_id))
        assert main.ident is not None
        signal.pthread_kill(main.ident, number)

    sender = threading.Thread(target=sends)
    sender.start()
    return sender


@pytest.mark.usefixtures("callee")
def test_handler_of_a_signal_may_call_the_node_that_the_main_thread_waits_for(pair: Any) -> None:
    _, b = pair
    there = b.kernel.tables.name
    assert threading.current_thread() is threading.main_thread()
    called: list[Any] = []

    def handler(*_: object) -> None:
        called.append(rpc.call(there, "operator", "add", [1, 2], timeout=60))
        Callee.goes_on.set()

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        sender = signalled_once_it_waits(signal.SIGUSR1)
        assert rpc.call(there, __name__, "callee_waits") is None
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert called == [3]


@pytest.mark.parametrize(
    "call",
    [
        lambda there: rpc.call(there, "operator", "add", [1, 2], timeout=HANG),
        lambda there: Node.ping(there),
        lambda _: receive(timeout=HANG),
    ],
)
def test_finalizer_that_interrupts_a_thread_as_it_reads_waits_for_no_answer(
    pair: Any, monkeypatch: pytest.MonkeyPatch, call: Callable[[str], Any]
) -> None:
    a, b = pair
    there = b.kernel.tables.name
    errors: list[Exception] = []
    hand_over = peer_connections._PeerReceiver.signals_received
    reader: list[int] = []

    def interrupted(receiver: Any, signals: list[Any]) -> None:
        if not errors and threading.get_ident() in reader:
            try:
                call(there)
            except Exception as error:
                errors.append(error)
        hand_over(receiver, signals)

    def calls() -> None:
        reader.append(threading.get_ident())
        while not errors:
            assert rpc.call(there, "operator", "add", [1, 2], timeout=HANG) == 3

    monkeypatch.setattr(peer_connections._PeerReceiver, "signals_received", interrupted)
    as_process(a, calls)
    assert type(errors[0]) is Reentered
    assert as_process(a, lambda: rpc.call(there, "operator", "add", [1, 2])) == 3


@pytest.mark.usefixtures("callee")
def test_ctrl_c_ends_a_wait_in_which_a_handler_has_waited(pair: Any) -> None:
    _, b = pair
    there = b.kernel.tables.name
    called: list[Any] = []

    def handler(*_: object) -> None:
        called.append(rpc.call(there, "operator", "add", [1, 2], timeout=60))
        signalled_once_it_waits(signal.SIGINT)

    def waits() -> None:
        signalled_once_it_waits(signal.SIGUSR1)
        rpc.call(there, __name__, "callee_waits")

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            waits()
        assert not Callee.ended.is_set()  # the interrupt came in the wait, not after it
    finally:
        signal.signal(signal.SIGUSR1, before)
        Callee.goes_on.set()
    assert called == [3]
    wait_for(Callee.ended)


def call_until_interrupted(there: str) -> None:
    """Calls for ever; Ctrl-C comes after some milliseconds."""
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.005, signal.pthread_kill, (main, signal.SIGINT)).start()
    while True:
        rpc.call(there, "operator", "add", [1, 2], timeout=60)


def test_ctrl_c_ends_a_wait_that_reads(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name
    for _ in range(20):
        with pytest.raises(KeyboardInterrupt):
            call_until_interrupted(there)
    assert rpc.call(there, "operator", "add", [1, 2], timeout=60) == 3
    until(lambda: not a.kernel.tables.peers[there].connection.watch.is_lent)


class Echo:
    """A process of the other node that answers each message at once."""

    def __init__(self, a: LocalNode, b: LocalNode) -> None:
        self.running = Running(b, self.echo)
        self.pid = seen_from(a, b, self.running.pid)

    def echo(self) -> None:
        while True:
            send(receive(), "reply")

    def asks(self, times: int) -> None:
        for _ in range(times):
            send(self.pid, pyx.self())
            assert receive(timeout=60) == "reply"

    def asks_until_lent(self, watch: Watch) -> None:
        """Asks once with the watch borrowed; on a busy machine the loop may have it back already."""
        send(self.pid, pyx.self())
        while not watch.is_lent:
            assert receive(timeout=60) == "reply"
            send(self.pid, pyx.self())


@pytest.mark.usefixtures("expects_answers")
def test_process_that_computes_after_a_question_does_not_keep_its_node_from_reading(pair: Any) -> None:
    """Though it has always waited for the answer at once before."""
    a, b = pair
    there = b.kernel.tables.name
    echo, goes_on, is_asked = Echo(a, b), threading.Event(), threading.Event()
    watch = a.kernel.tables.peers[there].connection.watch

    def asks_and_computes() -> None:
        echo.asks(50)
        echo.asks_until_lent(watch)
        is_asked.set()
        assert goes_on.wait(60)
        assert receive(timeout=60) == "reply"

    asking = Running(a, asks_and_computes)
    wait_for(is_asked)
    assert as_process(a, lambda: rpc.call(there, "operator", "add", [1, 2], timeout=60)) == 3
    goes_on.set()
    asking.outcome()
    until(lambda: not watch.is_lent)


@pytest.mark.usefixtures("expects_answers")
@pytest.mark.parametrize("end", ["returns", "is killed", "calls"])
def test_process_that_ends_without_waiting_for_the_answer_gives_the_watch_back(pair: Any, end: str) -> None:
    a, b = pair
    there = b.kernel.tables.name
    echo, is_asked = Echo(a, b), threading.Event()
    watch = a.kernel.tables.peers[there].connection.watch

    def asks() -> None:
        echo.asks(50)
        echo.asks_until_lent(watch)
        is_asked.set()
        if end == "is killed":
            while True:
                time.sleep(0.001)
        if end == "calls":
            assert rpc.call(there, "operator", "add", [1, 2], timeout=60) == 3

    asking = Running(a, asks)
    wait_for(is_asked)
    if end == "is killed":
        ended = Ended(a, asking.pid)
        in_kernel(a, a.kernel.process_signals.exit, asking.pid, asking.pid, "kill")
        wait_for(ended)
    else:
        asking.outcome()
    until(lambda: not watch.is_lent)


def test_process_that_sends_a_stream_reads_nothing_itself(pair: Any, readers: Readers) -> None:
    a, b = pair
    echo = Echo(a, b)

    def sends() -> str:
        for _ in range(500):
            send(echo.pid, pyx.self())
        for _ in range(500):
            assert receive(timeout=60) == "reply"
        readers.seen.clear()
        for _ in range(500):
            send(echo.pid, pyx.self())
        for _ in range(500):
            assert receive(timeout=60) == "reply"
        return threading.current_thread().name

    name = as_process(a, sends)
    assert name not in readers.seen


async def asks_often(there: str, times: int) -> str:
    for n in range(times):
        assert await aio.rpc.call(there, "operator", "add", [n, 1]) == n + 1
    return threading.current_thread().name


def test_loop_of_async_processes_reads_their_answers(pair: Any, readers: Readers) -> None:
    a, b = pair

    async def asks_until_it_reads() -> None:
        while await asks_often(b.kernel.tables.name, 50) not in readers.seen:
            pass  # on a busy machine its loop may lose each watch before the answer comes

    RunningOnLoop(a, asks_until_it_reads).outcome()


def test_coroutine_that_blocks_the_loop_does_not_keep_its_node_from_reading(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name
    is_blocked, goes_on = threading.Event(), threading.Event()

    async def blocks() -> bool:
        await asks_often(there, 50)
        is_blocked.set()
        return goes_on.wait(60)

    blocking = RunningOnLoop(a, blocks)
    wait_for(is_blocked)
    assert as_process(a, lambda: rpc.call(there, "operator", "add", [1, 2], timeout=60)) == 3
    assert as_process(b, lambda: rpc.call(a.kernel.tables.name, "operator", "add", [1, 2], timeout=60)) == 3
    goes_on.set()
    assert blocking.outcome()


@pytest.mark.usefixtures("callee")
@pytest.mark.parametrize("seconds", [0.001, 0.03])
def test_time_out_ends_the_wait_of_a_coroutine(pair: Any, seconds: float) -> None:
    a, b = pair
    there = b.kernel.tables.name

    async def asks() -> None:
        await asks_often(there, 20)
        with pytest.raises(RpcTimeout):
            await aio.rpc.call(there, __name__, "callee_waits", timeout=seconds)
        await asks_often(there, 20)

    RunningOnLoop(a, asks).outcome()


def test_kill_ends_the_wait_of_a_coroutine_whose_loop_reads(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name

    async def asks() -> None:
        await asks_often(there, 20)
        await aio.rpc.call(there, "time", "sleep", [60])

    asking = RunningOnLoop(a, asks)
    process = a.kernel.tables.find(asking.pid)
    assert process is not None
    until(lambda: process.runner is not None and process.runner.is_waiting)
    ended = Ended(a, asking.pid)
    in_kernel(a, a.kernel.process_signals.exit, asking.pid, asking.pid, "kill")
    wait_for(ended)
    assert ended.reason == "killed"
    RunningOnLoop(a, lambda: asks_often(there, 20)).outcome()


def test_messages_between_coroutines_of_two_nodes_keep_their_order(pair: Any) -> None:
    a, b = pair

    async def echo() -> None:
        while (message := await aio.receive()) != "stop":
            await aio.send(message[0], message[1])

    echoing = RunningOnLoop(b, echo)
    echo_pid = seen_from(a, b, echoing.pid)

    async def asks() -> list[int]:
        me, got = pyx.self(), []
        for n in range(100):  # lone messages and bursts in turns
            for part in range(1 + n % 3):
                await aio.send(echo_pid, (me, 3 * n + part))
            got += [await aio.receive(timeout=60) for _ in range(1 + n % 3)]
        await aio.send(echo_pid, "stop")
        return got

    assert RunningOnLoop(a, asks).outcome() == [3 * n + part for n in range(100) for part in range(1 + n % 3)]
    echoing.outcome()


def test_lost_node_ends_the_wait_of_a_coroutine_and_frees_the_descriptors(pair: Any) -> None:
    a, b = pair
    there = b.kernel.tables.name

    async def asks() -> None:
        for _ in range(3):
            await asks_often(there, 20)
            Node.disconnect(there)
            with contextlib.suppress(RpcNoConnection):
                await aio.rpc.call(there, "time", "sleep", [0.01])

    RunningOnLoop(a, asks).outcome()
    as_process(a, lambda: Node.disconnect(there))
    until(lambda: not in_kernel(b, b.kernel.membership.nodes, ["connected"]))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        RunningOnLoop(a, asks).outcome()
        as_process(a, lambda: Node.disconnect(there))
        until(lambda: not in_kernel(b, b.kernel.membership.nodes, ["connected"]))
    until(lambda: len(os.listdir("/proc/self/fd")) <= before)


class RunningOnLoop:
    """A coroutine function that runs as a process on the process loop: its pid, its result or exception."""

    def __init__(self, node: LocalNode, function: Callable[[], Any]) -> None:
        self._over = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None

        async def run() -> None:
            try:
                self._value = await function()
            except BaseException as error:
                self._error = error
                raise
            finally:
                self._over.set()

        self.pid, _ = node.processes.spawn(run, ())

    def outcome(self) -> Any:
        """Waits for the end; returns the result or raises the exception of the function."""
        wait_for(self._over)
        if self._error is not None:
            raise self._error
        return self._value
