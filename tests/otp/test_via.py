"""via.py, via_names.py: names that a registry resolves, wherever the name of a process is taken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyx import NoProcess, Process, aio, receive, send, spawn
from pyx import self as own_pid
from pyx.errors import RegistrationError
from pyx.otp.via import Via, claim_name, release_name, resolved, via
from tests.local_nodes import as_process

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid


class Names:
    """A registry of a user."""

    held: dict[Any, Pid]

    def __init__(self) -> None:
        self.held = {}

    def whereis_name(self, term: Any) -> Pid | None:
        return self.held.get(term)

    def register_name(self, term: Any, pid: Pid) -> Pid | None:
        holder = self.held.setdefault(term, pid)
        return None if holder == pid else holder

    def unregister_name(self, term: Any) -> None:
        self.held.pop(term, None)


class Shops:
    """A registry that is a class."""

    @staticmethod
    def whereis_name(_term: Any) -> Pid | None:
        return None

    @staticmethod
    def register_name(_term: Any, _pid: Pid) -> Pid | None:
        return None

    @staticmethod
    def unregister_name(_term: Any) -> None:
        pass


@pytest.fixture
def names() -> Names:
    return Names()


class TestName:
    def test_is_written_as_it_was_made(self) -> None:
        assert repr(via(Shops, ("shop", 1))) == "via(Shops, ('shop', 1))"

    def test_of_something_that_is_no_registry_is_refused(self) -> None:
        with pytest.raises(TypeError, match="via takes a registry"):
            via("Registry", "stock")  # type: ignore[arg-type]

    def test_that_is_no_via_stays_as_it_is(self) -> None:
        assert [resolved(name) for name in ("stock", ("stock", "b@h"), None)] == [
            "stock",
            ("stock", "b@h"),
            None,
        ]


class TestViaTakesMessages:
    def test_of_send(self, node: LocalNode, names: Names) -> None:
        def program() -> Any:
            claim_name(via(names, "me"), own_pid())
            send(via(names, "me"), "hello")
            return receive(timeout=60)

        assert as_process(node, program) == "hello"

    def test_of_send_after(self, node: LocalNode, names: Names) -> None:
        def program() -> Any:
            claim_name(via(names, "me"), own_pid())
            Process.send_after(via(names, "me"), "later", 0)
            return receive(timeout=60)

        assert as_process(node, program) == "later"

    def test_of_the_awaitable_send(self, node: LocalNode, names: Names) -> None:
        async def program() -> Any:
            claim_name(via(names, "me"), own_pid())
            await aio.send(via(names, "me"), "hello")
            return await aio.receive(timeout=60)

        assert as_process(node, lambda: asyncio.run(program())) == "hello"

    def test_and_is_monitored(self, node: LocalNode, names: Names) -> None:
        def program() -> Any:
            pid = Process.whereis(via(names, "me"))
            assert pid is None
            claim_name(via(names, "me"), own_pid())
            ref = Process.monitor(via(names, "me"))
            return Process.whereis(via(names, "me")) == own_pid() and Process.demonitor(ref)

        assert as_process(node, program) is True

    @pytest.mark.parametrize("use", [lambda name: send(name, 1), Process.monitor], ids=["send", "monitor"])
    def test_without_a_process_is_an_error_that_names_it(
        self, node: LocalNode, names: Names, use: Any
    ) -> None:
        def program() -> str:
            with pytest.raises(NoProcess) as caught:
                use(via(names, "me"))
            assert type(caught.value.name) is Via
            return str(caught.value)

        assert as_process(node, program).startswith("no process is registered as via(<")


class TestNameOfAServer:
    def test_is_free_again_once_released(self, node: LocalNode, names: Names) -> None:
        def program() -> list[Pid | None]:
            held = []
            for name in ("stock", via(names, "stock")):
                assert claim_name(name, own_pid()) is None
                held.append(Process.whereis(name))
                release_name(name)
                release_name(name)
                held.append(Process.whereis(name))
            return [None if pid is None else own_pid() for pid in held]

        pid, *rest = as_process(node, program)
        assert rest == [None, pid, None]

    def test_that_another_process_has_returns_that_process(self, node: LocalNode) -> None:
        def program() -> bool:
            other = spawn(receive)
            assert claim_name("stock", other) is None
            holder = claim_name("stock", own_pid())
            Process.exit(other, "kill")
            return holder == other

        assert as_process(node, program) is True

    def test_that_breaks_a_rule_is_refused(self, node: LocalNode) -> None:
        def program() -> None:
            with pytest.raises(RegistrationError, match="a name is a str that is not empty"):
                claim_name("", own_pid())

        as_process(node, program)
