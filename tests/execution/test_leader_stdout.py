"""leader_stdout.py: the stdout of a program while remote shells are attached to it."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process
from pyx import self as own_pid
from pyx.execution.leader_stdout import LeaderStdout, routed_to
from tests.local_nodes import LocalNodes, as_process, in_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    with LocalNodes(monkeypatch) as nodes:
        yield nodes.make()


def own_stdout(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Gives the program a stdout of the test's; in the test itself, as pytest changes it before that."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


def stdout_now() -> object:
    return sys.stdout


def test_prints_of_other_processes_and_threads_stay_the_programs(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = own_stdout(monkeypatch)
    process, _ = in_kernel(node, node.kernel.process_signals.process_started, "shell", terminal=True)
    with routed_to(process.pid):
        assert isinstance(sys.stdout, LeaderStdout)
        print("of a thread")
        as_process(node, lambda: print("of a process"))
        sys.stdout.flush()
        assert stdout.getvalue() == "of a thread\nof a process\n"
    assert stdout_now() is stdout


def test_prints_under_that_leader_go_there(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = own_stdout(monkeypatch)
    process, _ = in_kernel(node, node.kernel.process_signals.process_started, "shell", terminal=True)

    def prints() -> Any:
        Process.group_leader(own_pid(), process.pid)
        print("of a remote shell", end="")
        sys.stdout.flush()

    with routed_to(process.pid):
        as_process(node, prints)
    assert stdout.getvalue() == ""
    assert process.output is not None
    assert process.output.take()[1] == "of a remote shell"


def test_a_leader_without_a_terminal_leaves_it_to_the_program(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the node of a remote shell is lost: the node's own output must not be routed again."""
    stdout = own_stdout(monkeypatch)
    leader, _ = in_kernel(node, node.kernel.process_signals.process_started, "def")

    def prints() -> None:
        Process.group_leader(own_pid(), leader.pid)
        print("after its shell has gone")

    with routed_to(leader.pid):
        as_process(node, prints)
    assert stdout.getvalue() == "after its shell has gone\n"


def test_two_shells_leave_stdout_as_it_was_in_any_order(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = own_stdout(monkeypatch)
    one, _ = in_kernel(node, node.kernel.process_signals.process_started, "shell", terminal=True)
    two, _ = in_kernel(node, node.kernel.process_signals.process_started, "shell", terminal=True)
    first, second = routed_to(one.pid), routed_to(two.pid)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert isinstance(sys.stdout, LeaderStdout)
    second.__exit__(None, None, None)
    assert stdout_now() is stdout


def test_a_stream_that_the_program_has_set_meanwhile_stays(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = own_stdout(monkeypatch)
    process, _ = in_kernel(node, node.kernel.process_signals.process_started, "shell", terminal=True)
    with routed_to(process.pid):
        sys.stdout = other = io.StringIO()
    assert stdout_now() is other
    assert stdout.getvalue() == ""
