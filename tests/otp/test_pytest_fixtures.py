"""pytest_fixtures.py, tested_processes.py: tests of users run as processes, and stop what they start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.inner_pytest import run_pytest

if TYPE_CHECKING:
    from pathlib import Path

STOCK: Final = """\
import asyncio
import pytest
from pyx import GenServer, Process, Stop, aio, handle, receive, self, send, spawn

seen = []

class Stock(GenServer):
    def init(self, items=None):
        Process.flag("trap_exit", True)
        if items == "no":
            return Stop("no")
        self.items = dict(items or {})

    @handle.call
    def add(self, name: str, qty: int = 1) -> int:
        self.items[name] = self.items.get(name, 0) + qty
        return self.items[name]

    @handle.call
    def crash(self) -> None:
        raise ValueError("boom")

    def terminate(self, reason):
        seen.append((Process.info(self_pid(), "registered_name")[1], reason))

def self_pid():
    return self()

"""

FIXTURES: Final = """\
@pytest.fixture
def number():
    return 7

def test_body_is_a_process(pyx_process, number):
    send(self(), number)
    assert receive(timeout=60) == 7

@pytest.mark.parametrize("word", ["a", "b"])
async def test_body_may_be_a_coroutine(pyx_process, word):
    await asyncio.sleep(0)
    send(self(), word)
    assert await aio.receive(timeout=60) == word

def test_servers_are_stopped_the_last_one_first(start_supervised):
    start_supervised(Stock, {"nike": 1}, name="one")
    start_supervised(Stock, name="two")
    assert Stock.add("one", "nike") == 2

def test_stopped_servers_had_their_terminate():
    assert seen == [("two", "shutdown"), ("one", "shutdown")]
    assert Process.registered() == []

def test_start_that_fails_is_raised(start_supervised):
    with pytest.raises(Exception, match="did not start: 'no'"):
        start_supervised(Stock, "no")

def test_body_with_servers(pyx_process, start_supervised):
    pid = start_supervised(Stock)
    ref = Process.monitor(pid)
    Process.exit(pid, "kill")
    assert receive(("DOWN", ref, "process", pid, ...), timeout=60)[4] == "killed"
"""

FAILING: Final = """\
def test_that_fails(pyx_process):
    assert 1 == 2

def test_that_leaves_a_process(pyx_process):
    spawn(receive)

def test_that_leaves_a_server(pyx_process):
    Stock.start(name="left")

def test_that_is_linked_to_a_crash(pyx_process):
    pid = Stock.start_link()
    GenServer.cast(pid, "nothing")
    send(pid, "nothing")
    try:
        Stock.crash(pid)
    except Exception:
        receive(timeout=60)
"""


def run(folder: Path, text: str) -> str:
    (folder / "test_stock.py").write_text(STOCK + text)
    done = run_pytest(folder, "-p", "no:xdist", "--rootdir=.")
    return done.stdout + done.stderr


def test_fixtures_give_a_process_and_servers_that_are_stopped(tmp_path: Path) -> None:
    assert "7 passed" in run(tmp_path, FIXTURES)


def test_failures_and_leaks_are_reported(tmp_path: Path) -> None:
    out = run(tmp_path, FAILING)
    assert "assert 1 == 2" in out
    assert "the test has left processes: #PID<" in out
    assert "(test_stock.Stock.init as 'left')" in out
    assert "the process of the test was ended by an exit signal: ValueError: boom" in out
    assert "tested_processes.py" not in out  # pytest shows the user's frames
    assert "2 failed, 2 passed, 2 errors" in out


def test_fixtures_are_listed_with_their_text(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--fixtures")
    assert "pyx_process" in done.stdout
    assert "start_supervised" in done.stdout
