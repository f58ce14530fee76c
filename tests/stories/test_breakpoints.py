"""breakpoints.py, breakpoint_questions.py, interception.py: `breakpoint()` in a process asks its shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host
    from tests.stories.terminal import Shell

TILL = """\
import threading
from pyx import receive, rpc, self, send, spawn

def serve():
    total = 0
    while True:
        frm, amount = receive()
        total += amount
        breakpoint()
        send(frm, total)

def peek(amount):
    breakpoint()
    return amount * 2

def idle():
    return "idle"

def alone():
    from pyx import Process
    Process.group_leader(self(), spawn(receive))
    breakpoint()
    return "went on"
"""


@pytest.fixture
def near(lone_host: Host, tmp_path: Path) -> Shell:
    (tmp_path / "till.py").write_text(TILL)
    return lone_host.shell("near", cwd=tmp_path)


@pytest.fixture
def far(lone_host: Host, tmp_path: Path) -> Shell:
    return lone_host.shell("far", cwd=tmp_path)


def stop(shell: Shell, node: str) -> None:
    """Has a process of *node* stop at its breakpoint, asking *shell*."""
    shell.type(f'till = Node.spawn("{node}", "till", "serve", [])')
    shell.type("sent = send(till, (self(), 5))")
    assert shell.sees("enter? [y/N]").endswith("stopped at till.py:9, enter? [y/N]")


def enter(shell: Shell) -> None:
    """Answers yes, and waits for the debugger's prompt; the shell's may follow at the same place."""
    shell.press("y\r")
    shell.wait(lambda: shell.prompt.startswith("(Pdb)"), "the debugger's prompt")
    if sys.version_info >= (3, 13):  # it stops at the call of `breakpoint()` first
        shell.press("n\r")
        shell.wait(lambda: shell.screen.count("\n-> ") == 2, "the next line")
        shell.wait(lambda: shell.prompt.startswith("(Pdb)"), "the debugger's prompt")


@pytest.mark.parametrize("node", ["near", "far"])
def test_debugger_runs_at_the_prompt(node: str, near: Shell, far: Shell) -> None:
    stop(near, node)
    enter(near)
    near.wait(lambda: "-> send(frm, total)" in near.screen, "the line to run")
    near.press("p total * 100\r")
    near.sees("500")
    near.press("!total = 7\r")
    near.press("c\r")
    near.prompt_returns()
    assert near.type("receive(timeout=60)") == "7"
    assert "/pyx/" not in near.screen
    assert "pdb" not in far.screen.lower()


@pytest.mark.parametrize("leave", ["q\r", "\x04", "c\r"])
def test_leaving_the_debugger_lets_the_process_go_on(leave: str, near: Shell) -> None:
    stop(near, "near")
    enter(near)
    near.press("b 8\r")
    near.sees("Breakpoint 1 at")
    near.press("cl 1\r" if leave == "c\r" else "")
    near.press(leave)
    near.prompt_returns()
    assert near.type("receive(timeout=60)") == "5"
    assert near.type("Process.is_alive(till)") == "True"
    near.type("sent = send(till, (self(), 2))")
    near.wait(lambda: near.screen.count("enter? [y/N]") == 2, "the second question")
    near.press("\r")
    assert near.type("receive(timeout=60)") == "7"


@pytest.mark.usefixtures("far")
def test_call_that_the_prompt_waits_for_is_entered(near: Shell) -> None:
    near.press('rpc.call("far", "till", "peek", [4])\r')
    near.sees("enter? [y/N]")
    near.press("amount\r")
    near.sees("y enters the debugger, n lets the process go on")
    enter(near)
    near.press("p amount + 40\r")
    near.sees("44")
    near.press("c\r")
    assert near.sees("8").endswith("8")
    near.prompt_returns()


def test_process_killed_in_the_debugger_gives_the_prompt_back(near: Shell) -> None:
    stop(near, "near")
    enter(near)
    near.press("!from pyx import Process, self; Process.exit(self(), 'kill')\r")
    near.prompt_returns()
    assert near.type("1 + 1") == "2"


@pytest.mark.usefixtures("near")
def test_lost_node_gives_the_prompt_back(near: Shell, far: Shell) -> None:
    stop(near, "far")
    enter(near)
    far.kill()
    near.wait(lambda: near.screen.rstrip().endswith("pyx(near@vm)3>"), "the shell's prompt")
    assert near.type("1 + 1") == "2"


def test_two_processes_ask_one_after_the_other(near: Shell) -> None:
    stop(near, "near")
    near.type("other = spawn('till', 'serve', [])")
    near.type("sent = send(other, (self(), 6))")
    near.press("n\r")
    near.wait(lambda: near.screen.count("enter? [y/N]") == 2, "the second question")
    near.press("n\r")
    near.comes_to("sorted([receive(timeout=5), receive(timeout=60)])", "[5, 6]")


def test_process_whose_leader_has_no_terminal_goes_on(near: Shell) -> None:
    assert near.type("rpc.call('near', 'till', 'alone')").endswith("'went on'")
    assert "went past the breakpoint at till.py:22: no terminal shows its output" in near.screen


def test_program_without_a_terminal_logs_one_line(lone_host: Host, tmp_path: Path) -> None:
    (tmp_path / "till.py").write_text(
        f"{TILL}\nif __name__ == '__main__':\n    print(rpc.call('x', peek, 4))\n"
    )
    done = lone_host.run("--sname", "x@vm", "till.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "8\n")
    assert done.stderr.endswith("went past the breakpoint at till.py:13: its shell has no terminal\n")
    assert done.stderr.count("\n") == 1


def test_breakpoint_is_entered_from_a_remote_shell(lone_host: Host, near: Shell) -> None:
    assert near.type("1") == "1"
    away = lone_host.starts("--remsh", "near")
    away.prompt_returns()
    away.type("import till")
    away.press("till.peek(4)\r")
    away.sees("enter? [y/N]")
    away.press("y\r")
    away.wait(lambda: "(Pdb)" in away.screen, "the debugger's prompt")
    away.press("p amount + 40\r")
    away.sees("44")
    away.press("c\r")
    away.sees("8")
    away.prompt_returns()
    assert "pdb" not in near.screen.lower()
    assert near.type("rpc.call('near', 'till', 'idle')") == "'idle'"  # the node answers as before
