"""starting.py, start_errors.py: a start waits until the process is ready, has failed, or is not wanted."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Atom, Process, Raised, Registry, aio, receive, self, send
from pyx.errors import EncodeError, NotAProcess, WouldBlock
from pyx.otp.start_errors import ServerAlreadyStarted, StartFailed
from pyx.otp.starting import init_done, init_failed, init_ignored, spawn_process, start_process
from pyx.otp.via import via
from pyx.runtime.request import wait
from tests.local_nodes import HANG, as_process, end_of, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx import Pid
    from pyx.runtime.local_node import LocalNode


def until_told() -> None:
    init_done()
    receive("end")


async def until_told_async() -> None:
    init_done()
    await aio.receive("end")


BODIES = pytest.mark.parametrize("body", [until_told, until_told_async], ids=["def", "async def"])


def start(body: Callable[..., Any], *args: Any, **options: Any) -> Pid | None:
    return wait("start", start_process(body, args, what="it", **options))


def trapping(node: LocalNode, function: Callable[[], Any]) -> Any:
    """Runs *function* in a process that traps exits; returns what it returns, and the EXIT messages."""

    def parent() -> Any:
        Process.flag("trap_exit", True)
        try:
            value = function()
        except StartFailed as failed:
            value = failed.reason
        messages = []
        while (message := receive(..., timeout=0) if mailbox_is_filled() else None) is not None:
            messages.append((message[0], message[2]))
        return value, messages

    return as_process(node, parent)


def mailbox_is_filled() -> bool:
    return bool(Process.info(self(), "message_queue_len")[1])


# ---------------------------------------------------------------- the word


@BODIES
def test_starter_gets_the_pid_once_the_process_is_ready(node: LocalNode, body: Any) -> None:
    pid = start(body, name="it")  # from a thread that is not a process
    assert pid is not None
    assert Process.whereis("it") == pid
    assert Process.info(pid, "kind")[1] == ("async def" if body is until_told_async else "def")
    send(pid, "end")
    assert end_of(node, pid) in {"normal", "noproc"}


@BODIES
def test_process_is_started_from_any_event_loop(node: LocalNode, body: Any) -> None:
    async def main() -> Pid | None:
        return await start_process(body, what="it")

    for pid in asyncio.run(main()), as_process(node, lambda: asyncio.run(main())):
        assert pid is not None
        send(pid, "end")


def test_start_that_waits_is_refused_on_an_event_loop(node: LocalNode) -> None:
    async def main() -> None:
        start(until_told)

    with pytest.raises(WouldBlock):
        asyncio.run(main())


def test_starter_waits_while_the_process_prepares(node: LocalNode) -> None:
    may_go = threading.Event()

    def body() -> None:
        wait_for(may_go)
        init_done()
        receive("end")

    started: list[Any] = []
    starter = threading.Thread(target=lambda: started.append(start(body, name="slow")))
    starter.start()
    pid = None
    while pid is None:
        pid = Process.whereis("slow")  # the name is held while the process prepares
    assert not started
    may_go.set()
    starter.join(HANG)
    assert started == [pid]


def test_arguments_are_copies(node: LocalNode) -> None:
    items = {"nike": 1}
    seen: list[Any] = []

    def body(theirs: Any, *, more: Any) -> None:
        seen.extend([theirs, more])
        init_done()

    wait("start", start_process(body, (items,), {"more": items}, what="it"))
    assert seen == [items, items]
    assert seen[0] is not items
    with pytest.raises(EncodeError):
        start(body, object())


# ---------------------------------------------------------------- failures [G1] to [G4]


def test_g1_failed_start_gives_the_reason_and_a_trapping_parent_gets_the_exit(node: LocalNode) -> None:
    def body() -> None:
        init_failed("bad_thing")

    assert trapping(node, lambda: start(body, link=True)) == ("bad_thing", [("EXIT", "bad_thing")])
    assert trapping(node, lambda: start(body)) == ("bad_thing", [])
    with pytest.raises(StartFailed, match=r"^it did not start: 'bad_thing'$"):
        start(body)


def test_g1_failed_start_ends_a_linked_parent_that_does_not_trap(node: LocalNode) -> None:
    def parent() -> None:
        start(lambda: init_failed("bad_thing"), link=True)

    pid, _ = node.processes.spawn(parent, ())
    assert end_of(node, pid) in {"bad_thing", "noproc"}


def test_g2_ignored_start_returns_none_and_a_trapping_parent_gets_the_exit(node: LocalNode) -> None:
    assert trapping(node, lambda: start(init_ignored, link=True)) == (None, [("EXIT", "normal")])
    assert trapping(node, lambda: start(init_ignored)) == (None, [])


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_g3_exception_before_it_is_ready_is_the_reason(node: LocalNode, kind: str) -> None:
    def body() -> None:
        raise ValueError("boom")

    async def body_async() -> None:
        raise ValueError("boom")

    with pytest.raises(StartFailed, match=r"^it did not start: ValueError: boom$") as failed:
        start(body if kind == "def" else body_async, name="it")
    assert isinstance(failed.value.reason, Raised)
    assert Process.whereis("it") is None


def test_g3_process_that_is_not_ready_in_time_is_killed(node: LocalNode) -> None:
    ended: list[Any] = []

    def body() -> None:
        ended.append(self())
        receive("never")

    assert trapping(node, lambda: start(body, link=True, timeout=0.01, name="it")) == ("timeout", [])
    assert Process.whereis("it") is None
    assert not ended or end_of(node, ended[0]) in {"killed", "noproc"}


@pytest.mark.parametrize("timeout", ["1", True, -1, float("nan")])
def test_time_limit_that_is_not_seconds_runs_nothing(node: LocalNode, timeout: Any) -> None:
    ran: list[int] = []
    with pytest.raises((TypeError, ValueError), match="timeout is a number of seconds"):
        start(lambda: ran.append(1), timeout=timeout)
    assert ran == []
    assert Process.list() == []


def test_g4_name_that_is_taken_runs_nothing(node: LocalNode) -> None:
    pid = start(until_told, name="stock")
    ran: list[int] = []
    with pytest.raises(ServerAlreadyStarted) as refused:
        start(lambda: ran.append(1), name="stock", link=False)
    assert refused.value.pid == pid
    assert str(refused.value) == f"'stock' is {pid} already"
    assert not ran
    send("stock", "end")


def test_g4_name_in_a_registry_that_is_taken_ends_no_linked_starter(node: LocalNode) -> None:
    class Late:
        """A registry whose name is taken between the look and the claim."""

        @staticmethod
        def whereis_name(_: Any) -> None:
            return None

        @staticmethod
        def register_name(_: Any, pid: Pid) -> Pid:
            holder = Process.whereis("holder")
            assert holder is not None
            assert holder != pid
            return holder

        unregister_name = whereis_name

    def starter() -> None:
        Registry.start(keys="unique", name="shops")
        name = Registry.via("shops", "stock")
        pid = start(until_told, name=name)
        ran: list[int] = []
        with pytest.raises(ServerAlreadyStarted) as refused:
            start(lambda: ran.append(1), name=name, link=True)
        assert refused.value.pid == pid
        Process.register(self(), "holder")
        with pytest.raises(ServerAlreadyStarted) as refused:
            start(lambda: ran.append(2), name=via(Late, "stock"), link=True)
        assert refused.value.pid == self()
        assert not ran
        assert Process.info(self(), "links") == ("links", [])

    as_process(node, starter)


def test_registry_that_is_missing_fails_the_start_and_ends_no_linked_starter(node: LocalNode) -> None:
    def starter() -> None:
        ran: list[int] = []
        with pytest.raises(StartFailed, match="ValueError: unknown registry: nope"):
            start(lambda: ran.append(1), name=Registry.via("nope", "stock"), link=True)
        assert not ran

    as_process(node, starter)


def test_atom_is_a_name_as_its_text(node: LocalNode) -> None:
    pid = start(until_told, name=Atom("stock"))
    assert Process.whereis("stock") == pid
    send("stock", "end")


def test_name_of_a_failed_start_is_free_when_the_starter_hears_of_it(node: LocalNode) -> None:
    for _ in range(20):
        with pytest.raises(StartFailed):
            start(lambda: init_failed("no"), name="stock")
        assert start(init_ignored, name="stock") is None
    assert start(until_told, name="stock") is not None


def test_kill_while_it_prepares_is_the_reason(node: LocalNode) -> None:
    def body() -> None:
        Process.exit(self(), "kill")

    with pytest.raises(StartFailed, match="'killed'"):
        start(body)


def test_function_that_returns_before_it_is_ready_has_not_started(node: LocalNode) -> None:
    with pytest.raises(StartFailed, match="'normal'"):
        start(lambda: None)


def test_linked_start_needs_a_process(node: LocalNode) -> None:
    with pytest.raises(NotAProcess, match=r"start_link\(\) needs a process(.|\n)*start\(\) needs none"):
        start(until_told, link=True)


def test_cancelled_start_leaves_no_process(node: LocalNode) -> None:
    async def main() -> None:
        loop, prepares = asyncio.get_running_loop(), asyncio.Event()

        def body() -> None:
            loop.call_soon_threadsafe(prepares.set)
            receive("never")

        starting = asyncio.create_task(start_process(body, what="it", name="it"))
        await prepares.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(main())
    assert Process.whereis("it") is None


@pytest.mark.parametrize("name", ["", 7, "x" * 256, ("stock", "here")])
def test_g29_bad_name_is_refused_before_anything_is_run(node: LocalNode, name: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="the name of a server"):
        start(until_told, name=name)


# ---------------------------------------------------------------- what stands in the process


def test_ancestors_are_the_starters_by_name_or_pid_nearest_first(node: LocalNode) -> None:
    told: list[Any] = []

    def grandchild() -> None:
        told.append(Process.get("$ancestors"))
        init_done()

    def child() -> None:
        start(grandchild, link=True)
        init_done()

    def parent() -> None:
        Process.register(self(), "parent")
        told.append(start(child))

    as_process(node, parent)
    assert told == [[told[1], "parent"], told[1]]


def test_initial_call_is_what_the_starter_says(node: LocalNode) -> None:
    pid = start(until_told, initial_call=("kv", "Bucket.init", 2))
    assert pid is not None
    assert Process.info(pid, "initial_call")[1] == ("kv", "Bucket.init", 2)
    send(pid, "end")


def test_process_that_nothing_waits_for_is_started_at_once(node: LocalNode) -> None:
    pid = spawn_process(until_told, name="worker")
    assert Process.whereis("worker") == pid
    send(pid, "end")
