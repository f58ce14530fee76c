"""A tracer of messages and calls: the files of pyx that they enter, by thread, in order.

    python -m tests.runtime.walk    prints them; with -v every function too

Two nodes run in this OS process, both warm: connected, and each path taken a few times before.  A profile
function notes every function of pyx that is entered or returned from.  What dataclasses and named tuples
generate has no file and does not count.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

import pyx
from pyx import GenServer, Pid, Process, aio, receive, rpc, self, send, spawn
from pyx.otp.server_calls import call, reply
from pyx.runtime.request import wait
from tests.local_nodes import LocalNodes, Running, as_process, in_kernel, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

ROOT: Final = f"{Path(pyx.__file__).parent}/"
WARM_UP: Final = 5


class Event(NamedTuple):
    """A function was entered, or returned."""

    file: str
    """From `pyx/` on."""
    function: str
    is_call: bool


class Leg(NamedTuple):
    """A part of a walk: what the threads of one side did meanwhile, in order."""

    what: str
    events: list[Event]

    @property
    def files(self) -> list[str]:
        """The files, each once, in the order of the first entry."""
        return list(dict.fromkeys(event.file for event in self.events))

    def until(self, function: str) -> Leg:
        """The part before that function is entered, and its entry."""
        entry = next(number for number, event in enumerate(self.events) if event.function == function)
        return Leg(f"{self.what}, to {function}", self.events[: entry + 1])

    @property
    def calls(self) -> list[Event]:
        """The functions that were entered."""
        return [event for event in self.events if event.is_call]


class Walk(NamedTuple):
    """The legs of one message, or of one call."""

    what: str
    legs: list[Leg]

    @property
    def files(self) -> list[str]:
        """The files of all its legs, each once."""
        return list(dict.fromkeys(file for leg in self.legs for file in leg.files))

    def summary(self, *, functions: bool) -> str:
        """The numbers, and below each leg its files in order; with *functions* every call instead."""
        lines = [f"{self.what}: {len(self.files)} files, {sum(len(leg.calls) for leg in self.legs)} calls"]
        for leg in self.legs:
            lines.append(f"  {leg.what}: {len(leg.files)} files, {len(leg.calls)} calls")
            if functions:
                lines += [f"    {call.file} {call.function}" for call in leg.calls]
            else:
                lines.append(f"    {' '.join(leg.files)}")
        return "\n".join(lines)


class Tracer:
    """Notes, by thread, which functions of pyx are entered and returned from."""

    def __init__(self) -> None:
        self._is_on = False
        self._events: dict[int, list[Event]] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The threads that are started meanwhile are traced."""
        threading.setprofile(self._note)
        try:
            yield
        finally:
            threading.setprofile(None)

    def start(self) -> None:
        """Begins anew; what was noted before is forgotten."""
        self._events = {}
        self._is_on = True

    def stop(self) -> None:
        """Notes nothing more."""
        self._is_on = False

    @property
    def threads(self) -> set[int]:
        """Those that did anything since the start."""
        return set(self._events)

    def leg(self, what: str, threads: set[int]) -> Leg:
        """What these threads did since the start."""
        return Leg(what, [event for thread in threads for event in self._events.get(thread, [])])

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if self._is_on and event in {"call", "return"} and code.co_filename.startswith(ROOT):
            file = code.co_filename.removeprefix(ROOT)
            events = self._events.setdefault(threading.get_ident(), [])
            events.append(Event(file, code.co_qualname, event == "call"))


class Pair:
    """Two nodes with a process each, and the threads of each node."""

    def __init__(self, nodes: LocalNodes, tracer: Tracer) -> None:
        self._nodes = nodes
        self.tracer = tracer
        self.ada, self.threads_of_ada = self._start("ada")
        self.bob, self.threads_of_bob = self._start("bob")

    def _start(self, name: str) -> tuple[Any, set[int]]:
        before = idents()
        node = self._nodes.start(name)
        return node, idents() - before


def idents() -> set[int]:
    """The threads of this OS process."""
    return {thread.ident for thread in threading.enumerate() if thread.ident is not None}


def waits(node: Any, pid: Pid) -> bool:
    """True if that process of *node* sleeps in `receive`."""
    return bool(as_process(node, lambda: Process.info(pid, "status")) == ("status", "waiting"))


def walks_of_a_message(pair: Pair, *, streams: bool) -> tuple[Walk, Walk, Walk]:
    """From `send` to the socket; from the other node's socket to what `receive` returns there; and, apart,
    what that `receive` did before it slept.

    With *streams* the sender has sent something else since it waited last: its message stays in the queue,
    and the transport's thread writes it.
    """
    tracer = pair.tracer
    dest = ("inbox", "bob@test")
    is_registered = threading.Event()
    is_spawned = threading.Event()
    legs: dict[str, Leg] = {}
    threads: dict[str, int] = {}

    def receives() -> None:
        threads["receiver"] = threading.get_ident()
        Process.register(self(), "inbox")
        is_registered.set()
        wait_for(is_spawned)
        for _ in range(WARM_UP):
            _, pid, _ = receive(("add", Pid, dict))
            until(lambda: waits(pair.ada, sender.pid))
            send(pid, "ok")
        tracer.start()
        receive(("add", Pid, dict))
        tracer.stop()
        legs["after"] = tracer.leg("the receiver, from waking to its return", {threads["receiver"]})

    def sends() -> None:
        message = ("add", self(), {"name": "nike", "qty": 30})
        for _ in range(WARM_UP):
            send(dest, message)
            receive("ok")
        until(lambda: waits(pair.bob, receiver.pid))
        legs["before"] = tracer.leg("the receiver", {threads["receiver"]})
        if streams:
            tracer.stop()
            send(("unregistered", "bob@test"), 0)
        tracer.start()
        send(dest, message)
        legs["out"] = tracer.leg("the sender", {threading.get_ident()})

    receiver = Running(pair.bob, receives)
    wait_for(is_registered)
    sender = Running(pair.ada, sends)
    is_spawned.set()
    sender.outcome()
    receiver.outcome()
    way = "in a stream" if streams else "after a wait"
    out = [legs["out"]]
    if streams:
        out.append(tracer.leg("the transport, to the socket", pair.threads_of_ada))
    arrival = tracer.leg("the transport, from the socket to the mailbox", pair.threads_of_bob)
    return (
        Walk(f"send {way}", out),
        Walk(f"receive {way}", [arrival, legs["after"]]),
        Walk(f"receive {way}, before", [legs["before"]]),
    )


def walk_of_a_call(pair: Pair) -> Walk:
    """`rpc.call`: both sides of it, and the thread that runs the function."""
    tracer = pair.tracer
    caller = 0

    def calls() -> None:
        nonlocal caller
        caller = threading.get_ident()
        for _ in range(WARM_UP):
            rpc.call("bob@test", "math", "sqrt", [16])
        tracer.start()
        rpc.call("bob@test", "math", "sqrt", [16])
        tracer.stop()

    as_process(pair.ada, calls)
    known = {caller, *pair.threads_of_ada, *pair.threads_of_bob}
    return Walk(
        "rpc.call",
        [
            tracer.leg("the caller", {caller}),
            tracer.leg("the transport of the asking node", pair.threads_of_ada),
            tracer.leg("the transport of the asked node", pair.threads_of_bob),
            tracer.leg("the thread that runs the function", tracer.threads - known),
        ],
    )


def walk_of_a_server_call(pair: Pair, *, is_remote: bool) -> Walk:
    """A call of a server written by hand: its caller, the transports, and the server until it waits again."""
    tracer = pair.tracer
    caller = 0
    is_registered = threading.Event()

    def serves() -> None:
        Process.register(self(), "server")
        is_registered.set()
        while True:
            match receive():
                case ("$gen_call", frm, request):
                    reply(frm, request)
                case "stop":
                    return

    def calls() -> None:
        nonlocal caller
        caller = threading.get_ident()
        dest = ("server", "bob@test") if is_remote else "server"
        for _ in range(WARM_UP):
            wait("GenServer.call", call(dest, ("add", "nike", 3)))
            until(lambda: waits(home, server.pid))
        tracer.start()
        wait("GenServer.call", call(dest, ("add", "nike", 3)))
        tracer.stop()

    home = pair.bob if is_remote else pair.ada
    server = Running(home, serves)
    wait_for(is_registered)
    as_process(pair.ada, calls)
    in_kernel(home, home.kernel.router.send, None, server.pid, "stop")
    server.outcome()
    known = {caller, *pair.threads_of_ada, *pair.threads_of_bob}
    return Walk(
        f"a call of a server {'there' if is_remote else 'here'}",
        [
            tracer.leg("the caller", {caller}),
            tracer.leg("the transport of the asking node", pair.threads_of_ada),
            tracer.leg("the transport of the asked node", pair.threads_of_bob),
            tracer.leg("the server", tracer.threads - known),
        ],
    )


def walk_of_a_client_function(pair: Pair, kind: Any) -> Walk:
    """A call of a server's method `add` on its own node, until the server waits again."""
    tracer, home, caller = pair.tracer, pair.ada, 0
    pid = as_process(home, lambda: kind.start({"nike": 1}, name="server"))

    def calls() -> None:
        nonlocal caller
        caller = threading.get_ident()
        for _ in range(WARM_UP):
            kind.add("server", "nike", 3)
            until(lambda: waits(home, pid))
        tracer.start()
        kind.add("server", "nike", 3)
        tracer.stop()

    as_process(home, calls)
    GenServer.stop(pid)
    return Walk(
        "a client function",
        [tracer.leg("the caller", {caller}), tracer.leg("the server", tracer.threads - {caller})],
    )


def walks_of_a_process(pair: Pair) -> tuple[Walk, Walk]:
    """An `async def` process: from `spawn` until it waits, and from its kill until it is gone."""
    tracer, node = pair.tracer, pair.ada
    walks: list[Walk] = []

    async def idle() -> None:
        await aio.receive("stop")

    def traced(what: str, act: Callable[[], Any], is_over: Callable[[Any], bool]) -> Any:
        """Does *act*, waits until *is_over* of its value, and until the process loop has nothing to do."""
        at_rest = threading.Event()
        tracer.start()
        value = act()
        until(lambda: is_over(value))
        node.tasks._own.loop.call_soon_threadsafe(at_rest.set)
        wait_for(at_rest)
        tracer.stop()
        threads = tracer.threads - pair.threads_of_ada - pair.threads_of_bob
        walks.append(Walk(what, [tracer.leg("the caller, and the process loop", threads)]))
        return value

    def acts() -> None:
        live = node.kernel.tables.processes
        for _ in range(WARM_UP):
            pid = spawn(idle)
            until(lambda: live[pid.number].waiting)  # noqa: B023 - called at once
        pid = traced("spawn", lambda: spawn(idle), lambda pid: live[pid.number].waiting)
        process = live[pid.number]
        traced("kill", lambda: Process.exit(pid, "kill"), lambda _: process.runner is None)

    as_process(pair.ada, acts)
    spawned, ended = walks
    return spawned, ended


@contextmanager
def two_nodes(nodes: LocalNodes) -> Iterator[Pair]:
    """Two nodes that are traced."""
    tracer = Tracer()
    with tracer.installed():
        yield Pair(nodes, tracer)


def main() -> None:
    """Prints the walks of a message, of a call and of a process."""
    functions = "-v" in sys.argv[1:]
    with (
        tempfile.TemporaryDirectory(prefix="pyx-", dir="/tmp") as home,
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        monkeypatch.setenv("PYX_RUNTIME_DIR", home)
        with LocalNodes(monkeypatch) as nodes, two_nodes(nodes) as pair:
            walks = [*walks_of_a_message(pair, streams=False), *walks_of_a_message(pair, streams=True)]
            calls = [walk_of_a_server_call(pair, is_remote=there) for there in (False, True)]
            for walk in [*walks, walk_of_a_call(pair), *calls, *walks_of_a_process(pair)]:
                print(walk.summary(functions=functions))


if __name__ == "__main__":
    main()
