"""receiving.py: Receive against real mailboxes: what is taken, what stays, how long it waits."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.mailbox import Downed, Exited, NodeDown, NodeUp
from pyx.errors import AlreadyReceiving, ProcessKilled, ReceiveTimeout
from pyx.execution.context import current
from pyx.runtime import receiving
from pyx.runtime.encoding import decode_item, decode_reason, peek
from pyx.runtime.local_node import node_of
from pyx.signals import Payload
from pyx.terms import Incarnation, Pid, Ref
from pyx.wire.codec import decode
from tests.local_nodes import HANG, Running, as_process, encoded, in_kernel, new_runner, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode

TORN = Payload(b"\xc1 no payload", Incarnation("b@test", 7))


def receive(runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
    return node_of(runner).receiving.receive(runner, patterns, timeout)


async def receive_async(runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
    return await node_of(runner).receiving.receive_async(runner, patterns, timeout)


def drain(runner: Runner) -> list[Any]:
    return node_of(runner).receiving.drain(runner)


class Reader:
    """A process that only has a mailbox, read by this thread."""

    def __init__(self, node: LocalNode) -> None:
        self.node = node
        self.runner = new_runner(node)
        self.process = self.runner.process

    def gets(self, *messages: Any) -> Reader:
        for message in messages:
            in_kernel(self.node, self.node.kernel.router.send, None, self.process.pid, message)
        return self

    def receives(self, *patterns: Any, timeout: float | None = 0) -> Any:
        return receive(self.runner, patterns, timeout)

    def has(self) -> list[Any]:
        return peek(self.node.kernel, self.process.mailbox.snapshot())


@pytest.fixture
def reader(node: LocalNode) -> Reader:
    return Reader(node)


class TestTaking:
    def test_receive_without_a_pattern_takes_the_oldest(self, reader: Reader) -> None:
        reader.gets("a", "b")
        assert (reader.receives(), reader.receives()) == ("a", "b")

    def test_receive_takes_the_first_that_any_pattern_matches(self, reader: Reader) -> None:
        reader.gets("a", 1, 2.0, "b")
        assert reader.receives(float, int) == 1
        assert reader.has() == ["a", 2.0, "b"]

    def test_messages_that_do_not_match_stay_in_order(self, reader: Reader) -> None:
        reader.gets("a", ("reply", 1), "b", ("reply", 2), "c")
        assert reader.receives(("reply", ...)) == ("reply", 1)
        assert reader.receives(("reply", ...)) == ("reply", 2)
        assert [reader.receives() for _ in range(3)] == ["a", "b", "c"]

    def test_none_is_a_message(self, reader: Reader) -> None:
        reader.gets(None)
        assert reader.receives() is None

    def test_payload_is_decoded_once(self, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
        decoded: list[Payload] = []

        def spying(payload: Payload, *arguments: Any, **options: Any) -> Any:
            decoded.append(payload)
            return decode(payload, *arguments, **options)

        monkeypatch.setattr(receiving, "decode", spying)
        reader.gets(encoded(["a message"]))
        for _ in range(3):
            with pytest.raises(ReceiveTimeout):
                reader.receives("another")
        assert reader.receives(list) == ["a message"]
        assert len(decoded) == 1

    def test_receiver_gets_a_copy_of_its_own(self, reader: Reader) -> None:
        shared = ["mutable"]
        payload = encoded(shared)
        reader.gets(payload, payload)
        one, other = reader.receives(), reader.receives()
        assert one == other == shared
        assert one is not other

    def test_message_is_matched_against_each_pattern_once(self, reader: Reader) -> None:
        looked_at: list[Any] = []
        reader.gets("a")
        sender = threading.Timer(0, lambda: until(lambda: reader.process.waiting) or reader.gets("b"))
        sender.start()
        assert reader.receives(lambda one: looked_at.append(one) or one == "b", timeout=HANG) == "b"
        assert looked_at == ["a", "b"]


class TestPredicates:
    def test_predicate_that_raises_takes_nothing(self, reader: Reader) -> None:
        reader.gets("a", "b")
        with pytest.raises(ZeroDivisionError):
            reader.receives(lambda _: 1 / 0)
        assert reader.has() == ["a", "b"]
        assert reader.receives() == "a"

    def test_predicate_that_receives_is_refused(self, reader: Reader) -> None:
        reader.gets("a", "b")
        with pytest.raises(AlreadyReceiving):
            reader.receives(lambda _: reader.receives())
        assert reader.has() == ["a", "b"]

    def test_predicate_that_flushes_is_refused(self, reader: Reader) -> None:
        reader.gets("a")
        with pytest.raises(AlreadyReceiving):
            reader.receives(lambda _: drain(reader.runner))

    def test_predicate_may_send_to_its_process(self, reader: Reader) -> None:
        reader.gets("a")
        with pytest.raises(ReceiveTimeout):
            reader.receives(lambda one: reader.gets(("seen", one)) is None)
        assert reader.has() == ["a", ("seen", "a")]


class TestTimeout:
    def test_timeout_of_zero_only_looks(self, reader: Reader) -> None:
        with pytest.raises(ReceiveTimeout, match="no matching message within 0 s") as late:
            reader.receives()
        assert isinstance(late.value, TimeoutError)
        assert late.value.timeout == 0

    def test_timeout_leaves_the_mailbox_as_it_was(self, reader: Reader) -> None:
        reader.gets("a")
        with pytest.raises(ReceiveTimeout):
            reader.receives("b", timeout=0.001)
        assert reader.has() == ["a"]
        assert not reader.process.waiting

    def test_messages_that_do_not_match_do_not_prolong_the_timeout(self, node: LocalNode) -> None:
        def body() -> None:
            process = current.get()
            assert process is not None
            receive(process, ("never",), 0.02)

        running = Running(node, body)
        stop = threading.Event()

        def chatter() -> None:
            while not stop.is_set():
                node.sending.send(running.pid, "chatter")

        chatting = threading.Thread(target=chatter)
        chatting.start()
        try:
            with pytest.raises(ReceiveTimeout):
                running.outcome()
        finally:
            stop.set()
            chatting.join(HANG)

    def test_wait_ends_with_the_message(self, node: LocalNode) -> None:
        running = Running(node, lambda: receive(current.get(), ("go",), None))  # type: ignore[arg-type]
        process = node.kernel.tables.find(running.pid)
        assert process is not None
        until(lambda: process.waiting)
        node.sending.send(running.pid, "something else")
        until(lambda: process.waiting and not process.mailbox.incoming)
        node.sending.send(running.pid, "go")
        assert running.outcome() == "go"


class TestReferences:
    def test_search_for_a_reference_starts_at_its_mark(self, reader: Reader) -> None:
        looked_at: list[Any] = []
        reader.gets(*range(100))
        ref = Ref(1)
        reader.runner.remember(ref, reader.process.mailbox.mark())
        reader.gets("noise", ("reply", ref))
        assert reader.receives(("reply", ref)) == ("reply", ref)
        reader.runner.remember(ref, reader.process.mailbox.mark())
        reader.gets(("reply", ref, 1))
        pattern = ("reply", ref, lambda one: looked_at.append(one) or True)
        assert reader.receives(pattern) == ("reply", ref, 1)
        assert looked_at == [1]
        assert reader.receives(int) == 0

    def test_search_for_a_reference_starts_at_its_mark_after_a_wait(self, reader: Reader) -> None:
        reader.gets(*range(100))
        ref = Ref(1)
        reader.runner.remember(ref, reader.process.mailbox.mark())
        threading.Thread(
            target=lambda: [until(lambda: reader.process.waiting), reader.gets("noise", ("reply", ref))]
        ).start()
        assert reader.receives(("reply", ref), timeout=HANG) == ("reply", ref)

    def test_search_for_another_pattern_starts_at_the_beginning(self, reader: Reader) -> None:
        ref = Ref(1)
        reader.gets("old")
        reader.runner.remember(ref, reader.process.mailbox.mark())
        assert reader.receives(("reply", ref), str) == "old"

    def test_search_for_a_forgotten_reference_starts_at_the_beginning(self, reader: Reader) -> None:
        ref = Ref(1)
        reader.gets(("reply", ref))
        assert reader.receives(("reply", ref)) == ("reply", ref)


class TestUndecodablePayload:
    def test_undecodable_payload_is_dropped_counted_and_logged(
        self, reader: Reader, caplog: pytest.LogCaptureFixture
    ) -> None:
        reader.gets("a", TORN, TORN, "b")
        assert reader.receives("b") == "b"
        assert reader.has() == ["a"]
        assert reader.process.undecodable == 2
        line = f"dropped a message from b@test to {reader.process.pid} that cannot be read"
        assert caplog.messages[0].startswith(line)
        until(lambda: len(caplog.messages) == 2)  # after a pause, so that they do not fill the log
        assert caplog.messages[1].startswith(line)

    def test_undecodable_payload_is_reported_to_its_node(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[tuple[Any, ...]] = []
        monkeypatch.setattr(reader.node.kernel, "payload_dropped", lambda *args: told.append(args))
        reader.gets(TORN, Payload(b"\xc1 one of my own"))
        with pytest.raises(ReceiveTimeout):
            reader.receives()
        ((process, origin, why),) = told
        assert (process, origin) == (reader.process, TORN.origin)
        assert why.startswith("malformed payload")

    def test_undecodable_payload_alone_in_the_mailbox_is_dropped(self, reader: Reader) -> None:
        reader.gets(TORN)
        with pytest.raises(ReceiveTimeout):
            reader.receives()
        assert reader.has() == []


class TestDeadProcess:
    def test_dead_process_takes_nothing(self, reader: Reader) -> None:
        reader.gets("a")
        reader.runner.stop()
        with pytest.raises(ProcessKilled):
            reader.receives()
        assert reader.has() == ["a"]
        assert not reader.runner.receiving


class TestCoroutines:
    def test_coroutine_takes_waits_and_times_out_as_a_thread_does(self, node: LocalNode) -> None:
        async def body() -> list[Any]:
            me = current.get()
            assert me is not None
            seen: list[Any] = [await receive_async(me, (int,), None)]
            with pytest.raises(ReceiveTimeout):
                await receive_async(me, (int,), 0)
            with pytest.raises(ReceiveTimeout):
                await receive_async(me, (int,), 0.001)
            seen.append(await receive_async(me, (), None))
            return seen

        assert run_task(node, body, "noise", 1) == [1, "noise"]

    def test_second_receive_at_once_is_refused(self, node: LocalNode) -> None:
        """The second would take the wake-up of the first."""

        async def body() -> Any:
            me = current.get()
            assert me is not None
            first = asyncio.create_task(receive_async(me, ("first",), None))
            await asyncio.sleep(0)
            with pytest.raises(AlreadyReceiving, match="already receiving, in another of its tasks"):
                await receive_async(me, ("second",), None)
            node.sending.send(me.process.pid, "first")
            return await first

        assert run_task(node, body) == "first"

    def test_search_through_many_messages_lets_other_tasks_run(self, node: LocalNode) -> None:
        """Other processes run on that loop too."""
        kept = 10 * receiving._TURN_MESSAGES

        async def body() -> tuple[Any, int]:
            me = current.get()
            assert me is not None
            for number in range(kept):
                node.sending.send(me.process.pid, ("noise", number))
            node.sending.send(me.process.pid, "wanted")
            search = asyncio.create_task(receive_async(me, ("wanted",), 0))
            turns = 0
            while not search.done():
                await asyncio.sleep(0)
                turns += 1
            return search.result(), turns

        value, turns = run_task(node, body)
        assert value == "wanted"
        assert turns >= kept // receiving._TURN_MESSAGES

    def test_cancelled_receive_has_taken_nothing(self, node: LocalNode) -> None:
        async def body() -> Any:
            me = current.get()
            assert me is not None
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(receive_async(me, ("never",), None), 0.001)
            assert not me.process.waiting
            return await receive_async(me, (), None)

        assert run_task(node, body, "kept") == "kept"


def run_task(node: LocalNode, body: Callable[[], Any], *messages: Any) -> Any:
    """Returns the result of a coroutine function, run as a process that is sent *messages*."""
    over, outcome = threading.Event(), list[Any]()

    async def process() -> None:
        try:
            outcome.append(await body())
        finally:
            over.set()

    pid, _ = node.processes.spawn(process, ())
    for message in messages:
        node.sending.send(pid, message)
    assert over.wait(HANG)
    return outcome[0]


class TestItems:
    def test_system_messages_have_the_shape_of_erlang(self, node: LocalNode) -> None:
        pid, ref = Pid(7), Ref(1)
        assert decode_item(node.kernel, Downed(ref, pid, "normal")) == ("DOWN", ref, "process", pid, "normal")
        assert decode_item(node.kernel, Downed(ref, ("stock", "b@test"), encoded({"why": 1}))) == (
            ("DOWN", ref, "process", ("stock", "b@test"), {"why": 1})
        )  # fmt: skip
        assert decode_item(node.kernel, Exited(pid, "killed")) == ("EXIT", pid, "killed")
        assert decode_item(node.kernel, NodeUp("b@test")) == ("nodeup", "b@test")
        assert decode_item(node.kernel, NodeDown("b@test")) == ("nodedown", "b@test")
        assert decode_item(node.kernel, NodeUp("b@test", "hidden")) == (
            ("nodeup", "b@test", {"node_type": "hidden"})
        )  # fmt: skip
        assert decode_item(node.kernel, NodeDown("b@test", "visible", "disconnect")) == (
            ("nodedown", "b@test", {"node_type": "visible", "nodedown_reason": "disconnect"})
        )  # fmt: skip

    def test_undecodable_reason_is_a_word(self, node: LocalNode) -> None:
        assert decode_reason(node.kernel, TORN) == "unreadable"

    def test_peek_takes_nothing_and_leaves_out_undecodable_payloads(self, reader: Reader) -> None:
        reader.gets("a", TORN, encoded(["b"]))
        assert reader.has() == ["a", ["b"]]
        assert reader.has() == ["a", ["b"]]


def test_drain_takes_all_messages_oldest_first(reader: Reader) -> None:
    reader.gets("a", TORN, "b")
    assert drain(reader.runner) == ["a", "b"]
    assert drain(reader.runner) == []


def test_process_reads_its_own_mailbox(node: LocalNode) -> None:
    def body() -> Any:
        me = current.get()
        assert me is not None
        node.sending.send(me.process.pid, "hello")
        return receive(me, (), None)

    assert as_process(node, body) == "hello"
