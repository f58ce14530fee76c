"""epmd_client.py: A node and the EPMD of its host: pyx's own, Erlang's where it is installed, and none."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from pyx.errors import NameTaken, PyxError
from pyx.net import epmd_client
from pyx.net.epmd_client import HOME, epmd_port, kinds, names, port_of, register
from pyx.net.tcp import listen
from pyx.wire.epmd import (
    LEAVE_REQUEST,
    NodeEntry,
    Register,
    Registered,
    RequestReader,
    extra_of_pyx,
    registered_answer,
)
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

REAL = shutil.which("epmd")
HANG = 30.0


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port without an EPMD; the one that a test starts there is ended."""
    port = free_port()
    monkeypatch.setenv("ERL_EPMD_PORT", str(port))
    monkeypatch.delenv("ERL_EPMD_ADDRESS", raising=False)
    yield port
    end_epmd(port)


def end_epmd(port: int) -> None:
    """Ends the EPMD at *port* as soon as it has no names; returns when it has ended."""
    give_up = time.monotonic() + HANG
    while time.monotonic() < give_up:
        try:
            with socket.create_connection((HOME, port), HANG) as connection:
                connection.sendall(LEAVE_REQUEST)
                connection.recv(10)
        except ConnectionRefusedError:
            return
        except OSError:  # it closes what it has not read when it ends, or is too busy to answer
            continue
    msg = f"an EPMD is left at port {port}: a node is still registered there"
    raise AssertionError(msg)


async def until_gone(name: str) -> None:
    """Returns when EPMD has noticed that a connection is closed."""
    async with asyncio.timeout(HANG):
        while await port_of(name, HOME) is not None:
            pass


@pytest.fixture(params=["own", "epmd"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The EPMD that is started where there is none: pyx's own or Erlang's."""
    if request.param == "epmd":
        if REAL is None:
            pytest.skip("epmd is not on PATH")
    else:
        monkeypatch.setenv("PATH", os.devnull)
    return str(request.param)


def appended_to(lines: list[str]) -> Callable[[str], None]:
    return lines.append


@pytest.mark.usefixtures("kind", "port")
class TestRegistering:
    def test_node_is_found_while_it_is_registered(self) -> None:
        async def main() -> None:
            lines: list[str] = []
            gus = await register("gus", 4444, trouble=appended_to(lines))
            bob = await register("bob", 5555, hidden=True, trouble=appended_to(lines))
            assert await port_of("gus", HOME) == 4444
            assert await kinds(HOME) == [("bob", 5555, True), ("gus", 4444, True)]
            cat = await register("cat", 6666, extra=extra_of_pyx(7), trouble=appended_to(lines))
            assert ("cat", 6666, False) in await kinds(HOME)
            await cat.close()
            await until_gone("cat")
            assert await port_of("absent", HOME) is None
            assert await names("localhost") == [("bob", 5555), ("gus", 4444)]
            assert bob.creation
            await gus.close()
            await until_gone("gus")
            again = await register("gus", 4445, trouble=appended_to(lines))
            assert again.creation > gus.creation
            assert await port_of("gus", HOME) == 4445
            await again.close()
            await bob.close()
            assert lines == []

        asyncio.run(main())

    def test_name_of_a_live_node_is_refused(self) -> None:
        async def main() -> None:
            gus = await register("gus", 4444, trouble=appended_to([]))
            with pytest.raises(NameTaken, match=r"^the name gus is in use by another node$"):
                await register("gus", 4445, trouble=appended_to([]))
            await gus.close()

        asyncio.run(main())

    def test_started_epmd_serves_loopback_only_by_default(self, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # nothing is sent
            except OSError:
                pytest.skip("this host has loopback alone")
            address = str(probe.getsockname()[0])

        async def main() -> None:
            for everywhere in (False, True):
                beyond = address if everywhere else None
                gus = await register("gus", 4444, beyond=beyond, trouble=appended_to([]))
                if everywhere:
                    assert await names(address) == [("gus", 4444)]
                else:
                    with pytest.raises(PyxError, match=f"^cannot connect to {address} port {port}: "):
                        await names(address)
                await gus.close()
                await asyncio.to_thread(end_epmd, port)

        asyncio.run(main())

    def test_started_epmd_answers_at_another_address_of_this_host_too(self, kind: str) -> None:
        if kind == "own":
            pytest.skip("where Erlang is not installed, no node of its asks")

        async def main() -> None:
            gus = await register("gus", 4444, address="127.0.1.1", trouble=appended_to([]))
            assert await names("127.0.1.1") == await names(HOME) == [("gus", 4444)]
            await gus.close()

        asyncio.run(main())

    def test_epmd_that_serves_this_host_alone_is_reported(
        self, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(epmd_client, "_LOOK_SECONDS", 0.0)

        async def main() -> None:
            lines: list[str] = []
            gus = await register("gus", 4444, trouble=appended_to(lines))
            assert lines == []
            bob = await register("bob", 5555, beyond="127.0.0.9", trouble=appended_to(lines))
            assert await port_of("bob", HOME) == 5555
            async with asyncio.timeout(HANG):
                while not lines:
                    await asyncio.to_thread(lambda: None)
            await bob.close()
            await gus.close()
            (line,) = lines
            assert line == (
                f"other hosts cannot find bob: EPMD does not answer at 127.0.0.9 port {port}; it may serve "
                "this host alone (hint: with --port N, the same on all nodes, none is needed)"
            )

        asyncio.run(main())


def test_concurrent_starts_share_one_epmd(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # pyx's own: `epmd -daemon` returns before it listens, perhaps not before the end of this test.
    monkeypatch.setenv("PATH", os.devnull)

    async def main() -> None:
        nodes = await asyncio.gather(
            *(register(f"n{at}", 4444 + at, trouble=appended_to([])) for at in range(5))
        )
        assert await names(HOME) == [(f"n{at}", 4444 + at) for at in range(5)]
        for node in nodes:
            await node.close()

    asyncio.run(main())


class FakeEpmd:
    """An EPMD in this test, whose answers the test sets."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: asyncio.Queue[NodeEntry] = asyncio.Queue()
        self.probed = asyncio.Event()
        self.accepts = True
        self.connections: list[socket.socket] = []
        self._creation = 0
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._listening = listen(HOME, self.port)
        self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listening)
            self.connections.append(connection)
            reader = RequestReader()
            while (request := reader.request()) is None and (data := await loop.sock_recv(connection, 100)):
                reader.receive_data(data)
            if request is None:  # a probe whether an EPMD listens
                self.connections.remove(connection)
                connection.close()
                self.probed.set()
                continue
            assert isinstance(request, Register)
            self._creation += 1
            answer = registered_answer(Registered(self.accepts, self._creation), 6)
            await loop.sock_sendall(connection, answer)
            self.seen.put_nowait(request.entry)

    async def stop(self) -> None:
        assert self._serving is not None
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)
        self._listening.close()
        for connection in self.connections:
            connection.close()
        self.connections.clear()


def run_with_fake(port: int, main: Callable[[FakeEpmd, list[str]], Awaitable[None]]) -> None:
    async def run() -> None:
        fake = FakeEpmd(port)
        await fake.start()
        async with asyncio.timeout(HANG):
            await main(fake, [])
        await fake.stop()

    asyncio.run(run())


GUS = NodeEntry("gus", 4444)


@pytest.fixture
def none_starts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Makes the start of an EPMD fail; yields a list with an item for each attempt."""
    tried: list[bool] = []

    def commands(*, everywhere: bool, address: str) -> list[list[str]]:
        tried.append(everywhere)
        return [[os.devnull]]

    monkeypatch.setattr(epmd_client, "_commands", commands)
    monkeypatch.setattr(epmd_client, "_START_SECONDS", 0.0)
    return tried


class TestNameInUse:
    """EPMD notices the end of a node by its connection, which may be late on a busy host."""

    def test_name_in_use_is_requested_again_until_it_is_free(
        self, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(epmd_client, "RELEASE_SECONDS", HANG)

        async def main(fake: FakeEpmd, lines: list[str]) -> None:
            fake.accepts = False
            registering = asyncio.create_task(register("gus", 4444, trouble=appended_to(lines)))
            for _ in range(3):
                await fake.seen.get()
            fake.accepts = True
            gus = await registering
            assert gus.creation > 3
            await gus.close()
            assert lines == []

        run_with_fake(port, main)

    def test_name_in_use_is_refused_after_the_last_attempt(
        self, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(epmd_client, "RELEASE_SECONDS", 0.0)

        async def main(fake: FakeEpmd, lines: list[str]) -> None:
            fake.accepts = False
            with pytest.raises(NameTaken):
                await register("gus", 4444, trouble=appended_to(lines))

        run_with_fake(port, main)


class TestKeepingTheName:
    def test_lost_registration_is_renewed(self, port: int) -> None:
        async def main(fake: FakeEpmd, lines: list[str]) -> None:
            gus = await register("gus", 4444, trouble=appended_to(lines))
            assert gus.creation == 1
            assert await fake.seen.get() == GUS
            fake.connections.pop().close()
            assert await fake.seen.get() == GUS
            while gus.creation != 2:
                await asyncio.to_thread(lambda: None)
            fake.connections.pop().close()
            assert await fake.seen.get() == GUS
            await gus.close()
            assert lines == ["EPMD has closed the registration of gus: registering again"] * 2

        run_with_fake(port, main)

    def test_name_taken_by_another_node_meanwhile_is_reported_once(self, port: int) -> None:
        async def main(fake: FakeEpmd, lines: list[str]) -> None:
            gus = await register("gus", 4444, trouble=appended_to(lines))
            await fake.seen.get()
            fake.accepts = False
            fake.connections.pop().close()
            for _ in range(3):
                await fake.seen.get()
            fake.accepts = True
            await fake.seen.get()
            while gus.creation != 5:
                await asyncio.to_thread(lambda: None)
            await gus.close()
            assert lines == [
                "EPMD has closed the registration of gus: registering again",
                "gus is not registered with EPMD: the name gus is in use by another node",
            ]

        run_with_fake(port, main)

    def test_epmd_that_has_ended_is_started_again(self, port: int, none_starts: list[bool]) -> None:
        async def main(fake: FakeEpmd, lines: list[str]) -> None:
            gus = await register("gus", 4444, beyond=HOME, trouble=appended_to(lines))
            await fake.seen.get()
            await fake.probed.wait()
            assert none_starts == []
            await fake.stop()
            while len(lines) < 2:
                await asyncio.to_thread(lambda: None)
            assert none_starts
            assert set(none_starts) == {True}
            await fake.start()
            assert await fake.seen.get() == GUS
            await gus.close()
            no_epmd = f"no EPMD answers on {HOME} port {port}, and none could be started"
            assert lines == [
                "EPMD has closed the registration of gus: registering again",
                f"gus is not registered with EPMD: {no_epmd}",
            ]

        run_with_fake(port, main)

    def test_registration_can_be_closed_while_it_is_being_renewed(
        self, port: int, none_starts: list[bool]
    ) -> None:
        async def main(fake: FakeEpmd, lines: list[str]) -> None:
            gus = await register("gus", 4444, trouble=appended_to(lines))
            await fake.stop()
            while not none_starts:
                await asyncio.to_thread(lambda: None)
            await gus.close()
            await fake.start()

        run_with_fake(port, main)

    def test_forked_child_closes_its_copy_of_the_registration(self, port: int) -> None:
        async def main(fake: FakeEpmd, lines: list[str]) -> None:
            gus = await register("gus", 4444, trouble=appended_to(lines))
            await fake.seen.get()
            # What the fork handlers call in the child, here in the parent: the connection is closed.
            gus.close_in_child()
            assert await asyncio.get_running_loop().sock_recv(fake.connections[0], 1) == b""
            await gus.close()

        run_with_fake(port, main)


class TestNoEpmd:
    def test_epmd_that_cannot_be_started_is_one_clear_error(self, port: int, none_starts: list[bool]) -> None:
        with pytest.raises(PyxError, match=f"^no EPMD answers on {HOME} port {port}, and none") as caught:
            asyncio.run(register("gus", 4444, trouble=appended_to([])))
        assert caught.value.hint == "with --port N, the same on all nodes, none is needed"
        assert none_starts == [False]

    def test_question_without_an_epmd_says_so(self, port: int) -> None:
        for question in (port_of("gus", HOME), names(HOME)):
            with pytest.raises(PyxError, match=f"^cannot connect to {HOME} port {port}: Connection refused$"):
                asyncio.run(question)

    def test_listener_that_is_not_epmd_is_named(self, port: int) -> None:
        async def main() -> None:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(3)
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                writer.close()
                await writer.wait_closed()

            async with await asyncio.start_server(answer, HOME, port):
                words = f"^{HOME} port {port} does not answer like EPMD: it does not speak EPMD's protocol"
                with pytest.raises(PyxError, match=words):
                    await register("gus", 4444, trouble=appended_to([]))
                for question in (port_of("gus", HOME), names(HOME)):
                    with pytest.raises(PyxError, match=words):
                        await question

        asyncio.run(main())

    def test_silent_listener_in_place_of_epmd_is_one_clear_error(
        self, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(epmd_client, "_QUESTION_SECONDS", 0.0)
        with listen(HOME, port):
            words = f"^{HOME} port {port} does not answer like EPMD: no answer"
            with pytest.raises(PyxError, match=words):
                asyncio.run(register("gus", 4444, trouble=appended_to([])))
            with pytest.raises(PyxError, match=f"^EPMD on {HOME} did not answer within 0 s$"):
                asyncio.run(names(HOME))

    def test_epmd_that_closes_the_connection_is_one_clear_error(self, port: int) -> None:
        async def main() -> None:
            def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.close()

            async with await asyncio.start_server(hang_up, HOME, port):
                words = f"^{HOME} port {port} does not answer like EPMD: "
                for question in (names(HOME), register("gus", 4444, trouble=appended_to([]))):
                    with pytest.raises(PyxError, match=words) as caught:
                        await question
                    assert "Errno" not in str(caught.value)

        asyncio.run(main())

    @pytest.mark.parametrize("given", ["many", "0", "65536", "-1", "4369 "])
    def test_invalid_epmd_port_is_refused(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        monkeypatch.setenv("ERL_EPMD_PORT", given)
        with pytest.raises(
            PyxError, match=f"^ERL_EPMD_PORT is '{given}', which is not a port from 1 to 65535$"
        ):
            epmd_port()


def test_default_epmd_port_is_4369(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ERL_EPMD_PORT", raising=False)
    assert epmd_port() == 4369


@pytest.mark.skipif(REAL is None, reason="epmd is not on PATH")
def test_epmd_program_lists_pyx_nodes(port: int) -> None:
    async def main() -> None:
        gus = await register("gus", 4444, trouble=appended_to([]))
        listed = await asyncio.to_thread(subprocess.check_output, ["epmd", "-names"], text=True)
        assert listed.splitlines()[1:] == ["name gus at port 4444"]
        await gus.close()

    asyncio.run(main())


@pytest.mark.skipif(REAL is None, reason="epmd is not on PATH")
def test_epmd_program_lists_the_names_of_pyx_own_server(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", os.devnull)

    async def main() -> None:
        gus = await register("gus", 4444, trouble=appended_to([]))
        monkeypatch.setenv("PATH", path)
        listed = await asyncio.to_thread(subprocess.check_output, ["epmd", "-names"], text=True)
        assert listed.splitlines() == [
            f"epmd: up and running on port {port} with data:",
            "name gus at port 4444",
        ]
        await gus.close()

    asyncio.run(main())
