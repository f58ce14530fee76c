"""Programs that need a main thread, a process or a fork of their own; `run` runs one of them to its end.

A program says what went wrong by an exception, so by its exit code and stderr.
"""

from __future__ import annotations

import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyx
from pyx import Node, NotAProcess, Process, receive, self, send, spawn
from pyx.execution.interrupts import guard_main_thread
from pyx.runtime.local_node import LocalNode, this_node
from pyx.runtime.shell_process import shell_process
from tests.local_nodes import HANG, as_process, seen_from, start_node, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from pyx.terms import Pid

ROOT = str(Path(pyx.__file__).parents[1])
INTERRUPTS = 1_000


def run(program: Callable[[], None], home: str) -> str:
    """Returns what *program* prints in a new Python."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore:.*fork:DeprecationWarning",
            "-c",
            f"from {__name__} import {program.__name__} as program; program()",
        ],
        env={**os.environ, "PYTHONPATH": ROOT, "HOME": home, "PYX_RUNTIME_DIR": home},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# ---------------------------------------------------------------- Ctrl-C


class Interrupter:
    """Sends SIGINT to the main thread again and again, each time after the one before has been raised."""

    def __init__(self, number: int) -> None:
        self.raised = 0
        self._number = number
        self._heard: queue.SimpleQueue[None] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        for _ in range(self._number):
            self._heard.get(timeout=HANG)
            signal.pthread_kill(main, signal.SIGINT)

    def listen(self) -> None:
        """Has the next interrupt sent.  Call it where that is caught, as it may come at once."""
        self._heard.put(None)

    @property
    def is_over(self) -> bool:
        return self.raised == self._number


def rounds(interrupter: Interrupter, work: Callable[[], None], judge: Callable[[bool], None]) -> None:
    """Does *work* again and again; *judge* is told of each interrupt whether it left a call of pyx."""
    while not interrupter.is_over:
        try:
            interrupter.listen()
            while True:
                work()
        except KeyboardInterrupt as interrupt:
            judge(is_from_pyx(interrupt))
            interrupter.raised += 1


def is_from_pyx(interrupt: KeyboardInterrupt) -> bool:
    """True if it was raised on the way out of pyx or in a wait; an error if it was raised inside pyx."""
    frames = list(calls(interrupt.__traceback__))
    pyx_calls = [name for name, ours in frames if ours]
    interrupted_code = list(itertools.takewhile(lambda name: name != "interrupted", pyx_calls))
    if interrupted_code == pyx_calls:  # raised on leaving a kernel call, or before a wait
        assert pyx_calls[-2:] == ["raise_pending", "_raise_interrupt"], traceback.format_exception(interrupt)
        assert pyx_calls[-3] in {"has_left", "about_to_wait"}
        return True
    # Raised by the handler itself: in user code, or in a wait.
    assert not interrupted_code or interrupted_code[-1] in {"wait", "wait_through"}, frames
    return bool(interrupted_code)


def calls(frames: TracebackType | None) -> Iterator[tuple[str, bool]]:
    while frames is not None:
        code = frames.tb_frame.f_code
        yield code.co_name, code.co_filename.startswith(str(Path(pyx.__file__).parent))
        frames = frames.tb_next


class Silent:
    """A console that shows nothing."""

    def write(self, text: str, *, frm: Pid) -> None: ...


def two_nodes() -> tuple[LocalNode, LocalNode]:

    a, b = this_node(), LocalNode()
    start_node(a, "a@test")
    start_node(b, "b@test")
    return a, b


def sends_under_interrupts() -> None:
    """The main thread is a shell that sends to two readers, one here and one on another node."""
    guard_main_thread()
    sys.setswitchinterval(0.0001)  # many threads want to run: at 5 ms each an interrupt takes long to be sent
    a, b = two_nodes()
    got: dict[LocalNode, list[int]] = {a: [], b: []}
    over = {a: threading.Event(), b: threading.Event()}

    def reader(node: LocalNode) -> None:
        while (number := receive(int)) >= 0:
            got[node].append(number)
        over[node].set()

    here, _ = a.processes.spawn(lambda: reader(a), ())
    there = seen_from(a, b, b.processes.spawn(lambda: reader(b), ())[0])
    with shell_process(a, Silent(), ("programs", "main", 0)):
        for node, pid in ((a, here), (b, there)):
            numbers = itertools.count()
            drawn = [-1]
            unsure: set[int] = set()

            def work(pid: Pid = pid, numbers: Iterator[int] = numbers, drawn: list[int] = drawn) -> None:
                drawn[0] = next(numbers)
                send(pid, drawn[0])

            def judge(is_from_pyx: bool, drawn: list[int] = drawn, unsure: set[int] = unsure) -> None:
                # In user code it may have come just before the call: then that number was never sent.
                if not is_from_pyx:
                    unsure.add(drawn[0])
                    unsure.add(drawn[0] + 1)  # drawn, and not yet noted

            rounds(Interrupter(INTERRUPTS), work, judge)
            last = drawn[0]
            send(pid, -1)
            wait_for(over[node])
            lost = set(range(last + 1)) - set(got[node])
            assert lost <= unsure, (lost, unsure)
            assert got[node] == sorted(set(got[node]))
    print("every interrupt was raised")


def receives_under_interrupts() -> None:
    """Receives messages under interrupts: one that an interrupted receive had taken would be missing."""
    guard_main_thread()
    node = this_node()
    got: list[int] = []
    with shell_process(node, Silent(), ("programs", "main", 0)) as shell:
        me = shell.pid
        stopped = threading.Event()

        def producer() -> None:
            for number in itertools.count():
                send(me, number)
                receive("next")
                if stopped.is_set():
                    break
            send(me, "end")

        pid = spawn(producer)

        def work() -> None:
            number = receive(int, timeout=HANG)
            got.append(number)
            send(pid, "next")

        def judge(is_from_pyx: bool) -> None:
            # It may have come after the receive: then the answer, or the note, is still owed.
            match Process.info(me, "messages"):
                case ("messages", []) if Process.info(pid, "message_queue_len") == ("message_queue_len", 0):
                    send(pid, "next")

        rounds(Interrupter(INTERRUPTS), work, judge)
        stopped.set()
        send(pid, "next")
        receive("end", timeout=HANG)
    print(len(got))


# ---------------------------------------------------------------- forks


def forks() -> None:
    """Forks in a node: the child is not a node, and its end takes nothing from the parent."""
    Node.start("parent@test", cookie="x" * 40)
    other = LocalNode()

    start_node(other, "other@test", cookie="x" * 40)
    assert Node.ping("other@test") == "pong"

    def in_a_process() -> tuple[int, bool]:
        child = os.fork()
        if not child:
            os._exit(look_around())
        return os.waitpid(child, 0)[1], Process.is_alive(self())

    assert as_process(this_node(), in_a_process) == (0, True)
    child = os.fork()
    if not child:
        # By the normal exit: its exit handlers must not close the parent's node.
        sys.exit(look_around())
    assert os.waitpid(child, 0)[1] == 0
    assert Node.list() == ["other@test"]
    assert Node.ping("other@test") == "pong"
    assert pyx.rpc.call("other@test", "os", "getpid") == os.getpid()
    print("still a node")


def look_around() -> int:
    """Returns the exit code of the child: 0 if it is not a node."""
    try:
        self()
    except NotAProcess:
        pass
    else:
        return 1
    if Node.is_alive() or Process.list():
        return 2
    if as_process(this_node(), lambda: (send(self(), "mine"), receive(timeout=HANG))[1]) != "mine":
        return 3
    return 0


def leaves_while_processes_run() -> None:
    """Ends the interpreter while processes run: it waits for none of them."""
    Node.start("leaving@test", cookie="x" * 40)
    spawn(receive)

    async def forever() -> Any:
        return await pyx.aio.receive()

    spawn(forever)
    print("bye")
