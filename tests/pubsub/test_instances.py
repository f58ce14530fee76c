"""instances.py, instance_names.py, adapter.py: dispatchers, adapters, and what ends with an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    NotAProcess,
    Pid,
    Presence,
    Process,
    PubSub,
    ServerAlreadyStarted,
    StartFailed,
    Supervisor,
    aio,
    child,
    receive,
    send,
)
from pyx import self as own_pid
from pyx.errors import DecodeError
from pyx.pubsub.adapter import letter_of, payload_in
from pyx.signals import Payload
from pyx.terms import Incarnation
from pyx.wire.codec import decode, encode
from tests.local_nodes import HANG, Ended, as_process, end_of, seen_from, until, wait_for
from tests.pubsub.test_topics import Listener, all_received, run

if TYPE_CHECKING:
    from collections.abc import Callable

    import _pytest.logging

    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

pytestmark = pytest.mark.usefixtures("both_ways")

Entries = list[tuple[Pid, Any]]


def to_the_loud(entries: Entries, pid: Pid | None, message: Any) -> None:
    """A dispatcher: it leaves out the skipped process, and those that want quiet."""
    for subscriber, metadata in entries:
        if metadata != "quiet" and subscriber != pid:
            send(subscriber, (metadata, pid is None, message))


def failing(entries: Entries, pid: Pid | None, message: Any) -> None:
    if message == "fail":
        msg = "no such\nthing"
        raise RuntimeError(msg)
    to_the_loud(entries, pid, message)


class TestInstances:
    def test_are_worlds_of_topics(self, node: LocalNode) -> None:
        def program() -> Any:
            PubSub.start_link(name="chat")
            PubSub.subscribe("t", pubsub="chat")
            PubSub.broadcast("t", "elsewhere")
            PubSub.broadcast("t", "here", pubsub="chat")
            return all_received()

        assert run(node, program) == ["here"]

    def test_names_are_taken_once(self, node: LocalNode) -> None:
        PubSub.start(name="chat")
        for instance in (PubSub, Presence):
            with pytest.raises(ServerAlreadyStarted, match=r"^'chat' is #PID<") as taken:
                instance.start(name="chat")
            assert "give it one that no PubSub, Presence or server here has" in str(taken.value.hint)
        with pytest.raises(ValueError, match="the PubSub 'pubsub' is always there"):
            PubSub.start(name="pubsub")
        with pytest.raises(ValueError, match="the Presence 'presence' is always there"):
            Presence.start(name="presence")
        with pytest.raises(NotAProcess):
            PubSub.start_link(name="other")

    def test_end_with_their_processes(self, node: LocalNode) -> None:
        pid = PubSub.start(name="chat")
        Listener(node, "t", pubsub="chat")
        Process.exit(pid, "kill")
        end_of(node, pid)
        with pytest.raises(ValueError, match="unknown PubSub: 'chat'"):
            PubSub.broadcast("t", 1, pubsub="chat")
        PubSub.start(name="chat")
        assert PubSub.subscribers("t", pubsub="chat") == []

    def test_may_be_under_a_supervisor(self, node: LocalNode) -> None:
        def program() -> Any:
            Supervisor.start_link(
                [child(PubSub, name="chat", dispatcher=to_the_loud), child(Presence, name="rooms")],
                strategy="one_for_one",
            )
            PubSub.subscribe("t", metadata="loud", pubsub="chat")
            PubSub.broadcast("t", "m", pubsub="chat")
            Presence.track("t", "gus", presence="rooms")
            return receive(timeout=HANG), list(Presence.list("t", presence="rooms"))

        assert run(node, program) == (("loud", True, "m"), ["gus"])

    def test_twins_of_starts_are_awaitable(self, node: LocalNode) -> None:
        started: list[Pid] = []

        async def program() -> None:
            started.append(await aio.PubSub.start_link(name="chat"))
            started.append(await aio.PubSub.start(name="other"))
            started.append(await aio.Presence.start_link(name="rooms", pubsub="chat"))
            started.append(await aio.Presence.start(name="more", pubsub="other", down_after=1))
            await aio.receive("end")

        node.processes.spawn(program, ())
        until(lambda: len(started) == 4)


class TestDispatchers:
    def test_b10_gets_entries_with_metadata_the_skipped_pid_and_the_message(self, nodes: LocalNodes) -> None:
        from pyx import Node

        a, b = nodes.start("a"), nodes.start("b")
        for one in (a, b):
            run(one, lambda: PubSub.start(name="chat", dispatcher=to_the_loud))
        assert run(a, lambda: Node.connect("b")) is True
        here = Listener(a, "t", metadata="here", pubsub="chat")
        there = Listener(b, "t", metadata="there", pubsub="chat")
        quiet = Listener(b, "t", metadata="quiet", pubsub="chat")

        def program() -> None:
            PubSub.subscribe("t", metadata="me", pubsub="chat")
            PubSub.broadcast("t", "to all", pubsub="chat")
            PubSub.broadcast_from(own_pid(), "t", "to others", pubsub="chat")
            assert receive(timeout=HANG) == ("me", True, "to all")
            assert Node.ping("b") == "pong"

        run(a, program)
        for node, listener in ((a, here), (b, there)):
            process = node.kernel.tables.find(listener.pid)
            assert process is not None
            until(lambda process=process: process.mailbox.delivered >= 2)  # type: ignore[misc]
        assert here.got() == [("here", True, "to all"), ("here", False, "to others")]
        assert there.got() == [("there", True, "to all"), ("there", False, "to others")]
        assert quiet.got() == []

    def test_without_subscribers_is_not_called_and_other_messages_are_dropped(self, node: LocalNode) -> None:
        def program() -> Any:
            called: list[Any] = []
            pid = PubSub.start(name="chat", dispatcher=lambda *args: called.append(args))
            PubSub.broadcast("t", 1, pubsub="chat")
            send(pid, "anything")
            send(pid, ("$publish", "malformed"))
            PubSub.subscribe("u", pubsub="chat")
            PubSub.broadcast("u", 2, pubsub="chat")
            until(lambda: bool(called))
            return called == [([(own_pid(), None)], None, 2)]

        assert run(node, program) is True

    def test_that_raises_is_logged_and_goes_on(
        self, node: LocalNode, caplog: _pytest.logging.LogCaptureFixture
    ) -> None:
        def program() -> Any:
            PubSub.start(name="chat", dispatcher=failing)
            PubSub.subscribe("t", pubsub="chat")
            PubSub.broadcast("t", "fail", pubsub="chat")
            PubSub.broadcast("t", "m", pubsub="chat")
            return receive(timeout=HANG)

        assert run(node, program) == (None, True, "m")
        assert "the dispatcher of the PubSub 'chat' raised RuntimeError: no such\\nthing" in caplog.text
        assert "in failing" in caplog.text  # the place, and no frame of pyx
        assert "instances.py" not in caplog.text.replace(__file__, "")

    def test_is_a_def(self, node: LocalNode) -> None:
        async def wrong(*_: Any) -> None: ...

        for dispatcher in (wrong, 1, "name"):
            with pytest.raises(TypeError, match="the dispatcher of a PubSub is a def"):
                PubSub.start(name="chat", dispatcher=dispatcher)  # type: ignore[arg-type]


class Hub:
    """What adapters of a test carry letters over, between nodes that share no mesh."""

    def __init__(self) -> None:
        self.ends: dict[str, HubAdapter] = {}


class HubAdapter:
    """An adapter, as a program writes one."""

    def __init__(self, hub: Hub, name: str) -> None:
        self._hub = hub
        self._name = name
        self.deliver: Callable[[str, bytes], None] | None = None
        self.senders: list[Pid | None] = []

    def start(self, deliver: Callable[[str, bytes], None]) -> None:
        self.deliver = deliver
        self._hub.ends[self._name] = self

    def stop(self) -> None:
        del self._hub.ends[self._name]

    def node_name(self) -> str:
        return self._name

    def broadcast(self, topic: str, letter: bytes, frm: Pid | None) -> None:
        self.senders.append(frm)
        for name in self._hub.ends:
            if name != self._name:
                self.direct_broadcast(name, topic, letter)

    def direct_broadcast(self, node: str, topic: str, letter: bytes) -> None:
        end = self._hub.ends.get(node)
        if end is not None and end.deliver is not None:
            end.deliver(topic, letter)


class TestAdapters:
    @pytest.fixture
    def joined(self, nodes: LocalNodes) -> tuple[LocalNode, LocalNode, Hub]:
        """Two nodes without a connection, whose instance `far` goes over a hub."""
        a, b, hub = nodes.start("a"), nodes.start("b"), Hub()
        for node, name in ((a, "east"), (b, "west")):
            adapter = HubAdapter(hub, name)
            as_process(node, lambda adapter=adapter: PubSub.start(name="far", adapter=adapter))  # type: ignore[misc]
        return a, b, hub

    def test_carries_broadcasts_to_all_other_nodes(self, joined: tuple[LocalNode, LocalNode, Hub]) -> None:
        a, b, hub = joined
        here, there = Listener(a, "t", pubsub="far"), Listener(b, "t", pubsub="far")

        def program() -> Any:
            me = own_pid()
            done = [
                PubSub.broadcast("t", ("from", me), pubsub="far"),
                PubSub.local_broadcast("t", "local", pubsub="far"),
                PubSub.direct_broadcast("west", "t", "there", pubsub="far"),
                PubSub.direct_broadcast("east", "t", "here", pubsub="far"),
                PubSub.direct_broadcast("nowhere", "t", "lost", pubsub="far"),
            ]
            return me, done, PubSub.node_name(pubsub="far"), hub.ends["east"].senders == [me]

        me, *rest = run(a, program)
        assert rest == [["ok"] * 5, "east", True]
        assert here.got() == [("from", me), "local", "here"]
        assert there.got() == [("from", seen_from(b, a, me)), "there"]

    def test_broadcast_from_skips_a_process_of_this_node(
        self, joined: tuple[LocalNode, LocalNode, Hub]
    ) -> None:
        a, b, _ = joined
        here, there = Listener(a, "t", pubsub="far"), Listener(b, "t", pubsub="far")
        run(a, lambda: PubSub.broadcast_from(here.pid, "t", "m", pubsub="far"))
        run(a, lambda: PubSub.broadcast("nobody listens", "m", pubsub="far"))
        assert (here.got(), there.got()) == ([], ["m"])

    def test_twin_hands_over_on_another_thread(self, joined: tuple[LocalNode, LocalNode, Hub]) -> None:
        a, b, _ = joined
        there = Listener(b, "t", pubsub="far")
        sent: list[Any] = []

        async def program() -> None:
            sent.append(await aio.PubSub.broadcast("t", "m", pubsub="far"))

        a.processes.spawn(program, ())
        until(lambda: sent == ["ok"])
        assert there.got() == ["m"]

    def test_that_delivers_nonsense_is_logged(
        self, joined: tuple[LocalNode, LocalNode, Hub], caplog: _pytest.logging.LogCaptureFixture
    ) -> None:
        a, _, hub = joined
        here = Listener(a, "t", pubsub="far")
        deliver = hub.ends["east"].deliver
        assert deliver is not None
        nonsense: tuple[tuple[Any, Any], ...] = (
            ("t", b""),
            ("t", b"\xff" * 9),
            ("t", encode((1, 2))),
            (7, encode(1)),
            ("t", "text"),
        )
        for topic, letter in nonsense:
            deliver(topic, letter)
        assert here.got() == []
        assert (
            caplog.text.count("the adapter of the PubSub 'far' delivered a broadcast that is dropped: ") == 5
        )
        assert "a letter is bytes, not 'text'" in caplog.text

    def test_is_given_names_of_nodes_that_are_texts(self, joined: tuple[LocalNode, LocalNode, Hub]) -> None:
        a, _, _ = joined
        with pytest.raises(TypeError, match=r"^a node name is a str, not 3$"):
            run(a, lambda: PubSub.direct_broadcast(3, "t", 1, pubsub="far"))  # type: ignore[arg-type]

    def test_is_stopped_with_its_instance(self, joined: tuple[LocalNode, LocalNode, Hub]) -> None:
        a, _, hub = joined
        pid = run(a, lambda: Process.whereis("far"))
        run(a, lambda: Process.exit(pid, "kill"))
        until(lambda: "east" not in hub.ends)

    def test_that_cannot_be_stopped_is_logged_and_its_instance_ends(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(HubAdapter):
            def stop(self) -> None:
                msg = "the broker is gone"
                raise OSError(msg)

        pid = PubSub.start(name="far", adapter=Broken(Hub(), "east"))
        ended = Ended(node, pid)
        run(node, lambda: Process.exit(pid, "shutdown"))
        wait_for(ended)
        assert ended.reason == "shutdown"
        until(lambda: "raised OSError: the broker is gone (in stop())" in caplog.text)

    def test_that_lacks_a_method_is_refused(self, node: LocalNode) -> None:
        class Short:
            def start(self, deliver: Callable[[str, bytes], None]) -> None: ...

        with pytest.raises(
            TypeError, match=r"has the methods start, stop, .*; <.*Short object .*> lacks stop"
        ):
            PubSub.start(name="far", adapter=Short())  # type: ignore[arg-type]

    def test_that_does_not_start_fails_the_start(self, node: LocalNode) -> None:
        class Broken(HubAdapter):
            def start(self, deliver: Callable[[str, bytes], None]) -> None:
                msg = "no route"
                raise OSError(msg)

        with pytest.raises(StartFailed):
            PubSub.start(name="far", adapter=Broken(Hub(), "x"))


def test_letter_says_where_it_was_encoded() -> None:
    here, there = Incarnation("a@h", 1), Incarnation("b@h", 2)
    letter = letter_of(Payload(encode((Pid(5), "m"))), here)
    assert decode(payload_in(letter, there), there) == (Pid(5, 0, "a@h", 1), "m")
    unnamed = letter_of(Payload(encode(Pid(5))), None)
    assert decode(payload_in(unnamed, there), there) == Pid(5, 0, "nonode@nohost", 0)
    for nonsense in (("a@h", 1), ("a", 1, b""), ("a@h", -1, b""), ("a@h", 1, "text"), 5):
        with pytest.raises(DecodeError):
            payload_in(encode(nonsense), there)
