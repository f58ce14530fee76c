"""endpoint.py, authentication.py, arrivals.py, carrier.py, unix_carrier.py: Nodes dial each other over real
sockets; bad connections are closed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx.errors import PyxError
from pyx.net import endpoint, unix_carrier
from pyx.net.arrivals import Arrival
from pyx.net.directory import HostDirectory
from pyx.net.pending_connections import MAX_PENDING
from pyx.net.unix_carrier import UnixCarrier
from pyx.terms import Incarnation
from pyx.wire.handshake.events import Transmit
from pyx.wire.handshake.hello import acceptor_hello
from pyx.wire.handshake.machine import Acceptor
from tests.local_nodes import until
from tests.net.endpoint_nodes import HANG, KEY, DialFailed, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.net.name_claim import NameClaim
    from tests.net.conftest import LoopThread

COOKIE_HINT = "both read ~/.pyx.cookie, or pass --cookie-file"


class UnixNode(Node):
    """A node with a name in a directory of unix sockets."""

    def __init__(self, host: Host, name: str, *, hidden: bool, key: bytes) -> None:
        incarnation = Incarnation(name, 100 + len(host.nodes))
        self.claim: NameClaim = host.directory.claim(name, incarnation.creation, os.getpid())
        carrier = UnixCarrier(host.directory, self.claim)
        super().__init__(host.loop_thread, incarnation, carrier, hidden=hidden, key=key)

    def close(self) -> None:
        super().close()
        self.claim.release()


class Host:
    """Nodes of one directory, on one loop."""

    def __init__(self, loop_thread: LoopThread, directory: str) -> None:
        self.loop_thread = loop_thread
        self.directory = HostDirectory(directory)
        self.nodes: list[UnixNode] = []
        self._pending: list[socket.socket] = []

    def node(self, name: str, *, hidden: bool = False, key: bytes = KEY) -> UnixNode:
        self.nodes.append(UnixNode(self, name, hidden=hidden, key=key))
        return self.nodes[-1]

    def connection(self, at: UnixNode) -> socket.socket:
        """Returns a silent connection to a node."""
        connection = socket.socket(socket.AF_UNIX)
        self._pending.append(connection)
        connection.settimeout(HANG)
        connection.connect(at.claim.socket_path)
        return connection

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        for connection in self._pending:
            connection.close()


@pytest.fixture
def host(loop_thread: LoopThread, short_directory: str) -> Iterator[Host]:
    host = Host(loop_thread, short_directory)
    yield host
    host.close()


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the time limit of handshakes."""
    monkeypatch.setattr(endpoint, "HANDSHAKE_SECONDS", 0.1)


class TestDial:
    def test_dial_makes_one_connection_known_to_both_ends(self, host: Host) -> None:
        gus, bob = host.node("gus@vm", hidden=True).listen(), host.node("bob@vm").listen()
        dialled = gus.reaches("bob@vm")
        accepted = bob.outcomes.get(timeout=HANG)
        assert isinstance(dialled, Arrival)
        assert isinstance(accepted, Arrival)
        assert dialled[:4] == (*bob.incarnation, False, True)
        assert accepted[:4] == (*gus.incarnation, True, False)
        assert dialled.handle is None
        assert accepted.handle == "the peer gus@vm"
        assert bob.asked.get(timeout=HANG) == (*gus.incarnation, True)
        dialled.stream.send(b"the first bytes")
        buffer = memoryview(bytearray(100))
        assert bytes(buffer[: accepted.stream.receive_into(buffer)]) == b"the first bytes"

    def test_bytes_that_follow_the_decision_at_once_are_passed_on(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm").listen()
        established = bob.established
        monkeypatch.setattr(
            bob,
            "established",
            lambda arrival: established(arrival._replace(first=arrival.first + b"signals")),
        )
        dialled = gus.reaches("bob@vm")
        assert isinstance(dialled, Arrival)
        assert dialled.trailing == b"signals"

    def test_dial_of_an_unknown_name_says_so(self, host: Host) -> None:
        assert host.node("gus@vm").reaches("bob@vm") == DialFailed(
            "bob@vm", "no node of that name runs on this host"
        )

    def test_dial_of_another_host_says_so(self, host: Host) -> None:
        assert host.node("gus@vm").reaches("bob@far") == DialFailed(
            "bob@far", "its host is not this one, and this node is not started with --name"
        )

    def test_dial_with_another_cookie_fails_and_both_nodes_report_it(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm", key=b"o" * 32).listen()
        assert gus.reaches("bob@vm") == DialFailed(
            "bob@vm", "the cookie of bob@vm differs from ours", COOKIE_HINT
        )
        assert bob.refusals.get(timeout=HANG) == "the cookie of gus@vm differs from ours"
        assert bob.asked.empty()

    def test_dial_may_use_a_cookie_of_its_own(self, host: Host) -> None:
        gus, _ = host.node("gus@vm"), host.node("bob@vm", key=b"o" * 32).listen()
        gus.keys["bob@vm"] = b"o" * 32
        assert isinstance(gus.reaches("bob@vm"), Arrival)

    def test_dial_that_is_refused_says_so(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm").listen()
        bob.status = "refused"
        assert gus.reaches("bob@vm") == DialFailed("bob@vm", "it refused the connection")

    @pytest.mark.usefixtures("short_timeout")
    def test_dial_of_a_frozen_node_is_given_up(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        listening = bob.claim.listen()  # the system accepts the connection, and no node does
        assert gus.reaches("bob@vm") == DialFailed("bob@vm", "it did not answer within 0.1 s")
        listening.close()

    @pytest.mark.usefixtures("short_timeout")
    def test_dial_of_a_node_that_never_listens_is_given_up(self, host: Host) -> None:
        host.node("bob@vm")
        reached = host.node("gus@vm").reaches("bob@vm")
        assert reached == DialFailed("bob@vm", "it did not answer within 0.1 s")

    def test_dial_of_a_node_that_is_just_starting_succeeds(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        gus.dials("bob@vm")
        host.loop_thread.settle()
        bob.listen()
        assert isinstance(gus.outcomes.get(timeout=HANG), Arrival)

    def test_dial_of_a_node_with_a_full_backlog_waits_and_succeeds(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        listening = bob.claim.listen()
        listening.listen(0)
        others = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        refused = 0
        for client in others:
            client.setblocking(False)
            try:
                client.connect(bob.claim.socket_path)
            except BlockingIOError:
                refused += 1
        assert refused  # the backlog is full
        gus.dials("bob@vm")
        host.loop_thread.settle()
        monkeypatch.setattr(bob.claim, "listen", lambda: listening)
        bob.listen()
        assert isinstance(gus.outcomes.get(timeout=HANG), Arrival)
        for client in others:
            client.close()

    def test_dial_of_a_node_that_hangs_up_says_so(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        listening = bob.claim.listen()
        listening.setblocking(True)
        gus.dials("bob@vm")
        listening.accept()[0].close()
        assert gus.outcomes.get(timeout=HANG) == DialFailed("bob@vm", "it hung up")
        listening.close()

    def test_dial_that_cannot_read_the_directory_says_why(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lookup(_: str) -> str:
            raise PyxError("cannot look into it", hint="look elsewhere")

        monkeypatch.setattr(host.directory, "lookup", lookup)
        assert host.node("gus@vm").reaches("bob@vm") == DialFailed(
            "bob@vm", "cannot look into it", "look elsewhere"
        )

    def test_dial_of_a_broken_socket_says_why(self, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host.directory, "lookup", lambda _: "/tmp/" + "d" * 200)
        assert host.node("gus@vm").reaches("bob@vm") == DialFailed(
            "bob@vm", "its socket cannot be reached: AF_UNIX path too long"
        )

    def test_dial_answered_by_a_node_of_another_name_names_both(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        listening = bob.claim.listen()
        listening.setblocking(True)
        gus.dials("bob@vm")
        other, _ = listening.accept()
        acceptor = Acceptor(acceptor_hello(Incarnation("cat@vm", 1), bytes(32), hidden=False), b"unix")
        acceptor.receive_data(other.recv(1024))
        other.sendall(b"".join(event.data for event in acceptor.events() if isinstance(event, Transmit)))
        assert gus.outcomes.get(timeout=HANG) == DialFailed("bob@vm", "it is called cat@vm, not bob@vm")
        other.close()
        listening.close()

    def test_dial_requested_several_times_is_made_once(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm").listen()

        def dial_five_times() -> None:
            for _ in range(5):
                gus.endpoint.dial("bob@vm", 1)

        host.loop_thread.call(dial_five_times)
        assert isinstance(gus.outcomes.get(timeout=HANG), Arrival)
        host.loop_thread.settle()
        assert bob.asked.get(timeout=HANG) == (*gus.incarnation, False)
        assert bob.asked.empty()
        assert isinstance(gus.reaches("bob@vm"), Arrival)  # the next is a new one


class TestDialToTheUnreachable:
    def test_dial_to_an_unreachable_node_waits_until_it_is_reachable(self, host: Host) -> None:
        gus, _ = host.node("gus@vm"), host.node("bob@vm").listen()
        gus.endpoint.unreachable = frozenset({"bob@vm"})
        gus.dials("bob@vm")
        host.loop_thread.settle()
        assert gus.outcomes.empty()
        gus.endpoint.unreachable = frozenset()
        assert isinstance(gus.outcomes.get(timeout=HANG), Arrival)

    @pytest.mark.usefixtures("short_timeout")
    def test_dial_to_an_unreachable_node_fails_like_an_unanswered_one(self, host: Host) -> None:
        gus, _ = host.node("gus@vm"), host.node("bob@vm").listen()
        gus.endpoint.unreachable = frozenset({"bob@vm"})
        assert gus.reaches("bob@vm") == DialFailed("bob@vm", "it did not answer within 0.1 s")


class TestCancelledDial:
    def test_cancelled_dial_closes_its_connection_and_reports_nothing(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        listening = bob.claim.listen()
        listening.setblocking(True)
        gus.dials("bob@vm")
        other, _ = listening.accept()
        other.settimeout(HANG)
        assert other.recv(1024)  # its hello
        gus.cancels("bob@vm")
        assert other.recv(1024) == b""
        assert gus.outcomes.empty()
        gus.cancels("bob@vm")
        gus.cancels("absent@vm")
        other.close()
        listening.close()

    def test_dial_with_a_new_number_replaces_the_old_one(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        listening = bob.claim.listen()
        listening.setblocking(True)
        gus.dials("bob@vm", 7)
        other, _ = listening.accept()
        other.settimeout(HANG)
        hello = other.recv(1024)
        gus.dials("bob@vm", 7)
        gus.dials("bob@vm", 8)  # the seventh dial is not wanted any more
        assert other.recv(1024) == b""
        anew, _ = listening.accept()
        anew.settimeout(HANG)
        assert len(anew.recv(1024)) == len(hello)
        for end in (other, anew, listening):
            end.close()

    def test_dial_right_after_cancelled_ones_succeeds(self, host: Host) -> None:
        gus, _ = host.node("gus@vm"), host.node("bob@vm").listen()

        def dial_and_cancel() -> None:
            for number in range(20):
                gus.endpoint.dial("bob@vm", number)
                gus.endpoint.dial("bob@vm", None)

        host.loop_thread.call(dial_and_cancel)
        assert isinstance(gus.reaches("bob@vm"), Arrival)
        host.loop_thread.settle()
        assert gus.outcomes.empty()


class TestSimultaneousDial:
    def test_simultaneous_dial_waits_for_the_peers_dial(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm").listen()
        bob.status = "simultaneous"
        gus.dials("bob@vm")
        assert bob.asked.get(timeout=HANG) == (*gus.incarnation, False)
        host.loop_thread.settle()
        assert gus.outcomes.empty()
        gus.cancels("bob@vm")  # as the kernel does when the peer's dial has arrived
        host.loop_thread.settle()
        assert gus.outcomes.empty()

    def test_simultaneous_dial_fails_when_the_peers_dial_never_arrives(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm").listen()
        bob.status = "simultaneous"
        reasons = []
        for seconds in (0.1, 1.0, 10.0):  # a busy host may not have answered within the first
            monkeypatch.setattr(endpoint, "HANDSHAKE_SECONDS", seconds)
            failed = gus.reaches("bob@vm")
            assert isinstance(failed, DialFailed)
            reasons.append(failed.reason)
            if failed.reason != f"it did not answer within {seconds:g} s":
                break
        assert reasons[-1] == "it was dialling this node itself at the same time, and did not get through"


class TestPendingConnection:
    @pytest.mark.usefixtures("short_timeout")
    def test_pending_connection_that_is_silent_is_closed(self, host: Host) -> None:
        bob = host.node("bob@vm").listen()
        assert host.connection(bob).recv(1) == b""
        assert bob.refusals.get(timeout=HANG) == "a connection did not authenticate within 0.1 s"

    @pytest.mark.usefixtures("short_timeout")
    def test_pending_connection_that_sends_slowly_is_closed_in_time(self, host: Host) -> None:
        bob = host.node("bob@vm").listen()
        connection = host.connection(bob)
        with contextlib.suppress(ConnectionError):  # its time may be over before all is sent, and read
            connection.send(b"\x00")
            connection.send(b"\x40")
            assert connection.recv(1) == b""
        assert bob.refusals.get(timeout=HANG) == "a connection did not authenticate within 0.1 s"

    def test_pending_connection_that_sends_nonsense_gets_one_uninformative_answer(self, host: Host) -> None:
        bob = host.node("bob@vm").listen()
        connection = host.connection(bob)
        connection.send(b"\x00\x04GET /")
        answer = b"".join(iter(lambda: connection.recv(100), b""))
        assert answer == b"\x00\x01\x05"
        assert bob.refusals.get(timeout=HANG) == "it does not speak pyx's protocol"

    def test_pending_connection_closed_by_its_peer_is_forgotten(self, host: Host) -> None:
        bob = host.node("bob@vm").listen()
        host.connection(bob).close()
        assert bob.refusals.get(timeout=HANG) == "it hung up"

    def test_pending_connection_of_another_user_is_closed_without_an_answer(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unix_carrier, "uid_of", lambda _: 12345)
        bob = host.node("bob@vm").listen()
        assert host.connection(bob).recv(1) == b""
        assert "user 12345" in bob.refusals.get(timeout=HANG)

    def test_oldest_pending_connections_are_closed_first_when_the_table_is_full(self, host: Host) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm").listen()
        others = [host.connection(bob) for _ in range(MAX_PENDING + 10)]
        for connection in others[:10]:
            assert connection.recv(1) == b""
        assert isinstance(gus.reaches("bob@vm"), Arrival)  # replaces one more of them
        assert others[10].recv(1) == b""
        others[11].send(b"\x00\x04nope")
        assert others[11].recv(3) == b"\x00\x01\x05"

    def test_node_out_of_descriptors_goes_on_accepting_once_it_has_some(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm")
        monkeypatch.setattr(bob.claim, "listen", lambda listen=bob.claim.listen: _Exhausted(listen()))
        bob.listen()
        assert isinstance(gus.reaches("bob@vm"), Arrival)
        assert [bob.shortages.get(timeout=HANG) for _ in range(2)] == [errno.EMFILE] * 2
        assert bob.shortages.empty()


class TestDialThatBreaks:
    """The failure is reported at once, whatever the exception is."""

    def test_dial_without_a_free_descriptor_says_so(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gus, bob = host.node("gus@vm"), host.node("bob@vm").listen()

        def exhausted(*_: object) -> socket.socket:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", exhausted)
            outcome = gus.reaches("bob@vm")
        assert outcome == DialFailed("bob@vm", "no socket can be made: Too many open files")
        assert isinstance(gus.reaches("bob@vm"), Arrival)
        assert bob.refusals.empty()

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (ValueError("odd"), "ValueError: odd"),
            (OSError(errno.EIO, os.strerror(errno.EIO)), "Input/output error"),
            (MemoryError(), "MemoryError: "),
        ],
    )
    def test_dial_that_raises_reports_the_exception(
        self, host: Host, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
    ) -> None:
        gus = host.node("gus@vm")
        host.node("bob@vm").listen()

        def fail(_: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(UnixCarrier, "dialled", staticmethod(fail))
            assert gus.reaches("bob@vm") == DialFailed("bob@vm", f"the dial failed ({words})")
        assert isinstance(gus.reaches("bob@vm"), Arrival)


class _Exhausted:
    """A listening socket that fails twice for want of a descriptor."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._failures = 2

    def accept(self) -> object:
        if self._failures:
            self._failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._listening.accept()

    def fileno(self) -> int:
        return self._listening.fileno()

    def close(self) -> None:
        self._listening.close()


def test_closed_endpoint_leaves_no_descriptor(host: Host) -> None:
    gus, bob = host.node("gus@vm").listen(), host.node("bob@vm")
    listening = bob.claim.listen()
    before = len(list(Path("/dev/fd").iterdir()))
    cat = host.node("cat@vm").listen()
    connections = [host.connection(cat) for _ in range(5)]
    cat.dials("bob@vm")
    cat.dials("absent@vm")
    assert isinstance(cat.outcomes.get(timeout=HANG), DialFailed)
    cat.close()
    for client in connections:
        with contextlib.suppress(ConnectionResetError):  # it was not accepted yet
            assert client.recv(1) == b""
        client.close()
    listening.close()
    host.loop_thread.settle()  # uvloop closes polled sockets in its next iteration
    until(lambda: len(list(Path("/dev/fd").iterdir())) == before - 1)
    assert isinstance(gus.reaches("cat@vm"), DialFailed)
