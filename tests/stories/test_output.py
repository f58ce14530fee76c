"""Output: above a half-typed line, at the caller of a remote process, filtered, in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.host import Host
    from tests.stories.terminal import Shell

# Functions typed at a prompt are not known on other nodes, so those that run there are in `noisy.py`.
NOISY = '''\
"""A module of the user that prints."""

from pyx import receive, self, send


def print_on_request(text, times=1):
    """Prints at each message."""
    while True:
        frm = receive()
        for number in range(times):
            print(text if times == 1 else f"{text} {number}")
        send(frm, "printed")


def print_and_send(text, whom):
    print(text)
    send(whom, "printed")


def print_in_pieces():
    print("one line ", end="")
    print("in three ", end="", flush=True)
    print("pieces")


def fail(shelf):
    return shelf["nike"]
'''


@pytest.fixture(scope="module")
def near(host: Host) -> Shell:
    """The shell at which output is expected."""
    (host.home / "noisy.py").write_text(NOISY)
    return host.shell("near")


@pytest.fixture(scope="module")
def far(host: Host, near: Shell) -> Shell:
    """The node on which processes run."""
    shell = host.shell("far")
    assert shell.type('Node.connect("near@vm")') == "True"
    return shell


def pid_in(shown: str) -> str:
    """Returns the echo of a spawn, above or below the output of the process."""
    return next(line for line in shown.split("\n") if line.startswith("#PID<"))


class TestAboveThePrompt:
    def test_half_typed_line_stays_whole_below_output(self, near: Shell, far: Shell) -> None:
        near.type('Process.register(spawn(noisy.print_on_request, "from elsewhere"), "noisy")')
        number = near.prompt
        near.half_type("'half ' + 'ty")
        for _ in range(5):
            far.type('_ = send(("noisy", "near"), self())')
            assert near.sees("from elsewhere") == "from elsewhere"
            near.wait(lambda: near.prompt == f"{number}'half ' + 'ty", "the half-typed line")
        near.press("ped'\r")
        assert near.sees("half typed") == "'half typed'"
        assert near.screen.count(f"{number}'half") == 1  # and is drawn only once

    def test_ten_thousand_lines_appear_in_order_above_a_half_typed_line(
        self, near: Shell, far: Shell
    ) -> None:
        near.type('Process.register(spawn(noisy.print_on_request, "line", 10_000), "flood")')
        number = near.prompt
        near.half_type("'still ' + 'he")
        far.type('_ = send(("flood", "near"), self())')
        near.sees("line 9999")
        near.wait(lambda: near.prompt == f"{number}'still ' + 'he", "the half-typed line")
        shown = [line for line in near.lines if line.startswith("line ")]
        assert shown == [f"line {count}" for count in range(10_000)]
        near.press("re'\r")
        near.sees("'still here'")

    def test_line_printed_in_pieces_is_one_line(self, near: Shell) -> None:
        near.type("_ = spawn(noisy.print_in_pieces)")
        assert near.sees("pieces") == "one line in three pieces"

    def test_prompt_after_an_unfinished_line_has_a_line_of_its_own(self, near: Shell) -> None:
        assert near.type("print('no end', end='')") == "no end"


class TestAtTheCaller:
    def test_remote_process_prints_at_the_spawning_shell(self, near: Shell, far: Shell) -> None:
        shown = near.type('Node.spawn("far", "noisy", "print_and_send", ["printed over there", self()])')
        assert re.fullmatch(r"#PID<[1-9]\d*\.\d+\.0>", pid_in(shown))
        assert near.sees("printed over there") == "printed over there"
        assert near.type("receive(timeout=60)") == "'printed'"
        assert "printed over there" not in far.screen

    @pytest.mark.usefixtures("far")
    def test_print_before_a_send_is_shown_before_the_message_arrives(self, near: Shell) -> None:
        near.type("function = noisy.print_and_send")
        for number in range(20):
            code = f'Node.spawn("far", function, "before {number}", self()); receive(timeout=60)'
            assert near.type(code) == f"before {number}\n'printed'"

    def test_rpc_prints_at_the_calling_shell(self, near: Shell, far: Shell) -> None:
        assert near.type('rpc.call("far", "builtins", "print", ["by", "rpc"])') == "by rpc"
        assert near.type('rpc.call("far", noisy.print_in_pieces)').endswith("one line in three pieces")
        near.type('rpc.cast("far", "builtins", "print", ["by cast"])')
        near.sees("by cast")
        assert "by rpc" not in far.screen

    def test_stderr_stays_on_its_node(self, near: Shell, far: Shell) -> None:
        near.type('rpc.call("far", "warnings", "warn", ["look out"])')
        assert far.sees("look out").endswith("UserWarning: look out")
        assert "UserWarning" not in near.screen

    def test_process_survives_the_end_of_its_group_leaders_node(self, lone_host: Host) -> None:
        (lone_host.home / "noisy.py").write_text(NOISY)
        home, away = lone_host.shell("home"), lone_host.shell("away")
        away.type('orphan = Node.spawn("home", "noisy", "print_on_request", ["still here"])')
        home.comes_to("len(Process.list())", "2")
        home.type("orphan = [pid for pid in Process.list() if pid != self()][0]")
        away.kill()
        home.comes_to("Node.list()", "[]")
        home.type("send(orphan, self())")
        home.sees("still here")
        assert home.type("Process.is_alive(orphan)") == "True"


class TestCrashes:
    def test_local_crash_is_shown_once_with_the_users_frames(self, near: Shell) -> None:
        pid = pid_in(near.type("spawn(noisy.fail, {})"))
        near.sees(f"[error] Process {pid} raised an exception")
        near.sees("KeyError: 'nike'")
        near.prompt_returns()
        assert near.screen.count(f"Process {pid} raised") == 1
        report = near.screen[near.screen.index(f"Process {pid} raised") :]
        assert 'noisy.py", line ' in report
        assert "in fail" in report
        assert "/pyx/" not in report

    def test_remote_crash_is_shown_at_the_spawning_shell_and_logged_on_its_node(
        self, near: Shell, far: Shell
    ) -> None:
        pid = pid_in(near.type('Node.spawn("far", "noisy", "fail", [{}])'))
        near.sees(f"[error] Process {pid} on node far@vm raised an exception")
        near.sees("KeyError: 'nike'")
        local = far.sees("raised an exception")
        assert re.fullmatch(r"\[error\] Process #PID<0\.\d+\.0> raised an exception", local)
        assert local.split(".")[1] == pid.split(".")[1]  # the same process, as each of the two nodes shows it
        far.sees("KeyError: 'nike'")

    def test_spawn_of_a_missing_function_is_reported(self, near: Shell) -> None:
        near.type('spawn("noisy", "nope", [])')
        near.sees("raised an exception")
        near.sees("UndefinedFunction: there is no function nope in module noisy")

    def test_exit_with_a_reason_is_not_reported_as_a_crash(self, near: Shell) -> None:
        crashes = near.screen.count("raised an exception")
        near.type("def leave(): raise Exit('done')\n")
        near.type("pid, ref = spawn_monitor(leave)")
        assert near.type("receive(('DOWN', ref, ..., ..., ...), timeout=60)[4]") == "'done'"
        assert near.screen.count("raised an exception") == crashes


class TestControlSequences:
    @pytest.mark.usefixtures("far")
    def test_control_sequences_of_another_node_are_escaped(self, near: Shell) -> None:
        evil = r'"\x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[0m\ttab\rback\x9b2J"'
        before = near.raw.count(b"\x1b[2J")
        near.type(f'rpc.call("far", "builtins", "print", [{evil}])')
        line = near.sees("red")
        assert line == r"^[[2J^[]0;title^Gred    tab^Mback\x9b2J"
        assert b"\x1b[31mred\x1b[0m" in near.raw  # colours are kept
        assert near.raw.count(b"\x1b[2J") == before
        assert b"\x07" not in near.raw

    def test_control_sequences_of_this_node_are_sent(self, near: Shell) -> None:
        near.type(r'print("\x1b]0;my title\x07done")')
        assert b"\x1b]0;my title\x07done" in near.raw
