"""epmd_server.py: pyx's own EPMD: its table of names, and the program."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pyx.net import epmd_server
from pyx.net.epmd_server import MAX_NAMES, MAX_UNREGISTERED, EpmdServer, RegisteredNames
from pyx.net.tcp import listen
from pyx.wire.epmd import (
    LEAVE_REQUEST,
    LIST_REQUEST,
    NodeEntry,
    Registered,
    look_up_request,
    read_listed,
    read_looked_up,
    read_registered,
    register_request,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

GUS, BOB = NodeEntry("gus", 4444), NodeEntry("bob", 5555, hidden=True)
HANG = 30.0


class TestNames:
    def test_name_belongs_to_one_node_until_it_leaves(self) -> None:
        names = RegisteredNames(creation=7, now=0.0)
        assert names.registered(GUS).accepted
        assert not names.registered(GUS._replace(port=1)).accepted
        assert names.find("gus") == GUS
        names.left("gus", now=1.0)
        assert names.find("gus") is None
        assert names.registered(GUS._replace(port=1)).accepted

    def test_creation_rises_with_every_registration(self) -> None:
        names = RegisteredNames(creation=7, now=0.0)
        creations = []
        for _ in range(4):
            creations.append(names.registered(GUS).creation)
            names.left("gus", now=1.0)
        assert creations == [8, 9, 10, 11]

    def test_creation_is_never_0(self) -> None:
        names = RegisteredNames(creation=0xFFFFFFFE, now=0.0)
        creations = [names.registered(NodeEntry(name, 1)).creation for name in "abc"]
        assert creations == [0xFFFFFFFF, 1, 2]

    @pytest.mark.parametrize("name", ["", "x" * 256, "two words", "line\nname evil at port 1", "\u202e"])
    def test_invalid_names_are_refused(self, name: str) -> None:
        assert RegisteredNames(creation=7, now=0.0).registered(NodeEntry(name, 1)) == Registered(
            accepted=False, creation=0
        )

    def test_registrations_beyond_the_limit_are_refused(self) -> None:
        names = RegisteredNames(creation=7, now=0.0)
        accepted = [names.registered(NodeEntry(f"n{at}", 1)).accepted for at in range(MAX_NAMES + 1)]
        assert accepted == [True] * MAX_NAMES + [False]

    def test_server_is_due_to_end_a_minute_after_the_last_name_has_left(self) -> None:
        names = RegisteredNames(creation=7, now=100.0)
        times = [names.leave_at]
        names.registered(GUS)
        names.registered(BOB)
        names.left("gus", now=500.0)
        times.append(names.leave_at)
        names.left("bob", now=600.0)
        times.append(names.leave_at)
        names.registered(BOB)
        times.append(names.leave_at)
        assert times == [160.0, None, 660.0, None]


class Running:
    """The server as an OS process on a free port."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pyx.net.epmd_server", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.port = int(self.line.split()[-1])
        self._connections = contextlib.ExitStack()

    def connect(self, host: str = "127.0.0.1") -> socket.socket:
        return self._connections.enter_context(socket.create_connection((host, self.port), HANG))

    def ask(self, request: bytes, host: str = "127.0.0.1") -> bytes:
        """Sends *request*; returns the whole answer."""
        connection = self.connect(host)
        connection.sendall(request)
        answer = b""
        while data := connection.recv(65536):
            answer += data
        return answer

    def register(self, entry: NodeEntry) -> tuple[socket.socket, Registered]:
        connection = self.connect()
        connection.sendall(register_request(entry))
        registered = read_registered(connection.recv(100))
        assert registered is not None
        return connection, registered

    def names(self) -> list[tuple[str, int]]:
        return read_listed(self.ask(LIST_REQUEST))

    def stop(self) -> None:
        self._connections.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.kill()
        self.process.wait(HANG)


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


class TestProgram:
    def test_server_listens_on_loopback(self, server: Running) -> None:
        assert server.line == f"listening on 127.0.0.1 port {server.port}\n"

    def test_name_is_registered_while_its_connection_is_open(self, server: Running) -> None:
        gus, registered = server.register(GUS)
        assert registered.accepted
        assert read_looked_up(server.ask(look_up_request("gus"))) == GUS
        assert server.names() == [("gus", 4444)]
        gus.close()
        # The end of one connection and the beginning of the next are two events: it takes them in order.
        assert server.names() == []
        assert read_looked_up(server.ask(look_up_request("gus"))) is None

    def test_second_registration_of_a_name_is_refused_and_a_later_one_rises(self, server: Running) -> None:
        gus, first = server.register(GUS)
        _, second = server.register(GUS)
        assert not second.accepted
        gus.close()
        _, third = server.register(GUS)
        assert third.accepted
        assert third.creation == first.creation + 1

    def test_older_node_is_answered_in_the_older_form(self, server: Running) -> None:
        connection = server.connect()
        connection.sendall(register_request(GUS._replace(highest=5, lowest=5)))
        answer = connection.recv(100)
        assert answer[:3] == b"y\0\0"
        assert answer[3] in {1, 2, 3}

    def test_further_byte_on_a_registered_connection_releases_the_name(self, server: Running) -> None:
        gus, _ = server.register(GUS)
        gus.sendall(LIST_REQUEST)
        assert gus.recv(100) == b""
        assert server.names() == []

    @pytest.mark.parametrize("sent", [b"\0\0", b"\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\0\1\1"])
    def test_malformed_request_is_disconnected(self, server: Running, sent: bytes) -> None:
        assert server.ask(sent) == b""
        assert server.names() == []

    def test_oldest_of_too_many_unregistered_connections_is_closed(self, server: Running) -> None:
        _, registered = server.register(BOB)
        assert registered.accepted
        connections = [server.connect() for _ in range(MAX_UNREGISTERED + 1)]
        assert connections[0].recv(100) == b""
        connections[-1].sendall(LIST_REQUEST)
        assert read_listed(connections[-1].recv(100)) == [("bob", 5555)]

    def test_server_ends_on_request_only_without_names(self, server: Running) -> None:
        gus, _ = server.register(GUS)
        assert server.ask(LEAVE_REQUEST) == b"NO"
        gus.close()
        assert server.names() == []
        assert server.ask(LEAVE_REQUEST) == b"OK"
        assert server.process.wait(HANG) == 0

    def test_server_ends_by_itself_when_the_last_name_has_left(self) -> None:
        running = Running("--linger", "0")
        gus, _ = running.register(GUS)
        bob, _ = running.register(BOB)
        gus.close()
        assert running.names() == [("bob", 5555)]
        bob.close()
        assert running.process.wait(HANG) == 0
        running.stop()

    def test_port_in_use_is_one_clear_error(self, server: Running) -> None:
        second = subprocess.run(
            [sys.executable, "-m", "pyx.net.epmd_server", "--port", str(server.port)],
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )
        assert second.returncode == 1
        assert second.stderr == f"cannot listen on 127.0.0.1 port {server.port}: Address already in use\n"


def own_address() -> str:
    """An address of this host by which others reach it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this host has loopback alone")
        return str(probe.getsockname()[0])


class TestOtherHosts:
    def test_other_hosts_cannot_reach_the_server_by_default(self, server: Running) -> None:
        with pytest.raises(ConnectionRefusedError):
            server.connect(own_address())

    def test_server_started_with_everywhere_answers_at_other_addresses(self) -> None:
        address = own_address()
        running = Running("--everywhere")
        assert running.line.startswith("listening on 0.0.0.0 port ")
        running.register(GUS)
        assert read_listed(running.ask(LIST_REQUEST, address)) == [("gus", 4444)]
        running.stop()

    def test_other_hosts_may_ask_but_not_register(self, monkeypatch: pytest.MonkeyPatch) -> None:
        listening = listen("127.0.0.1", 0)
        address = listening.getsockname()
        names = RegisteredNames(creation=7, now=time.monotonic())
        names.registered(BOB)
        thread = threading.Thread(target=EpmdServer([listening], names).run)

        def ask(request: bytes) -> bytes:
            with socket.create_connection(address, HANG) as connection:
                connection.sendall(request)
                return connection.recv(100)

        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(epmd_server, "_is_local", lambda _: False)
            thread.start()
            assert ask(register_request(GUS)) == b""
            assert ask(LEAVE_REQUEST) == b""
            assert read_looked_up(ask(look_up_request("bob"))) == BOB
            assert read_listed(ask(LIST_REQUEST)) == [("bob", 5555)]
        names.left("bob", time.monotonic())
        assert ask(LEAVE_REQUEST) == b"OK"
        thread.join(HANG)

    def test_local_connections_are_recognised(self) -> None:
        class Connection:
            def __init__(self, there: str, here: str) -> None:
                self.getpeername = lambda: (there, 1)
                self.getsockname = lambda: (here, 2)

        def is_local(there: str, here: str) -> bool:
            return epmd_server._is_local(Connection(there, here))  # type: ignore[arg-type]

        assert is_local("127.0.0.1", "127.0.0.1")
        assert is_local("127.0.0.9", "127.0.0.1")
        assert is_local("10.0.0.5", "10.0.0.5")
        assert is_local("::1", "::1")
        assert not is_local("10.0.0.6", "10.0.0.5")
        assert not is_local("fd00::6", "fd00::5")
