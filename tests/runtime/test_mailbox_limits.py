"""Mailboxes that grow beyond their limit, by each policy, for senders of this node and of others.

By the public functions alone; see `core/mailbox.py` for how growth is noticed, `sending.py` for the waits.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from pyx import Process, aio, receive, send
from tests.local_nodes import HANG, Running, as_process, end_of, seen_from, until, wait_for

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid
    from tests.local_nodes import LocalNodes

LIMIT = 10


class Busy:
    """A process of *node* with a limit, `def` or `async def`, that receives nothing until it is told to.

    Args:
        node: its home.
        limit: of its mailbox.
        kind: of process.
    """

    def __init__(self, node: LocalNode, limit: tuple[int, str] | None, kind: str) -> None:
        self.node = node
        self.old: Any = None
        self.taken: list[Any] = []
        self._ready, self._over = threading.Event(), threading.Event()
        self.pid, _ = node.processes.spawn(self._runs if kind == "def" else self._runs_async, (limit,))
        wait_for(self._ready)

    def _begins(self, limit: tuple[int, str] | None) -> None:
        self.old = Process.flag("max_mailbox", limit)
        self._ready.set()

    def _runs(self, limit: tuple[int, str] | None) -> None:
        self._begins(limit)
        receive("take")
        while (message := receive()) != "end":
            self.taken.append(message)
        self._over.set()

    async def _runs_async(self, limit: tuple[int, str] | None) -> None:
        self._begins(limit)
        await aio.receive("take")
        while (message := await aio.receive()) != "end":
            self.taken.append(message)
        self._over.set()

    def length(self) -> int:
        """Of its mailbox."""
        facts = as_process(self.node, lambda: Process.info(self.pid, "message_queue_len"))
        length: int = facts[1]
        return length

    def begins_to_take(self) -> None:
        """Has it receive all messages from now on."""
        self.node.sending.send(self.pid, "take")

    def took(self) -> list[Any]:
        """Returns the messages that it has received, after the last."""
        self.node.sending.send(self.pid, "end")
        wait_for(self._over)
        return self.taken


class FromHere:
    """The sender is a process of the same node."""

    def __init__(self, nodes: LocalNodes) -> None:
        self.home = self.sender = nodes.start("a")

    def address(self, busy: Busy) -> Pid:
        return busy.pid


class FromElsewhere:
    """The sender is a process of another node."""

    def __init__(self, nodes: LocalNodes) -> None:
        self.home, self.sender = nodes.start("a"), nodes.start("b")

    def address(self, busy: Busy) -> Pid:
        return seen_from(self.sender, self.home, busy.pid)


Place: TypeAlias = FromHere | FromElsewhere


@pytest.fixture(params=[FromHere, FromElsewhere])
def place(request: pytest.FixtureRequest, nodes: LocalNodes) -> Place:
    made: Place = request.param(nodes)
    return made


@pytest.fixture(params=["def", "async def"])
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def growth(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if "has grown" in line]


def send_all(place: Place, busy: Busy, count: int) -> None:
    """Sends *count* messages, and waits until all have arrived."""
    dest = place.address(busy)

    def body() -> None:
        for number in range(count):
            send(dest, number)
        Process.info(dest, "status")  # its question arrives after its messages

    as_process(place.sender, body)


def test_mailbox_without_a_limit_takes_all(place: Place, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    busy = Busy(place.home, None, kind)
    send_all(place, busy, 50)
    assert busy.length() == 50
    assert growth(caplog) == []
    busy.begins_to_take()
    assert busy.took() == list(range(50))


def test_warn_is_logged_and_again_each_time_the_mailbox_has_doubled(
    place: Place, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    busy = Busy(place.home, (LIMIT, "warn"), kind)
    send_all(place, busy, LIMIT)
    assert growth(caplog) == []
    send_all(place, busy, 5 * LIMIT)
    words = f"the mailbox of {busy.pid} has grown to"
    assert growth(caplog) == [f"{words} {length} messages" for length in (11, 21, 41)]
    busy.begins_to_take()
    assert busy.took() == [*range(LIMIT), *range(5 * LIMIT)]


def test_kill_ends_only_the_process_of_the_mailbox(
    place: Place, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    busy = Busy(place.home, (LIMIT, "kill"), kind)
    send_all(place, busy, LIMIT)
    assert as_process(place.home, lambda: Process.is_alive(busy.pid))
    send_all(place, busy, 1)
    assert end_of(place.home, busy.pid) in {"killed", "noproc"}
    assert growth(caplog) == [f"the mailbox of {busy.pid} has grown to 11 messages: it is killed"]
    assert as_process(place.sender, lambda: send(place.address(busy), "is no error")) == "is no error"


def test_flag_returns_the_old_limit(node: LocalNode) -> None:
    def body() -> list[Any]:
        return [Process.flag("max_mailbox", new) for new in ((5, "warn"), (6, "kill"), None, (7, "block"))]

    assert as_process(node, body) == [(100_000, "warn"), (5, "warn"), (6, "kill"), None]


@pytest.mark.parametrize("limit", [(0, "warn"), (-1, "kill"), (True, "warn"), (5, "drop"), 5, "warn", (5,)])
def test_invalid_limit_is_refused(node: LocalNode, limit: Any) -> None:
    with pytest.raises(ValueError, match=r'max_mailbox is \(limit, "warn"\), .* or None, not'):
        as_process(node, lambda: Process.flag("max_mailbox", limit))


class TestBlock:
    """Senders of the same node wait: `def` processes, and coroutines that await."""

    @pytest.fixture
    def busy(self, node: LocalNode, kind: str) -> Busy:
        return Busy(node, (LIMIT, "block"), kind)

    def a_sender_waits(self, busy: Busy) -> bool:
        process = busy.node.kernel.tables.find(busy.pid)
        assert process is not None
        return bool(process.mailbox.waiters)

    def test_def_process_waits_and_all_its_messages_arrive(
        self, busy: Busy, caplog: pytest.LogCaptureFixture
    ) -> None:
        sender = Running(busy.node, lambda: [send(busy.pid, number) for number in range(3 * LIMIT)])
        until(lambda: self.a_sender_waits(busy))
        assert busy.length() == LIMIT
        assert growth(caplog) == []
        busy.begins_to_take()
        sender.outcome()
        assert busy.took() == list(range(3 * LIMIT))

    def test_coroutine_that_awaits_waits_and_all_its_messages_arrive(
        self, busy: Busy, caplog: pytest.LogCaptureFixture
    ) -> None:
        over = threading.Event()

        async def sends() -> None:
            for number in range(3 * LIMIT):
                await aio.send(busy.pid, number)
            over.set()

        busy.node.processes.spawn(sends, ())
        until(lambda: self.a_sender_waits(busy))
        assert busy.length() == LIMIT
        assert growth(caplog) == []
        busy.begins_to_take()
        wait_for(over)
        assert busy.took() == list(range(3 * LIMIT))

    def test_nosuspend_returns_at_once_and_sends_nothing(self, busy: Busy) -> None:
        def body() -> list[str]:
            return [send(busy.pid, number, nosuspend=True) for number in range(LIMIT + 2)]

        assert as_process(busy.node, body) == ["ok"] * LIMIT + ["nosuspend"] * 2
        assert busy.length() == LIMIT

    def test_end_of_the_receiver_ends_the_wait(self, busy: Busy) -> None:
        sender = Running(busy.node, lambda: [send(busy.pid, number) for number in range(3 * LIMIT)])
        until(lambda: self.a_sender_waits(busy))
        as_process(busy.node, lambda: Process.exit(busy.pid, "kill"))
        assert sender.outcome() == list(range(3 * LIMIT))

    def test_another_limit_ends_the_wait(self, node: LocalNode) -> None:
        full, other = threading.Event(), threading.Event()

        def body() -> None:
            Process.flag("max_mailbox", (LIMIT, "block"))
            full.set()
            wait_for(other)
            Process.flag("max_mailbox", None)
            receive("never", timeout=HANG)

        pid, _ = node.processes.spawn(body, ())
        wait_for(full)
        sender = Running(node, lambda: [send(pid, number) for number in range(3 * LIMIT)])
        process = node.kernel.tables.find(pid)
        assert process is not None
        until(lambda: bool(process.mailbox.waiters))
        other.set()
        assert len(sender.outcome()) == 3 * LIMIT

    def test_plain_send_in_a_coroutine_does_not_wait_and_is_logged(
        self, busy: Busy, caplog: pytest.LogCaptureFixture
    ) -> None:
        over = threading.Event()

        async def sends() -> None:
            for number in range(3 * LIMIT):
                send(busy.pid, number)
            over.set()

        busy.node.processes.spawn(sends, ())
        wait_for(over)
        assert busy.length() == 3 * LIMIT
        assert [line.rpartition(" to ")[2] for line in growth(caplog)] == ["11 messages", "21 messages"]

    def test_messages_of_other_nodes_are_logged(
        self, nodes: LocalNodes, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A wait of one process would block all processes of its node that send to this one."""
        place = FromElsewhere(nodes)
        busy = Busy(place.home, (LIMIT, "block"), kind)
        send_all(place, busy, 3 * LIMIT)
        assert busy.length() == 3 * LIMIT
        assert [line.rpartition(" to ")[2] for line in growth(caplog)] == ["11 messages", "21 messages"]
        busy.begins_to_take()
        assert busy.took() == list(range(3 * LIMIT))
