"""Pytest's fixtures `pyx_process` and `start_supervised`, for tests of servers.

    def test_stock_is_counted(pyx_process, start_supervised):
        start_supervised(Stock, {"nike": 1}, name="stock")
        send("stock", ("who", self()))
        assert receive(timeout=1) == "the stock"

Every pytest of the environment loads this file with the plugin, so nothing else of pyx is imported before a
test asks for a fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.terms import Pid


@pytest.fixture
def pyx_process(_no_process_is_left: None) -> None:
    """Runs the body of the test as a process: it has `self()` and a mailbox, and may be an `async def`."""


@pytest.fixture
def start_supervised(_no_process_is_left: None) -> Iterator[Callable[..., Pid]]:
    """A function that starts a server for this test: `start_supervised(Stock, {"nike": 1}, name="stock")`.

    It calls `start_link` with the arguments, in a process that traps exits, and returns the pid.  What it has
    started is stopped at the end of the test, the last one first.
    """
    from pyx.otp.tested_processes import SupervisedServers

    servers = SupervisedServers()
    try:
        yield servers.start
    finally:
        servers.stop_all()


@pytest.fixture
def _no_process_is_left() -> Iterator[None]:
    """Fails the test if processes that it has started still run after it."""
    from pyx.otp.tested_processes import live_processes, processes_left

    before = live_processes()
    yield
    if left := processes_left(before):
        pytest.fail(f"the test has left processes: {', '.join(left)}", pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Pytest's hook: runs a test that asks for `pyx_process` as a process."""
    if "pyx_process" not in pyfuncitem.fixturenames:
        return None
    from pyx.otp.tested_processes import run_as_process

    wanted = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - as pytest's own hook
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in wanted}
    run_as_process(pyfuncitem.obj, arguments)
    return True
