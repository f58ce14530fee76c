"""Ctrl-C interrupts running and waiting code; pid, mailbox and names stay.  Ctrl-D ends the shell."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.stories.host import PYX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.host import Host
    from tests.stories.terminal import Shell


@pytest.fixture(scope="module")
def other(host: Host) -> Shell:
    """A node that the shell calls."""
    return host.shell("other")


@pytest.fixture(scope="module")
def shared(host: Host, other: Shell) -> Shell:
    """One shell for the whole file: each story finds the state that the one before has left."""
    shell = host.shell("gus")
    assert shell.type('import time; Node.connect("other@vm")') == "True"
    shell.type("look = lambda: [Process.whereis('missing') for _ in range(500)]")
    return shell


@pytest.fixture
def shell(shared: Shell) -> Iterator[Shell]:
    """The shell, whose pid, message and names must survive each story."""
    shared.type("mine, kept = self(), send(self(), object.__name__)")
    yield shared
    assert shared.type("self() == mine, receive(timeout=0), kept") == "(True, 'object', 'object')"
    assert shared.type("flush()") == ""
    assert shared.type('Node.ping("other@vm")') == "'pong'"


@pytest.mark.parametrize(
    "blocked",
    [
        'receive("never")',
        "Process.sleep(None)",
        'rpc.call("other@vm", "time", "sleep", [30])',
        'rpc.async_call("other@vm", "time", "sleep", [30]).result()',
        'rpc.multicall(["other@vm"], "time", "sleep", [30])',
        "time.sleep(3600)",
        "await aio.sleep(3600)",
        'await aio.receive("never")',
        'await aio.rpc.call("other@vm", "time", "sleep", [30])',
    ],
)
def test_ctrl_c_interrupts_a_blocked_call(blocked: str, shell: Shell) -> None:
    number = shell.prompt
    shell.enter(f"print('run' 'ning'); {blocked}")
    shell.sees("running")
    shell.blocks()
    assert shell.interrupt().endswith("\nKeyboardInterrupt")
    assert shell.prompt == number


NAPS = "any(time.sleep(0.01) for _ in iter(int, 1))"
"""Never ends, and is in no blocking call for long: a signal just before one is noticed after it."""


def test_ctrl_c_interrupts_a_computation(shell: Shell) -> None:
    number = shell.prompt
    shell.enter("print('run' 'ning'); sum(0 for _ in iter(int, 1))")
    shell.sees("running")
    assert shell.interrupt().endswith("\nKeyboardInterrupt")
    assert shell.prompt == number


def test_ctrl_c_just_after_enter_interrupts_the_statement(shell: Shell) -> None:
    """Ctrl-C right after Enter, while the editor still runs or has just ended."""
    number = shell.prompt
    for _ in range(20):
        shell.enter(NAPS)
        assert shell.interrupt().endswith("KeyboardInterrupt")
        assert shell.prompt == number


def test_ctrl_c_interrupts_input(shell: Shell) -> None:
    number = shell.prompt
    shell.enter("input('name? ')")
    shell.wait(lambda: shell.prompt == "name? ", "the question")
    shell.blocks()
    assert shell.interrupt().endswith("\nKeyboardInterrupt")
    assert shell.prompt == number


def test_ctrl_c_interrupts_a_busy_loop(shell: Shell) -> None:
    shell.enter("while True:\n    if (mine := self()): print('running')\n    while True: pass\n")
    shell.sees("running")
    assert shell.interrupt() == "^C\nKeyboardInterrupt"


def test_ctrl_c_interrupts_a_ping_to_a_frozen_node(shell: Shell, other: Shell) -> None:
    other.freeze()
    try:
        # Each ping has a limit, which a slow test may reach: then Ctrl-C comes in the next one.
        shell.enter("print('run' 'ning'); any(not Node.ping('other@vm') for _ in iter(int, 1))")
        shell.sees("running")
        assert shell.interrupt().endswith("^C\nKeyboardInterrupt")
    finally:
        other.kill(signal.SIGCONT)


def test_ctrl_c_during_pyx_s_own_work_is_not_lost(shell: Shell) -> None:
    """The handler may find the main thread in a kernel call, and no other one follows."""
    for _ in range(20):
        shell.enter(f"print('run' 'ning'); look(); {NAPS}")
        shell.sees("running")
        assert shell.interrupt() == "^C\nKeyboardInterrupt"


def test_ctrl_c_clears_a_half_typed_line(shell: Shell) -> None:
    number = shell.prompt
    shell.half_type("half_typed(this")
    shell.interrupt()
    assert shell.prompt == number
    assert "half_typed" not in shell.screen
    assert shell.type("'the next ' + 'one'") == "'the next one'"


def test_ctrl_c_drops_an_unfinished_block(shell: Shell) -> None:
    number = shell.prompt
    shell.press("def f():\r")
    shell.wait(lambda: shell.prompt.startswith("...(gus@vm)"), "the continuation prompt")
    shell.interrupt()
    assert shell.prompt == number
    assert shell.type("f") == "NameError: name 'f' is not defined"


def test_answer_to_an_interrupted_call_is_dropped(shell: Shell, other: Shell) -> None:
    other.type("import threading; go_on = threading.Event()")
    shell.enter("print('run' 'ning'); rpc.call('other@vm', lambda: __import__('__main__').go_on.wait())")
    shell.sees("running")
    shell.blocks()
    assert shell.interrupt() == "^C\nKeyboardInterrupt"
    other.type("go_on.set()")
    other.comes_to("len(Process.list())", "1")
    assert shell.type("rpc.call('other@vm', 'operator', 'neg', [1])") == "-1"  # behind the first answer


@pytest.mark.parametrize(("keys", "code"), [("\x04", 0), ("exit()\r", 0), ("exit(7)\r", 7)])
def test_ctrl_d_and_exit_end_the_shell(keys: str, code: int, lone_host: Host) -> None:
    shell = lone_host.shell()
    shell.press(keys)
    assert shell.leaves() == code


def test_ctrl_c_works_in_a_shell_started_with_sigint_ignored(lone_host: Host) -> None:
    """A shell that is started with `&` and brought to the foreground has inherited that."""
    shell = lone_host.starts_command(["sh", "-c", f"trap '' INT; exec {PYX}"])
    shell.prompt_returns()
    shell.enter("print('run' 'ning'); Process.sleep(None)")
    shell.sees("running")
    shell.blocks()
    assert shell.interrupt() == "^C\nKeyboardInterrupt"


def test_lines_typed_while_a_statement_runs_are_the_next_inputs(lone_host: Host) -> None:
    """A Ctrl-D, too, which a terminal in canonical mode keeps to itself."""
    shell = lone_host.shell()
    shell.type("import os, time")
    shell.enter("print('run' 'ning'); all(iter(lambda: time.sleep(0.01) or not os.path.exists('go'), False))")
    shell.sees("running")
    shell.press("'é' * 3\r6 * 7\r\x04")
    shell.sees("6 * 7")
    (lone_host.home / "go").touch()
    shell.sees("'ééé'")
    shell.sees("42")
    assert shell.leaves() == 0


def test_unfinished_line_typed_while_a_statement_runs_follows_the_next_prompt(
    lone_host: Host,
) -> None:
    shell = lone_host.shell()
    shell.type("import os, time")
    shell.enter("print('run' 'ning'); all(iter(lambda: time.sleep(0.01) or not os.path.exists('go'), False))")
    shell.sees("running")
    shell.press("6 *")
    shell.sees("6 *")
    (lone_host.home / "go").touch()
    shell.wait(lambda: shell.prompt == "pyx(3)> 6 *", "the prompt with the typed text")
    shell.press(" 7")
    shell.wait(lambda: shell.prompt == "pyx(3)> 6 * 7", "the whole line")
    shell.press("\r")
    shell.sees("42")


def test_input_of_another_process_raises_terminal_taken(lone_host: Host) -> None:
    shell = lone_host.shell()
    shell.enter("name = input('name? ')")
    shell.wait(lambda: shell.prompt == "name? ", "the question")
    shell.press("gus\r")
    assert shell.type("name") == "'gus'"
    shell.type("_, ref = spawn_monitor(input, 'and yours? ')")
    shown = shell.type("receive(('DOWN', ref, ..., ..., ...), timeout=60)[4].type")
    assert shown.split("\n")[-1] == "'TerminalTaken'"  # a report of the crash may be above it
    assert shell.type("'this ' + 'prompt'") == "'this prompt'"


def test_ctrl_c_and_ctrl_d_work_on_a_dumb_terminal(lone_host: Host) -> None:
    """`TERM=dumb`: plain lines, as inside an editor."""
    shell = lone_host.starts(TERM="dumb")
    shell.prompt_returns()
    shell.enter("print('run' 'ning'); Process.sleep(None)")
    shell.sees("running")
    shell.blocks()
    assert shell.interrupt() == "^C\nKeyboardInterrupt"
    shell.press("\x04")
    assert shell.leaves() == 0
    assert shell.prompt == ""  # the next program starts in the first column


def test_prompt_is_drawn_again_after_sigstop_and_fg(lone_host: Host) -> None:
    shell = lone_host.shell()
    shell.half_type("'still ' ")
    shell.freeze()
    shell.lets_read_lines()
    shell.kill(signal.SIGCONT)
    shell.wait(lambda: not shell.reads_lines, "the editor")
    # The editor draws as in the first column, where a shell's `fg` leaves it, and places the cursor by that.
    again = "pyx(1)> 'still ' " * 2
    shell.wait(lambda: shell.screen.endswith(again.rstrip()), "the half-typed line once more")
    shell.press("'here'\r")
    shell.sees("'still here'")
