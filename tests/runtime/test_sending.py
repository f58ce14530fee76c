"""sending.py: Messages on their way: what is encoded, what is refused, and back-pressure."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pyx import Node, Process, aio, receive, rpc, send, spawn
from pyx import self as self_pid
from pyx.core.outbox import HIGH_WATER_BYTES, Outbox
from pyx.errors import EncodeError, NodeBusy, ProcessKilled, RemoteError, RpcError
from pyx.execution import context
from pyx.execution.line_buffer import LONGEST_PRINT
from pyx.runtime import sending
from pyx.runtime.sending import encode_for
from pyx.signals import Payload, Send
from pyx.terms import Pid
from pyx.wire.codec import encode
from tests.local_nodes import (
    HANG,
    Running,
    as_process,
    in_kernel,
    in_the_name_of_a_process,
    new_runner,
    seen_from,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.net.connection import Connection
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

MIB = 1024 * 1024


class TestSending:
    @pytest.fixture
    def reader(self, node: LocalNode) -> Runner:
        runner = new_runner(node)
        in_kernel(node, node.kernel.registry.register, runner.process.pid, "reader")
        return runner

    def got(self, reader: Runner) -> Any:
        incoming = reader.process.mailbox.incoming
        assert isinstance(incoming, deque)
        return incoming.popleft()

    @pytest.mark.parametrize("message", [1, "x", None, ("a", 1, Pid(5))])
    def test_flat_message_stays_itself_inside_a_node(
        self, node: LocalNode, reader: Runner, message: Any
    ) -> None:
        for dest in (reader.process.pid, "reader"):
            assert node.sending.send(dest, message)
            assert self.got(reader) is message

    def test_other_message_is_encoded_inside_a_node(self, node: LocalNode, reader: Runner) -> None:
        node.sending.send("reader", [1])
        assert isinstance(self.got(reader), Payload)

    def test_message_to_another_node_is_encoded(self, node: LocalNode) -> None:
        assert isinstance(encode_for("b@test", 1, node.max_message_bytes), Payload)
        assert encode_for("", 1, node.max_message_bytes) == 1

    def test_only_an_unregistered_name_of_this_node_returns_false(self, node: LocalNode) -> None:
        assert node.sending.send("nobody", 1) is False
        assert node.sending.send(("nobody", "nonode@nohost"), 1) is True
        assert node.sending.send(Pid(4711), 1) is True

    def test_message_that_is_not_data_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError):
            node.sending.send("reader", object())

    def test_send_inside_a_kernel_call_is_deferred(self, node: LocalNode, reader: Runner) -> None:
        """As from a finalizer: whether the name is registered is not known yet."""
        assert in_kernel(node, node.sending.send, "nobody", 1) is True
        in_kernel(node, node.sending.send, "reader", 2)
        assert self.got(reader) == 2


def test_request_of_a_dead_process_is_abandoned(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up: list[int] = []
    monkeypatch.setattr(node.kernel.requests, "abandon", given_up.append)

    def body(runner: Runner) -> None:
        runner.gate.closed = True
        with pytest.raises(ProcessKilled):
            node.sending.abandon(7)

    in_the_name_of_a_process(node, body)
    node.transport_loop.call(lambda: None)
    assert given_up == [7]


class TestMaxMessage:
    """`--max-message`: of one node, and enforced on both sides of a connection."""

    @pytest.fixture
    def two(self, nodes: LocalNodes) -> tuple[LocalNode, LocalNode]:
        return nodes.start("a"), nodes.start("b", max_message_mib=1)

    def test_message_over_the_limit_of_the_sender_is_refused_at_the_call(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        _, b = two
        limit = "at most 1,048,576 are allowed (--max-message)"

        def body() -> list[str]:
            said = []
            for act in (
                lambda: send(("server", "a@test"), bytes(MIB)),
                lambda: send(self_pid(), [bytes(MIB)]),
                lambda: spawn(len, bytes(MIB)),
                lambda: rpc.call("a@test", "builtins", "len", [bytes(MIB)]),
                lambda: rpc.cast("a@test", "builtins", "len", [bytes(MIB)]),
            ):
                with pytest.raises(EncodeError) as refused:
                    act()
                said.append(str(refused.value))
            return said

        said = as_process(b, body)
        assert [line for line in said if limit not in line] == []
        assert [line.partition(":")[0] for line in said] == [
            "cannot send message", "cannot send message", "cannot send args",
            "cannot send args", "cannot send args",
        ]  # fmt: skip

    def test_message_over_the_limit_of_the_receiver_is_dropped_and_reported(
        self, two: tuple[LocalNode, LocalNode], caplog: pytest.LogCaptureFixture
    ) -> None:
        a, b = two
        server = Running(b, lambda: [receive(str), Process.info(self_pid(), "undecodable")])
        in_kernel(b, b.kernel.registry.register, server.pid, "server")

        def body() -> None:
            send(("server", "b@test"), bytes(MIB))
            send(("server", "b@test"), "the next one")

        as_process(a, body)
        assert server.outcome() == ["the next one", ("undecodable", 1)]
        why = f"too long: {len(encode(bytes(MIB))):,} bytes, at most 1,048,576 are allowed (--max-message)"
        there = seen_from(a, b, server.pid)
        warned = f"b@test dropped a message for {there} that it cannot read: {why}"
        until(lambda: warned in caplog.messages)
        assert f"dropped a message from a@test to {server.pid} that cannot be read: {why}" in caplog.messages
        assert as_process(a, lambda: Node.list()) == ["b@test"]

    def test_call_over_the_limit_of_the_receiver_fails(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two
        for act in (
            lambda: rpc.call("b@test", "builtins", "len", [bytes(MIB)]),
            lambda: asyncio.run(aio.rpc.call("b@test", "builtins", "len", [bytes(MIB)])),
        ):
            length = len(encode(("builtins", "len", [bytes(MIB)])))
            with pytest.raises(RemoteError, match=f"DecodeError: too long: {length:,} bytes, at most"):
                as_process(a, act)

    def test_answer_over_the_limit_of_the_caller_cannot_be_decoded(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        _, b = two
        with pytest.raises(
            RpcError,
            match=f"the answer of a@test cannot be decoded: too long: {len(encode(bytes(MIB))):,} bytes",
        ):
            as_process(b, lambda: rpc.call("a@test", "builtins", "bytes", [MIB]))
        assert as_process(b, lambda: rpc.call("a@test", "builtins", "bytes", [3])) == bytes(3)

    def test_answer_over_the_limit_of_the_callee_is_the_failure_of_the_call(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, _ = two
        with pytest.raises(RemoteError, match="EncodeError: cannot send result: <class 'bytes'> is too long"):
            as_process(a, lambda: rpc.call("b@test", "builtins", "bytes", [MIB]))

    def test_spawn_over_the_limit_of_the_receiver_ends_the_process(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, _ = two

        def body() -> Any:
            pid, ref = Node.spawn_monitor("b@test", "builtins", "len", [bytes(MIB)])
            return receive(("DOWN", ref, "process", pid, ...))[4]

        reason = as_process(a, body)
        assert reason.type == "DecodeError"
        assert "at most 1,048,576 are allowed" in reason.text


class TestBusyNode:
    """Its connection hangs, as behind a cut cable; `test_pressure.py` does the same with OS processes."""

    DEST = ("server", "b@test")

    @pytest.fixture
    def two(self, nodes: LocalNodes) -> tuple[LocalNode, LocalNode]:
        a, b = nodes.start("a"), nodes.start("b")
        assert as_process(a, lambda: Node.ping("b")) == "pong"
        a.transport_loop.call(self.link(a).hold)
        return a, b

    @staticmethod
    def link(a: LocalNode) -> Connection:
        (peer,) = a.kernel.tables.peers.values()
        link: Connection = peer.connection
        return link

    def server(self, b: LocalNode, count: int) -> Running:
        """Receives *count* messages, and returns their numbers in order."""
        server = Running(b, lambda: [receive()[0] for _ in range(count)])
        in_kernel(b, b.kernel.registry.register, server.pid, "server")
        return server

    def flood(self, a: LocalNode) -> int:
        """Sends until that is refused; returns the number of queued messages."""
        counter = itertools.count()

        def sends_for_ever() -> NoReturn:
            while True:
                send(self.DEST, (next(counter), bytes(MIB)))

        with pytest.raises(NodeBusy) as refused:
            sends_for_ever()
        busy = refused.value
        assert busy.node == "b@test"
        assert 16 * MIB < busy.queued < 17.1 * MIB
        assert a.kernel.router.queued() == {"b@test": busy.queued}
        return next(counter) - 1

    def test_thread_that_is_not_a_process_is_refused(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        count = self.flood(a)
        assert count == 16
        server = self.server(b, count)
        a.transport_loop.call(self.link(a).release)
        assert server.outcome() == list(range(count))

    def test_coroutine_is_refused_but_not_when_it_awaits(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        refused, over, counts = threading.Event(), threading.Event(), list[int]()

        async def sends() -> None:
            counts.append(self.flood(a))
            refused.set()
            await aio.send(self.DEST, (counts[0], "waits"))
            over.set()

        a.processes.spawn(sends, ())
        wait_for(refused)
        until(lambda: bool(self.link(a).out.waiters))
        assert not over.is_set()
        server = self.server(b, counts[0] + 1)
        a.transport_loop.call(self.link(a).release)
        wait_for(over)
        assert server.outcome() == list(range(counts[0] + 1))

    def test_process_waits_after_the_message_that_filled_the_queue(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = two
        sender = Running(a, lambda: [send(self.DEST, (number, bytes(400_000)))[0] for number in range(9)])
        until(lambda: bool(self.link(a).out.waiters))
        assert MIB < a.kernel.router.queued()["b@test"] < 3 * 400_200
        server = self.server(b, 9)
        a.transport_loop.call(self.link(a).release)
        assert sender.outcome() == server.outcome() == list(range(9))

    def test_kill_ends_the_wait_and_the_message_is_sent(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        sender = Running(a, lambda: send(self.DEST, (0, bytes(2 * MIB))))
        until(lambda: bool(self.link(a).out.waiters))
        as_process(a, lambda: Process.exit(sender.pid, "kill"))
        with pytest.raises(ProcessKilled):
            sender.outcome()
        server = self.server(b, 1)
        a.transport_loop.call(self.link(a).release)
        assert server.outcome() == [0]

    def test_loss_of_the_node_ends_the_wait(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two
        sender = Running(a, lambda: send(self.DEST, "x" * 2 * MIB)[:1])
        until(lambda: bool(self.link(a).out.waiters))
        self.link(a).close(gracefully=False)
        assert sender.outcome() == "x"

    def test_print_for_a_terminal_of_a_busy_node_waits(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        there = seen_from(a, b, Running(b, receive).pid)
        shown: list[str] = []
        b.output.writer._write = lambda text, _: shown.append(text)

        def prints() -> None:
            Process.group_leader(self_pid(), there)
            runner = context.require("here")
            runner.line.write("line\n" * (2 * MIB))
            a.print_lines(runner)

        sender = Running(a, prints)
        until(lambda: bool(self.link(a).out.waiters))
        assert MIB <= a.kernel.router.queued()["b@test"] < MIB + 2 * LONGEST_PRINT  # of ten
        a.transport_loop.call(self.link(a).release)
        sender.outcome()
        until(lambda: sum(map(len, shown)) == 10 * MIB)


# ---------------------------------------------------------------- back-pressure


@pytest.fixture
def busy_queue() -> Outbox:
    """A queue to a peer that reads nothing."""
    queue = Outbox("b@test")
    assert queue.put(Send(Pid(1), Pid(2), Payload(bytes(HIGH_WATER_BYTES))))
    assert queue.is_busy
    return queue


def test_sender_waits_until_the_queue_is_below_its_low_water_mark(runner: Runner, busy_queue: Outbox) -> None:
    sender = threading.Thread(target=sending._wait, args=(runner, busy_queue))
    sender.start()
    until(lambda: bool(busy_queue.waiters))
    assert sender.is_alive()
    busy_queue.popleft()
    busy_queue.written = busy_queue.enqueued
    busy_queue.waiters.wake()
    sender.join(HANG)
    assert not sender.is_alive()
    assert not busy_queue.waiters


def test_kill_ends_the_wait_for_a_busy_queue(runner: Runner, busy_queue: Outbox) -> None:
    ended: list[str] = []

    def send() -> None:
        try:
            sending._wait(runner, busy_queue)
        except ProcessKilled:
            ended.append("killed")

    sender = threading.Thread(target=send)
    sender.start()
    until(lambda: bool(busy_queue.waiters))
    runner.stop()
    sender.join(HANG)
    assert ended == ["killed"]
    assert not busy_queue.waiters


def test_process_does_not_wait_for_its_own_mailbox(runner: Runner) -> None:
    sending._wait(runner, runner.process.mailbox)
    assert not runner.process.mailbox.waiters
