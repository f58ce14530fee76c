"""Ctrl-C: whatever runs or waits is left at once, and pid, mailbox and names stay.  Ctrl-D leaves."""

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
    """A node to wait for."""
    return host.shell("other")


@pytest.fixture(scope="module")
def shared(host: Host, other: Shell) -> Shell:
    """One shell for the whole file: each story finds what the one before has left, whole."""
    shell = host.shell("gus")
    assert shell.type('import time; Node.connect("other@vm")') == "True"
    return shell


@pytest.fixture
def shell(shared: Shell) -> Iterator[Shell]:
    """It keeps its pid, its message and its names through every story."""
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
        "sum(0 for _ in iter(int, 1))",
        "await aio.sleep(3600)",
        'await aio.receive("never")',
        'await aio.rpc.call("other@vm", "time", "sleep", [30])',
    ],
)
def test_a_blocked_call(blocked: str, shell: Shell) -> None:
    number = shell.prompt
    shell.enter(f"print('run' 'ning'); {blocked}")
    shell.sees("running")
    assert shell.interrupt().endswith("\nKeyboardInterrupt")
    assert shell.prompt == number


def test_a_call_that_has_not_begun(shell: Shell) -> None:
    """Ctrl-C right behind Enter, while the editor is still there or just gone."""
    number = shell.prompt
    for _ in range(20):
        shell.enter('receive("never")')
        assert shell.interrupt().endswith("KeyboardInterrupt")
        assert shell.prompt == number


def test_a_question(shell: Shell) -> None:
    """Once it waits for the answer: Python itself loses a signal that comes as it is about to."""
    number = shell.prompt
    shell.enter("input('name? ')")
    shell.wait(lambda: shell.prompt == "name? " and shell.sleeps, "the question")
    assert shell.interrupt().endswith("\nKeyboardInterrupt")
    assert shell.prompt == number


def test_a_busy_loop(shell: Shell) -> None:
    shell.enter("while True:\n    if (mine := self()): print('running')\n    while True: pass\n")
    shell.sees("running")
    assert shell.interrupt() == "^C\nKeyboardInterrupt"


def test_a_ping_to_a_frozen_node(shell: Shell, other: Shell) -> None:
    other.kill(signal.SIGSTOP)
    try:
        shell.enter("print('run' 'ning'); Node.ping('other@vm')")
        shell.sees("running")
        assert shell.interrupt() == "^C\nKeyboardInterrupt"
    finally:
        other.kill(signal.SIGCONT)


def test_it_is_not_lost_where_it_strikes_pyx_at_work(shell: Shell) -> None:
    """The handler may find the main thread inside a step, and the call that follows would block for ever."""
    for _ in range(20):
        shell.enter("print('run' 'ning'); [Process.whereis('nobody') for _ in range(500)]; time.sleep(3600)")
        shell.sees("running")
        assert shell.interrupt() == "^C\nKeyboardInterrupt"


def test_a_half_typed_line_is_cleared(shell: Shell) -> None:
    number = shell.prompt
    shell.half_type("nobody_wants(this")
    shell.interrupt()
    assert shell.prompt == number
    assert "nobody_wants" not in shell.screen
    assert shell.type("'the next ' + 'one'") == "'the next one'"


def test_an_unfinished_block_is_given_up(shell: Shell) -> None:
    number = shell.prompt
    shell.press("def f():\r")
    shell.wait(lambda: shell.prompt.startswith("...(gus@vm)"), "the continuation prompt")
    shell.interrupt()
    assert shell.prompt == number
    assert shell.type("f") == "NameError: name 'f' is not defined"


def test_what_was_called_goes_on_there_and_its_answer_vanishes(shell: Shell, other: Shell) -> None:
    other.type('Process.register(self(), "other")')
    shell.enter("print('run' 'ning'); rpc.call('other@vm', time.sleep, [0.2])")
    shell.sees("running")
    assert shell.interrupt() == "^C\nKeyboardInterrupt"
    shell.type("rpc.call('other@vm', time.sleep, [0.4])")  # by now the first one has answered as well


@pytest.mark.parametrize(("keys", "code"), [("\x04", 0), ("exit()\r", 0), ("exit(7)\r", 7)])
def test_ways_to_leave(keys: str, code: int, lone_host: Host) -> None:
    shell = lone_host.shell()
    shell.press(keys)
    assert shell.leaves() == code


def test_ctrl_c_where_it_was_ignored(lone_host: Host) -> None:
    """A shell that was started with `&` and brought to the foreground has inherited that."""
    shell = lone_host.starts_command(["sh", "-c", f"trap '' INT; exec {PYX}"])
    shell.prompt_returns()
    shell.enter("print('run' 'ning'); Process.sleep(None)")
    shell.sees("running")
    assert shell.interrupt() == "^C\nKeyboardInterrupt"


def test_what_is_typed_while_a_statement_runs_is_for_the_next_prompts(lone_host: Host) -> None:
    """Also a Ctrl-D, which a terminal that reads lines keeps to itself."""
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


def test_what_is_typed_without_enter_while_a_statement_runs_stands_behind_the_next_prompt(
    lone_host: Host,
) -> None:
    shell = lone_host.shell()
    shell.type("import os, time")
    shell.enter("print('run' 'ning'); all(iter(lambda: time.sleep(0.01) or not os.path.exists('go'), False))")
    shell.sees("running")
    shell.press("6 *")
    shell.sees("6 *")
    (lone_host.home / "go").touch()
    shell.wait(lambda: shell.prompt == "pyx(3)> 6 *", "the prompt with what was typed")
    shell.press(" 7")
    shell.wait(lambda: shell.prompt == "pyx(3)> 6 * 7", "the whole line")
    shell.press("\r")
    shell.sees("42")


def test_the_terminal_is_read_by_the_shell_alone(lone_host: Host) -> None:
    shell = lone_host.shell()
    shell.enter("name = input('name? ')")
    shell.wait(lambda: shell.prompt == "name? ", "the question")
    shell.press("gus\r")
    assert shell.type("name") == "'gus'"
    shell.type("_, ref = spawn_monitor(input, 'and yours? ')")
    shown = shell.type("receive(('DOWN', ref, ..., ..., ...), timeout=10)[4].type")
    assert shown.split("\n")[-1] == "'TerminalTaken'"  # above it may be the report of the crash
    assert shell.type("'this ' + 'prompt'") == "'this prompt'"


def test_a_terminal_that_can_do_nothing(lone_host: Host) -> None:
    """`TERM=dumb`: plain lines, as inside an editor."""
    shell = lone_host.starts(TERM="dumb")
    shell.prompt_returns()
    shell.enter("print('run' 'ning'); Process.sleep(None)")
    shell.sees("running")
    assert shell.interrupt() == "^C\nKeyboardInterrupt"
    shell.press("\x04")
    assert shell.leaves() == 0
    assert shell.prompt == ""  # what comes next begins in the first column


def test_after_a_stop_and_fg_the_prompt_is_there_again(lone_host: Host) -> None:
    shell = lone_host.shell()
    shell.half_type("'still ' ")
    shell.kill(signal.SIGSTOP)
    shell.lets_read_lines()
    shell.kill(signal.SIGCONT)
    shell.wait(lambda: not shell.reads_lines, "the editor")
    shell.wait(lambda: shell.prompt == "pyx(1)> 'still ' " * 2, "the half-typed line once more")
    shell.press("'here'\r")
    shell.sees("'still here'")
