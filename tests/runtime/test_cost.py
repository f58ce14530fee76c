"""What is left of a process, or of a connection, after its end: nothing, without the garbage collector.

See `test_budgets.py` for what a waiting process costs.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from typing import TYPE_CHECKING, Any, Final

import pytest

from pyx import Node, aio, receive
from pyx import Process as ProcessFace
from pyx.core.mailbox import Mailbox
from pyx.core.outbox import Outbox
from pyx.core.peers import Peer
from pyx.core.processes import ProcessRecord
from pyx.execution.runner import Runner
from pyx.net.connection import Connection
from pyx.net.stream import PlainStream
from pyx.wire.frames.frame import FrameReader
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.scheduler import OutputScheduler
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.frames.writer import Writer
from tests.local_nodes import as_process, in_kernel, peer_of, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes


async def waits() -> None:
    await aio.receive()


def sleeps() -> None:
    receive()


async def fails() -> None:
    raise ValueError("as it should")


def crashes() -> None:
    raise ValueError("as it should")


async def answers() -> None:
    await aio.receive()
    await asyncio.sleep(0)


PROCESS: Final[set[type]] = {ProcessRecord, Runner, Mailbox}
CONNECTION: Final[set[type]] = {
    Connection,
    SignalStream,
    Peer,
    Outbox,
    OutputScheduler,
    FrameReader,
    Reader,
    Writer,
    PlainStream,
}


@pytest.fixture
def uncollected() -> Iterator[None]:
    """The collector is off."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def spawn(node: LocalNode, function: Callable[..., Any], count: int) -> list[Any]:
    return [node.processes.spawn(function, ())[0] for _ in range(count)]


def all_wait(node: LocalNode) -> bool:
    return all(process.waiting for process in node.kernel.tables.processes.all())


def left(kinds: set[type] = PROCESS) -> int:
    """Returns the number of process records, of live and of dead processes."""
    return sum(type(one) in kinds for one in gc.get_objects())


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("function", [waits, sleeps, answers, fails, crashes], ids=lambda f: f.__name__)
def test_ended_process_is_freed_without_the_collector(
    node: LocalNode, function: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    before = left()
    for _ in range(20):
        for pid in spawn(node, function, 50):
            node.sending.send(pid, "leave")
        until(lambda: not node.kernel.tables.processes.all())
    caplog.clear()
    until(lambda: left() <= before)  # fewer: of an earlier test


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("function", [waits, sleeps], ids=lambda f: f.__name__)
def test_killed_process_is_freed_without_the_collector(node: LocalNode, function: Callable[..., Any]) -> None:
    before = left()
    for pid in spawn(node, function, 50):
        until(lambda: all_wait(node))
        in_kernel(node, node.kernel.process_signals.exit, pid, pid, "kill")
    until(lambda: left() <= before)  # fewer: of an earlier test


@pytest.mark.usefixtures("uncollected")
def test_ended_connection_is_freed_without_the_collector(nodes: LocalNodes) -> None:
    """A node that connects again and again does not grow, though its program disables the collector."""
    a, b = nodes.start("a"), nodes.start("b")
    before = left(CONNECTION)
    for _ in range(10):
        assert as_process(a, lambda: Node.ping("b")) == "pong"
        assert type(peer_of(a, "b").connection) in CONNECTION
        as_process(a, lambda: Node.disconnect("b"))
        until(
            lambda: not (a.kernel.membership.nodes(["connected"]) or b.kernel.membership.nodes(["connected"]))
        )
    until(lambda: left(CONNECTION) <= before)


class Owned:
    """Objects that a process made and held at its end."""


OWNED: Final[contextvars.ContextVar[Owned]] = contextvars.ContextVar("tests.owned")


def keeps_in_its_context(owned: Owned) -> None:
    OWNED.set(owned)


def keeps_in_its_dictionary(owned: Owned) -> None:
    ProcessFace.put("owned", owned)


def keeps_in_its_exception(owned: Owned) -> None:
    raise ValueError(owned)


def keeps_in_its_result(owned: Owned) -> Owned:
    return owned


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("on_loop", [False, True], ids=["def", "async def"])
@pytest.mark.parametrize(
    "keeps",
    [keeps_in_its_context, keeps_in_its_dictionary, keeps_in_its_exception, keeps_in_its_result],
    ids=lambda keeps: keeps.__name__,
)
def test_objects_of_a_process_are_freed_with_it(
    node: LocalNode, keeps: Callable[[Owned], Any], *, on_loop: bool
) -> None:
    """Though its warm thread, or the loop, waits for the next process."""
    made: list[weakref.ref[Owned]] = []

    def body() -> Any:
        owned = Owned()
        made.append(weakref.ref(owned))
        return keeps(owned)

    async def coroutine() -> Any:
        return body()

    node.processes.spawn(coroutine if on_loop else body, ())
    until(lambda: bool(made) and not node.kernel.tables.processes.all())
    until(lambda: made[0]() is None)
