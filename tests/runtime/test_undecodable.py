"""Payloads that cannot be decoded: the sender gets an error, and nothing else is affected.

Messages that are too long end the same way (`test_sending.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import Node, Process, receive, send
from pyx import self as own_pid
from pyx.errors import RemoteError, RpcError
from pyx.execution import context
from pyx.runtime import encoding, rpc_client
from pyx.runtime.request import PendingAnswer, wait
from pyx.signals import Payload
from pyx.terms import Pid
from pyx.wire.codec import decode
from tests.local_nodes import Running, as_process, in_kernel, seen_from, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

TORN = Payload(b"\xc1 no payload")


class Two:
    """Node a, which sends payloads that cannot be decoded, and b, where a server goes on undisturbed."""

    def __init__(self, nodes: LocalNodes) -> None:
        self.a, self.b = nodes.start("a"), nodes.start("b")
        self.server = Running(self.b, self._serve)
        in_kernel(self.b, self.b.kernel.registry.register, self.server.pid, "server")
        assert as_process(self.a, lambda: Node.ping("b")) == "pong"
        (self.session,) = (peer.session for peer in self.a.kernel.tables.peers.values())

    @staticmethod
    def _serve() -> Any:
        Process.flag("trap_exit", True)
        return receive("end", ("EXIT", ..., ...)), Process.info(own_pid(), "undecodable")[1]

    @property
    def server_there(self) -> Pid:
        """The pid of the server on node a."""
        return seen_from(self.a, self.b, self.server.pid)

    def ends(self) -> Any:
        """Returns the server's outcome after a last message of node a."""
        as_process(self.a, lambda: send(("server", "b"), "end"))
        return self.server.outcome()


@pytest.fixture
def two(nodes: LocalNodes) -> Iterator[Two]:
    both = Two(nodes)
    yield both
    # The connection is the same, and the only one.
    assert [peer.session for peer in both.a.kernel.tables.peers.values()] == [both.session]
    assert both.b.kernel.membership.nodes(["connected"]) == ["a@test"]


def asked(node: LocalNode, request: Any, *args: Any) -> PendingAnswer:
    """Sends a request to the server, and returns the answer."""

    def body() -> PendingAnswer:
        with PendingAnswer(node) as pending:
            with node.kernel_call:
                pending.number = request(pending, *args)
            assert wait("test", pending.wait(10.0))
            return pending

    return as_process(node, body)


def test_undecodable_message_is_dropped_counted_and_logged_at_both_ends(
    two: Two, caplog: pytest.LogCaptureFixture
) -> None:
    for dest in (("server", "b@test"), two.server_there):
        in_kernel(two.a, two.a.kernel.router.send, None, dest, TORN)
    assert two.ends() == ("end", 2)
    here = f"dropped a message from a@test to {two.server.pid} that cannot be read: malformed payload"
    there = f"b@test dropped a message for {two.server_there} that it cannot read: malformed payload"
    for line in (here, there):  # the second of each is logged after a pause
        until(lambda line=line: sum(said.startswith(line) for said in caplog.messages) == 2)  # type: ignore[misc]


def test_undecodable_call_fails_at_its_caller(two: Two) -> None:
    pending = asked(two.a, two.a.kernel.requests.call, Pid(0), Pid(0), "b@test", TORN)
    with pytest.raises(RemoteError, match="DecodeError: malformed payload"):
        rpc_client.value_of(two.a, "b@test", pending)
    assert two.ends() == ("end", 0)


def test_undecodable_answer_fails_at_its_caller(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = two.b.kernel.requests.call_finished
    monkeypatch.setattr(two.b.processes, "_end_of", lambda process, *_: (finish, process, "value", TORN))
    call = encoding.encoded_call("os", "getpid", [], two.a.max_message_bytes)
    pending = asked(two.a, two.a.kernel.requests.call, Pid(0), Pid(0), "b@test", call)
    with pytest.raises(RpcError, match="the answer of b@test cannot be decoded: malformed payload"):
        rpc_client.value_of(two.a, "b@test", pending)


def test_spawn_with_an_undecodable_payload_ends_with_the_reason(two: Two) -> None:
    def body() -> Any:
        me = context.require("test").process.pid
        with PendingAnswer(two.a) as pending:
            with two.a.kernel_call as kernel:
                pending.number, _ = kernel.requests.spawn(
                    pending, me, Pid(0), "b@test", TORN, link=False, monitor=True
                )
            assert wait("test", pending.wait(10.0))
        return receive(("DOWN", ..., "process", ..., ...), timeout=60)[4]

    reason = as_process(two.a, body)
    assert reason.type == "DecodeError"
    assert two.ends() == ("end", 0)


def test_undecodable_inquiry_is_answered_with_the_error(two: Two) -> None:
    pending = asked(two.a, two.a.kernel.requests.info, Pid(0), "b@test", "info", TORN)
    assert pending.outcome == "value"
    assert decode(pending.body, None).type == "DecodeError"


def test_undecodable_reason_is_a_word(two: Two) -> None:
    in_kernel(two.a, two.a.kernel.process_signals.exit, Pid(0), two.server_there, TORN)
    ended, undecodable = two.server.outcome()
    assert (ended[0], ended[2], undecodable) == ("EXIT", "unreadable", 0)
