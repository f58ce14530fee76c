"""Times of one call, and of one message and its answer, from a pyx node to another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyx import GenServer, Node, Pid, aio, receive, rpc, self, send
from tests.bench.cases import SIZES
from tests.bench.programs.pyx_session import in_async, in_def
from tests.bench.programs.sampling import Sample, sample, sample_async

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.programs.pyx_session import Session


def cases(session: Session) -> dict[str, Callable[[], Sample]]:
    server, secs, pids = session

    def call_rpc(function: str) -> None:
        assert rpc.call(server, "work", function, [1, 2]) == 3

    async def call_async(function: str) -> None:
        assert await aio.rpc.call(server, "work", function, [1, 2]) == 3

    def served(kind: str, measured: Callable[[Pid], Sample]) -> Sample:
        return measured(rpc.call(server, "work", "start_server", [kind]))

    def sampled(function: str) -> Sample:
        return sample(lambda: call_rpc(function), secs, pids)

    def sampled_async(function: str) -> Sample:
        return in_async(lambda: sample_async(lambda: call_async(function), secs, pids))

    return {
        "rpc_shell_def": lambda: sampled("add"),
        "rpc_shell_async": lambda: sampled("add_async"),
        "rpc_process_def": lambda: in_def(lambda: sampled("add")),
        "rpc_aio_async": lambda: sampled_async("add_async"),
        "rpc_aio_def": lambda: sampled_async("add"),
        "message_def": lambda: in_def(lambda: messages(session)),
        "message_async": lambda: in_async(lambda: messages_async(session)),
        "genserver_call_def": partial(
            served, "Server", lambda pid: in_def(lambda: server_calls(pid, secs, pids))
        ),
        "genserver_call_async": partial(
            served, "AsyncServer", lambda pid: in_async(lambda: server_calls_async(pid, secs, pids))
        ),
        "ping": lambda: sample(lambda: _pinged(server), secs, pids),
    }


def _pinged(server: str) -> None:
    assert Node.ping(server) == "pong"


def messages(session: Session, content: Any = 1) -> Sample:
    """A message to a `def` process of the server and its answer, between two `def` processes."""
    echo, reader = session.started("echo"), self()

    def round_trip() -> None:
        send(echo, (reader, content))
        receive()

    return sample(round_trip, session.secs, session.pids)


async def messages_async(session: Session) -> Sample:
    echo = await aio.rpc.call(session.server, "work", "start", ["echo_async"])
    reader = self()

    async def round_trip() -> None:
        send(echo, (reader, 1))
        await aio.receive()

    return await sample_async(round_trip, session.secs, session.pids)


def server_calls(pid: Pid, secs: float, pids: Sequence[int] = ()) -> Sample:
    """Calls of a `def` server, by a `def` process."""

    def called() -> None:
        GenServer.call(pid, ("add", 1, 2))

    return sample(called, secs, pids)


async def server_calls_async(pid: Pid, secs: float, pids: Sequence[int] = ()) -> Sample:
    """Calls of an `async def` server, by an `async def` process."""

    async def called() -> None:
        await aio.GenServer.call(pid, ("add", 1, 2))

    return await sample_async(called, secs, pids)


def sizes(session: Session) -> dict[str, Callable[[], Sample]]:
    """The time of a message of so many bytes, there and back."""

    def sized(size: int) -> Sample:
        return in_def(lambda: messages(session, b"\7" * size))

    return {f"size_{size}": partial(sized, size) for size in SIZES}
