"""awaitable_supervisors.py: the twins of supervisors, in `async def` processes and on any event loop."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pyx import ChildNotFound, PartitionSupervisor, Pid, Process, WouldBlock, aio, child
from pyx import Supervisor as Blocking
from pyx.otp import awaitable_supervisors, dynamic_supervisor, partition_supervisor, supervisor
from tests.local_nodes import HANG

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyx.runtime.local_node import LocalNode


async def waits(_: Any = None) -> None:
    await aio.receive("end")


def on_loop(node: LocalNode, body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Runs *body* as an `async def` process; returns its value."""
    import queue

    values: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def process() -> None:
        try:
            values.put(await body())
        except BaseException as error:
            values.put(error)

    node.processes.spawn(process, ())
    value = values.get(timeout=HANG)
    if isinstance(value, BaseException):
        raise value
    return value


def test_async_def_process_is_the_parent_of_a_supervisor(node: LocalNode) -> None:
    async def body() -> Any:
        sup = await aio.Supervisor.start_link([waits], strategy="one_for_one", name="sup")
        pid = await aio.Supervisor.start_child("sup", child(waits, id="b"))
        assert isinstance(pid, Pid)
        rows = await aio.Supervisor.which_children(sup)
        assert [row[0] for row in rows] == ["b", "waits"]
        assert await aio.Supervisor.terminate_child(sup, "b") == "ok"
        assert await aio.Supervisor.restart_child(sup, "b") is not None
        await aio.Supervisor.terminate_child(sup, "b")
        assert await aio.Supervisor.delete_child(sup, "b") == "ok"
        with pytest.raises(ChildNotFound):
            await aio.Supervisor.delete_child(sup, "b")
        assert (await aio.Supervisor.count_children(sup))["active"] == 1
        with pytest.raises(WouldBlock, match="block"):
            Blocking.count_children(sup)
        await aio.Supervisor.tree(sup)
        return await aio.Supervisor.stop(sup)

    assert on_loop(node, body) == "ok"


def test_dynamic_and_partition_supervisors_have_twins(node: LocalNode) -> None:
    async def body() -> None:
        await aio.DynamicSupervisor.start_link(name="dyn", max_children=1)
        pid = await aio.DynamicSupervisor.start_child("dyn", waits)
        assert pid is not None
        assert await aio.DynamicSupervisor.which_children("dyn") == [(None, pid, "worker")]
        assert await aio.DynamicSupervisor.terminate_child("dyn", pid) == "ok"
        await aio.PartitionSupervisor.start_link(waits, name="parts", partitions=2)
        assert (await aio.PartitionSupervisor.count_children("parts"))["specs"] == 2
        assert PartitionSupervisor.partitions("parts") == 2

    on_loop(node, body)


def test_loop_of_a_program_starts_an_application(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("app_of_a_test")
    module.__dict__["application"] = lambda: [waits]
    monkeypatch.setitem(sys.modules, "app_of_a_test", module)

    async def main() -> None:
        await aio.Application.start("app_of_a_test:application")
        sup = await aio.Supervisor.start([waits], strategy="one_for_one", name="sup")
        dyn = await aio.DynamicSupervisor.start()
        assert Process.whereis("sup") == sup
        await aio.DynamicSupervisor.stop(dyn)
        await aio.Supervisor.stop(sup)
        assert await aio.Application.stop("app_of_a_test") == "ok"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("Supervisor", supervisor),
        ("DynamicSupervisor", dynamic_supervisor),
        ("PartitionSupervisor", partition_supervisor),
    ],
)
def test_every_function_that_waits_has_a_twin(name: str, module: Any) -> None:
    plain, twins = getattr(module, name), getattr(awaitable_supervisors, name)
    own = {key for key in vars(plain) if not key.startswith("_")}
    at_once = {"child_options", "via", "partitions", "whereis_name", "register_name", "unregister_name"}
    assert own - at_once == {key for key in vars(twins) if not key.startswith("_")}
