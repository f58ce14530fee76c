"""remote_shell.py, remote_shells.py, remote_session.py, asker_warnings.py: attaching, at terminals."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.host import Host
    from tests.stories.terminal import Shell

COUNTS = """
import os, sys, threading, time
def counts():
    warm = sum(thread.name.startswith("pyx-process-") for thread in threading.enumerate())
    attached = [name for name in sys.modules if name.startswith("remsh_")]
    others = threading.active_count() - warm
    return warm <= 3, others, len(os.listdir("/proc/self/fd")), len(Process.list()), len(attached)
end = time.monotonic() + 30
while not ({}) and time.monotonic() < end:
    time.sleep(0.05)
counts()
"""
"""Waits for a condition of these counts, and shows them: few warm threads (they end after ten seconds; one
evaluates this, one waits for its caller's end); all other threads, descriptors, processes, remote shells."""

BLOCKED = ("None", "receive()", "sum(0 for _ in iter(int, 1))", "await aio.receive()")
KILLS = (signal.SIGKILL, signal.SIGHUP, signal.SIGKILL, signal.SIGKILL)


@pytest.fixture(scope="module")
def server(host: Host) -> Shell:
    """The node that others attach to."""
    shell = host.shell("server")
    shell.type("import os, sys, threading, time; answer = 42")
    return shell


@pytest.fixture(scope="module")
def shared(host: Host, server: Shell) -> Shell:
    """One shell for the whole file."""
    del server
    return host.shell("ops")


@pytest.fixture
def ops(shared: Shell) -> Iterator[Shell]:
    """A shell with a name, attached to the server for one story."""
    assert shared.type('remsh("server")') == ""
    assert shared.prompt == "pyx(server@vm via ops@vm)1> "
    yield shared
    shared.prompt_returns()  # a line above it may just be redrawing it
    if " via " in shared.prompt:
        assert shared.type("exit()") == ""
    assert shared.prompt.startswith("pyx(ops@vm)")


class TestAnAttachedShell:
    def test_code_runs_on_that_node_in_a_process_of_its_own(self, ops: Shell, server: Shell) -> None:
        assert ops.type("Node.self()") == "'server@vm'"
        assert ops.type("os.getpid()").startswith("NameError: name 'os' is not defined")
        ops.type("import os, __main__")
        assert ops.type("os.getpid()") == str(server.pid)
        assert ops.type("__main__.answer") == "42"
        ops.type("mine = self()")
        assert ops.type("self() == mine, mine in Process.list()") == "(True, True)"

    def test_its_names_are_its_own(self, ops: Shell, server: Shell) -> None:
        ops.type("answer = 7")
        assert server.type("answer") == "42"
        assert ops.type("answer") == "7"

    def test_prints_and_values_and_errors_are_shown_here(self, ops: Shell, server: Shell) -> None:
        assert ops.type('print("from there"); 6 * 7') == "from there\n42"
        assert ops.type("v(), _") == "(42, 42)"
        assert ops.type("1 / 0") == "ZeroDivisionError: division by zero"
        assert ops.prompt == "pyx(server@vm via ops@vm)3> "
        assert ops.type("import asyncio; await asyncio.sleep(0, 'awaited')") == "'awaited'"
        assert ops.type("Node.ping('nope')") == (
            "[warning] cannot connect to nope@vm: no node of that name runs on this host\n'pang'"
        )
        assert ops.type("await aio.Node.connect('nope')").startswith("[warning] cannot connect to nope@vm: ")
        assert "from there" not in server.screen

    def test_functions_typed_there_travel_on_from_there(self, ops: Shell) -> None:
        ops.type("def where(n): return Node.self(), n\n")
        assert ops.type('rpc.call("ops", where, 1)') == "('ops@vm', 1)"
        assert ops.type('rpc.call("ops", lambda n: where(n), 2)') == "('ops@vm', 2)"

    def test_input_is_refused_with_the_reason(self, ops: Shell) -> None:
        assert "would read the standard input of server@vm" in ops.type("input()")

    def test_ctrl_d_leaves_the_remote_shell_only(self, ops: Shell, server: Shell) -> None:
        ops.type('Process.register(spawn(receive), "stays")')
        ops.half_type("")
        ops.press("\x04")
        ops.wait(lambda: ops.prompt.startswith("pyx(ops@vm)"), "the own prompt")
        assert server.type('Process.is_alive(Process.whereis("stays"))') == "True"
        server.type('Process.exit(Process.whereis("stays"), "kill")')

    def test_a_kill_of_its_process_gives_it_another_one(self, ops: Shell) -> None:
        ops.type("kept = 1")
        assert "the process of this remote shell is now #PID<" in ops.type('Process.exit(self(), "kill")')
        assert ops.type("kept") == "1"

    def test_tab_asks_the_other_node(self, ops: Shell) -> None:
        ops.type("stock_of_shoes = {}")
        ops.half_type("stock_of")
        ops.press("\t")
        ops.wait(lambda: ops.prompt.endswith("> stock_of_shoes"), "the completed name")
        ops.press("\r")
        ops.prompt_returns()


class TestCtrlC:
    @pytest.mark.parametrize(
        "blocked",
        [
            'receive("never")',
            "Process.sleep(None)",
            'rpc.call("ops", "time", "sleep", [30])',
            "sum(0 for _ in iter(int, 1))",
            "await aio.sleep(3600)",
            "[0 for _ in iter(int, 1) if print(end='')]",
        ],
    )
    def test_it_interrupts_that_evaluation_at_once(self, ops: Shell, blocked: str) -> None:
        before = ops.prompt
        ops.enter(f"print('run' 'ning'); {blocked}")
        ops.sees("running")
        ops.blocks()
        assert ops.interrupt().endswith("\nKeyboardInterrupt")
        assert ops.prompt == before
        assert ops.type("1 + 1") == "2"

    def test_a_wait_in_a_library_is_named_and_left_behind_as_a_job(self, ops: Shell, server: Shell) -> None:
        server.type("go_on = threading.Event()")
        ops.type("import __main__")
        ops.enter("print('run' 'ning'); __main__.go_on.wait()")
        ops.sees("running")
        ops.blocks()
        ops.press("\x03")
        assert ops.sees("still running").endswith("__main__.go_on.wait()")
        ops.sees("Ctrl-C again leaves it behind as a job")
        ops.blocks()
        ops.interrupt()
        assert ops.type("2 + 2") == "4"
        listed = ops.type("jobs()").split("\n")
        assert listed[0] == "  1  ops@vm"
        assert listed[1].startswith("* ")
        assert listed[1].endswith("server@vm via ops@vm")
        assert "__main__.go_on.wait()" in listed[2]
        server.type("go_on.set()")
        ops.sees("has ended")
        ops.sees("KeyboardInterrupt")


class TestJobs:
    def test_they_switch_between_the_shells(self, ops: Shell) -> None:
        ops.type("here = 'first'")
        number = next(line.split()[1] for line in ops.type("jobs()").split("\n") if line.startswith("*"))
        assert ops.type("jobs(1)") == ""
        assert ops.prompt.startswith("pyx(ops@vm)")
        assert ops.type(f"jobs({number})") == ""
        assert ops.type("here") == "'first'"
        assert ops.type("jobs(99)") == "ValueError: there is no job 99; jobs() lists them"

    def test_leaving_one_leads_back_to_the_shell_in_which_it_was_opened(self, ops: Shell) -> None:
        ops.type("here = 'first'")
        assert ops.type("remsh('ops')") == ""
        assert ops.prompt.startswith("pyx(ops@vm via ops@vm)1>")
        assert ops.type("exit()") == ""
        assert ops.prompt.startswith("pyx(server@vm via ops@vm)")
        assert ops.type("here") == "'first'"


class TestLooking:
    def test_ps_shows_the_processes_of_a_node(self, host: Host, shared: Shell, server: Shell) -> None:
        del host
        server.type("Process.register(spawn(receive, 'never'), 'slow')")
        server.type("for _ in range(3): send('slow', ['a message'])\n")
        shown = shared.type('ps("server")').split("\n")
        assert shown[0].split() == ["pid", "name", "messages", "bytes", "age", "function"]
        assert shown[1].split()[1:3] == ["slow", "3"]
        server.type("Process.exit(Process.whereis('slow'), 'kill')")

    def test_nodes_shows_the_connected_nodes(self, shared: Shell, server: Shell) -> None:
        del server
        shared.type('Node.connect("server")')
        shown = shared.type("nodes()").split("\n")
        assert shown[0].startswith("node")
        assert any(line.split()[:2] == ["server@vm", "up"] for line in shown[1:])

    def test_the_stack_of_a_process_is_asked_for_from_another_node(
        self, shared: Shell, server: Shell
    ) -> None:
        server.type("def waits(): return receive('never')\n")
        server.type("Process.register(spawn(waits), 'waits')")
        shared.type('pid = rpc.call("server", "Process", "whereis", ["waits"])')
        shared.comes_to(
            'Process.info(pid, "current_stacktrace")', "('current_stacktrace', [('__main__', 'waits', 1)])"
        )


def test_a_recording_writes_ctrl_d_in_a_remote_shell_as_exit(host: Host, server: Shell) -> None:
    del server
    shell = host.shell("recorded", "--record", "recorded.pyxt")
    shell.type('remsh("server")')
    shell.type("6 * 7")
    shell.half_type("")
    shell.press("\x04")
    shell.wait(lambda: shell.prompt.startswith("pyx(recorded@vm)"), "the own prompt")
    shell.type("Node.self()")
    shell.enter("exit()")
    shell.leaves()
    written = (host.home / "recorded.pyxt").read_text()
    lines = [line for line in written.splitlines() if line and not line.startswith("#")]
    assert lines == [
        "$ pyx --sname recorded@vm",
        'pyx(recorded@vm)1> remsh("server")',
        "pyx(server@vm via recorded@vm)1> 6 * 7",
        "42",
        "pyx(server@vm via recorded@vm)2> exit()",
        "pyx(recorded@vm)2> Node.self()",
        "'recorded@vm'",
        "pyx(recorded@vm)3> exit()",
    ]


class TestAttachingFromTheCommandLine:
    def test_without_a_name_a_hidden_one_is_made(self, host: Host, server: Shell) -> None:
        visitor = host.starts("--remsh", "server")
        visitor.prompt_returns()
        assert visitor.prompt.startswith("pyx(server@vm via rem-")
        assert "rem-" not in server.type("Node.list()")
        assert "rem-" in server.type('Node.list("hidden")')
        visitor.enter("exit()")
        assert visitor.leaves() == 0
        server.comes_to('Node.list("hidden")', "[]")

    def test_several_people_are_attached_at_once(self, host: Host, server: Shell) -> None:
        del server
        visitors = [host.starts("--remsh", "server") for _ in range(3)]
        for number, visitor in enumerate(visitors):
            visitor.prompt_returns()
            visitor.type(f"mine = {number}")
        assert [visitor.type("mine") for visitor in visitors] == ["0", "1", "2"]
        for visitor in visitors:
            visitor.enter("exit()")
            assert visitor.leaves() == 0

    def test_a_node_that_is_lost_gives_the_own_prompt_back(self, lone_host: Host) -> None:
        server = lone_host.shell("server")
        ops = lone_host.starts("--sname", "ops@vm", "--remsh", "server@vm")
        assert ops.type("Node.self()") == "'server@vm'"
        server.kill()
        ops.sees("server@vm is gone: the connection was lost")
        ops.wait(lambda: ops.prompt == "pyx(ops@vm)1> ", "the own prompt")
        assert ops.type("Node.self()") == "'ops@vm'"

    def test_a_node_that_is_lost_during_an_evaluation_ends_it(self, lone_host: Host) -> None:
        server = lone_host.shell("server")
        ops = lone_host.shell("ops")
        ops.type('remsh("server")')
        ops.enter("print('run' 'ning'); receive()")
        ops.sees("running")
        server.kill()
        ops.sees("server@vm is gone: the connection was lost")
        ops.wait(lambda: ops.prompt == "pyx(ops@vm)2> ", "the own prompt")

    def test_the_gate_refuses_with_what_to_do(self, host: Host, server: Shell) -> None:
        del server
        host.shell("closed", "--rpc", "exported")
        refused = host.run("--remsh", "closed@vm")
        assert refused.returncode == 1
        assert "RpcRefused: closed@vm refuses what is typed on another node" in refused.stdout
        assert "hint: start closed@vm with --rpc open" in refused.stdout

    def test_a_node_that_is_not_there_is_named(self, host: Host) -> None:
        refused = host.run("--remsh", "nope")
        assert refused.returncode == 1
        assert "no connection to nope@" in refused.stdout

    def test_inputs_may_come_from_a_pipe(self, host: Host, server: Shell) -> None:
        del server
        run = host.run("--remsh", "server@vm", stdin="6 * 7\nNode.self()\n")
        assert run.returncode == 0
        assert "42\n" in run.stdout
        assert "'server@vm'\n" in run.stdout


class TestRpcEval:
    def test_it_prints_the_value(self, host: Host, server: Shell) -> None:
        del server
        run = host.run("--rpc-eval", "server@vm", "print('shown'); [Node.self(), 6 * 7]")
        assert (run.stdout, run.stderr, run.returncode) == ("shown\n['server@vm', 42]\n", "", 0)

    def test_a_failure_is_the_remote_traceback_on_stderr(self, host: Host, server: Shell) -> None:
        del server
        run = host.run("--rpc-eval", "server@vm", "def f():\n    1 / 0\nf()")
        assert (run.stdout, run.returncode) == ("", 1)
        assert run.stderr.startswith("Traceback (most recent call last):\n")
        assert "in f\n    1 / 0\n" in run.stderr
        assert run.stderr.endswith("ZeroDivisionError: division by zero\n")

    def test_exit_is_its_exit_code(self, host: Host, server: Shell) -> None:
        assert host.run("--rpc-eval", "server@vm", "exit(7)").returncode == 7
        assert server.type("answer") == "42"

    def test_a_node_that_is_not_there_is_named(self, host: Host) -> None:
        run = host.run("--rpc-eval", "nope@vm", "1")
        assert run.returncode == 1
        assert "no connection to nope@vm" in run.stderr


def test_dozens_of_attachments_leave_nothing_behind(lone_host: Host) -> None:
    """Threads, descriptors, processes and modules of the attached node; 8 terminals are killed."""
    lone_host.starts("--sname", "server@vm", "--no-halt")

    def counted(when: str) -> str:
        return lone_host.run("--rpc-eval", "server@vm", COUNTS.format(when)).stdout

    lone_host.pump_until(lambda: counted("True") != "")
    lone_host.run("--remsh", "server@vm", stdin="await aio.sleep(0)\n")  # starts the loop of coroutines, once
    before = counted("counts()[0]")
    assert before.startswith("(True,")

    session = 'remsh("server@vm")\nx = [self()]\nexit()\n'
    assert lone_host.run("--sname", "ops@vm", "-i", stdin=session * 30).returncode == 0
    for _ in range(2):
        visitors = [lone_host.starts("--remsh", "server@vm") for _ in range(4)]
        for visitor, last in zip(visitors, BLOCKED, strict=True):
            visitor.enter(f"print('run' 'ning'); {last}")
            visitor.sees("running")
            if last != "None":
                visitor.blocks()
        for visitor, number in zip(visitors, KILLS, strict=True):
            visitor.kill(number)
            visitor.leaves()
    assert counted(f"counts() == {before}") == before
