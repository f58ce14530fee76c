"""app.py, frontend.py, log_handler.py, shell_options.py, record_hooks.py: Sessions of real shells.

They run through pipes, and in a pseudo-terminal.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

import pyx
from tests.blocked import until_blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STOCK = """\
from pyx import receive, send

def handle_stock(stock):
    while True:
        match receive():
            case ("add", product):
                stock = [product, *stock]
            case "status":
                print(stock)

def doubled(x):
    return 2 * x
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "product_stock.py").write_text(STOCK)
    (tmp_path / "home").mkdir()
    return {
        **{
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PYX_", "XDG_", "NO_COLOR"))
        },
        "HOME": str(tmp_path / "home"),
        "PYX_RUNTIME_DIR": str(tmp_path / "run"),
        "PYTHONPATH": str(Path(pyx.__file__).parents[1]),
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "TERM": "xterm-256color",
        "COLUMNS": "100",
    }


class TestPipes:
    @pytest.fixture
    def session(self, environment: dict[str, str], tmp_path: Path) -> Callable[..., None]:
        """Returns the check of a transcript: text after a prompt is typed, the rest must be shown."""

        def check(transcript: str, *options: str, stderr: str = "") -> None:
            transcript = textwrap.dedent(transcript).lstrip("\n").replace("@vm", f"@{_host()}")
            typed = re.findall(r"^(?:pyx|[.]{3})\([^)]*\)\d*> ?(.*\n)", transcript, re.MULTILINE)
            done = subprocess.run(
                [sys.executable, "-m", "pyx", "-i", *options],
                input="".join(typed),
                capture_output=True,
                text=True,
                env=environment,
                cwd=tmp_path,
                timeout=240,
                check=False,
            )
            assert done.stdout == transcript
            assert done.stderr == stderr

        return check

    def test_session_spawns_registers_sends_and_flushes(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(server@vm)1> pid = spawn(product_stock, 'handle_stock', [[]])
            imported product_stock
            pyx(server@vm)2> Process.register(pid, 'product_stock')
            True
            pyx(server@vm)3> send('product_stock', ('add', {'name': 'nike', 'qty': 30}))
            ('add', {'name': 'nike', 'qty': 30})
            pyx(server@vm)4> send(self(), pid)
            #PID<0.2.0>
            pyx(server@vm)5> flush()
            #PID<0.2.0>
            pyx(server@vm)6> flush()
            pyx(server@vm)7> Process.info(self(), 'messages')
            ('messages', [])
            pyx(server@vm)8> unknown
            NameError: name 'unknown' is not defined
            pyx(server@vm)8> exit()
            """,
            "--sname", "server",
        )  # fmt: skip

    def test_assigned_name_hides_a_helper_until_it_is_deleted(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> pid = 1
            pyx(2)> pid
            1
            pyx(3)> del pid
            pyx(4)> pid('0.1.0') == self()
            True
            pyx(5)> exit()
            """
        )

    def test_await_runs_under_the_shells_pid(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> send(self(), 'hi')
            'hi'
            pyx(2)> await aio.receive()
            'hi'
            pyx(3)> async def me(): return self()
            ...(3)> 
            pyx(4)> await me() == self()
            True
            pyx(5)> exit()
            """  # noqa: W291
        )

    def test_prompt_survives_closed_standard_streams(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> import sys; sys.stdin.close(); sys.stdout.close()
            pyx(2)> 1 + 1
            2
            pyx(3)> print(1)
            ValueError: I/O operation on closed file.
            pyx(3)> exit()
            """
        )

    def test_exit_with_a_reason_is_shown_and_the_shell_stays(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> exit("normal")
            Exit: normal
            pyx(1)> raise Exit(("shutdown", 1))
            Exit: ('shutdown', 1)
            pyx(1)> 5
            5
            pyx(2)> exit()
            """
        )

    def test_prompt_shows_the_node_after_start_and_stop(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> Node.start('billing')
            'billing@vm'
            pyx(billing@vm)2> Node.stop()
            True
            pyx(3)> exit()
            """
        )

    def test_crash_of_another_process_is_logged_with_the_users_frames(
        self, session: Callable[..., None]
    ) -> None:
        session(
            """
            pyx(1)> _ref = spawn_monitor(product_stock.doubled)
            imported product_stock
            pyx(2)> receive(timeout=60)[4].type
            'TypeError'
            pyx(3)> exit()
            """,
            stderr=(
                "[error] Process #PID<0.2.0> raised an exception\n"
                "TypeError: doubled() missing 1 required positional argument: 'x'\n"
            ),
        )

    def test_dataclass_typed_at_the_prompt_is_sent_and_received(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> from dataclasses import dataclass
            pyx(2)> @dataclass
            ...(2)> class Item:
            ...(2)>     name: str
            ...(2)> 
            pyx(3)> send(self(), Item('nike'))
            Item(name='nike')
            pyx(4)> receive(Item)
            Item(name='nike')
            pyx(5)> exit()
            """  # noqa: W291
        )

    def test_i_and_runtime_info_show_facts_about_this_node(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(gus@vm)1> import contextlib, io
            pyx(gus@vm)2> with contextlib.redirect_stdout(io.StringIO()) as said: i(self()); runtime_info()
            ...(gus@vm)2> 
            pyx(gus@vm)3> 'node               gus@vm (here)' in said.getvalue()
            True
            pyx(gus@vm)4> 'node        gus@vm' in said.getvalue()
            True
            pyx(gus@vm)5> ' ms at worst in the last minute' in said.getvalue()
            True
            pyx(gus@vm)6> exit()
            """,  # noqa: W291
            "--sname", "gus",
        )  # fmt: skip

    def test_recompile_reloads_a_changed_module(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> product_stock.doubled(5)
            imported product_stock
            10
            pyx(2)> import pathlib; file = pathlib.Path('product_stock.py')
            pyx(3)> _ = file.write_text(file.read_text().replace('2 *', '3 *'))
            pyx(4)> recompile()
            reloaded product_stock: changed doubled
            pyx(5)> product_stock.doubled(5)
            15
            pyx(6)> exit()
            """
        )

    def test_running_function_keeps_its_code_after_reloads(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> import pathlib; file = pathlib.Path('answers.py')
            pyx(2)> _ = file.write_text('from pyx import *\\ndef run():\\n  while 1: send(receive(), 1)\\n')
            pyx(3)> pid = spawn(answers.run)
            imported answers
            pyx(4)> _ = file.write_text(file.read_text().replace('1)', '2)'))
            pyx(5)> recompile()
            reloaded answers: changed run
            pyx(6)> _ = file.write_text(file.read_text().replace('2)', '3)'))
            pyx(7)> recompile()
            reloaded answers: changed run
            pyx(8)> _ = send(pid, self()); receive(timeout=60)
            1
            pyx(9)> _ = send(spawn(answers.run), self()); receive(timeout=60)
            3
            pyx(10)> exit()
            """
        )

    def test_node_of_the_command_line_takes_another_name(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(gus@vm)1> Node.stop()
            True
            pyx(2)> Node.start('gustavo')
            'gustavo@vm'
            pyx(gustavo@vm)3> exit()
            """,
            "--sname", "gus",
        )  # fmt: skip

    def test_exit_of_the_shell_itself_is_shown_and_ends_nothing(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> me = self()
            pyx(2)> Process.exit(self(), 'normal')
            Exit: normal
            pyx(2)> raise Exit('boom')
            Exit: boom
            pyx(2)> self() == me
            True
            pyx(3)> exit()
            """
        )


def _host() -> str:
    return socket.gethostname().partition(".")[0]


class Terminal:
    """A `pyx` in a pseudo-terminal."""

    def __init__(self, environment: dict[str, str], cwd: Path, *options: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "pyx", *options],
            env=environment,
            cwd=str(cwd),
            encoding="utf-8",
            timeout=120,
            dimensions=(40, 100),
        )

    @property
    def pid(self) -> int:
        assert self.child.pid is not None
        return self.child.pid

    def type(self, text: str) -> None:
        self.child.send(text + "\r")

    def expect(self, text: str) -> None:
        self.child.expect_exact(text)


GOES = (
    "import os, sys, threading, time; "
    "goes = lambda: any(os.path.exists('go') or time.sleep(0.01) for _ in iter(int, 1))"
)
"""Makes `goes`, which returns once the file `go` is there."""


class TestTerminal:
    @pytest.fixture
    def terminal(self, environment: dict[str, str], tmp_path: Path) -> Iterator[Terminal]:
        made = Terminal({**environment, "NO_COLOR": "1"}, tmp_path)
        made.expect("pyx(1)> ")
        yield made
        made.child.close(force=True)

    @pytest.mark.parametrize(
        "blocked",
        [
            "receive('never')",
            "__import__('time').sleep(60)",
            "Process.sleep(None)",
            "await __import__('asyncio').sleep(60)",
            "await aio.receive('never')",
            "[0 for _ in iter(int, 1)]",
            "rpc.call(Node.start('gus'), 'time', 'sleep', [60])",
        ],
    )
    def test_ctrl_c_interrupts_and_keeps_pid_and_mailbox(self, blocked: str, terminal: Terminal) -> None:
        terminal.type("me = self()")
        terminal.expect("pyx(2)> ")
        terminal.type("send(self(), 'kept')")
        terminal.expect("pyx(3)> ")
        terminal.type(f"print('run' + 'ning'), {blocked}")
        terminal.expect("running")
        if "iter(int, 1)" not in blocked:
            until_blocked(terminal.pid)
        terminal.child.sendintr()
        terminal.expect("KeyboardInterrupt")
        terminal.child.expect(r"3\)?> ")
        terminal.type("me == self(), receive(timeout=0)")
        terminal.expect("(True, 'kept')")

    def test_ctrl_c_clears_the_line_and_ctrl_d_leaves(self, terminal: Terminal) -> None:
        terminal.child.send("half a line")
        terminal.expect("half a line")
        terminal.child.sendintr()
        terminal.type("'the next ' + 'one'")
        terminal.expect("'the next one'")
        terminal.expect("pyx(2)> ")
        terminal.child.sendeof()
        terminal.child.expect(pexpect.EOF)
        terminal.child.close()
        assert terminal.child.exitstatus == 0

    def test_output_appears_above_a_half_typed_line(self, terminal: Terminal, tmp_path: Path) -> None:
        terminal.type(GOES)
        terminal.expect("pyx(2)> ")
        terminal.type("pid = spawn(lambda: (goes(), print('from ' + 'elsewhere')))")
        terminal.expect("pyx(3)> ")
        terminal.child.send("'ha' 'lf ")
        (tmp_path / "go").touch()
        terminal.expect("from elsewhere\r\n")
        terminal.expect("pyx(3)> ")
        terminal.expect("'ha' 'lf")
        terminal.type("typed'")
        terminal.expect("'half typed'")

    def test_input_reads_the_terminal(self, terminal: Terminal) -> None:
        terminal.type("input('name? ')")
        terminal.expect("name? ")
        terminal.type("bob")
        terminal.expect("'bob'")

    def test_stderr_of_a_thread_appears_above_a_half_typed_line(
        self, terminal: Terminal, tmp_path: Path
    ) -> None:
        terminal.type(GOES)
        terminal.expect("pyx(2)> ")
        terminal.type("late = lambda: (goes(), print('from a' + ' thread', file=sys.stderr))")
        terminal.expect("pyx(3)> ")
        terminal.type("threading.Thread(target=late).start()")
        terminal.expect("pyx(4)> ")
        terminal.child.send("'ha' 'lf ")
        (tmp_path / "go").touch()
        terminal.expect("from a thread\r\n")
        terminal.expect("pyx(4)> ")
        terminal.expect("'ha' 'lf")

    @pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
    def test_signal_at_the_prompt_ends_pyx_with_its_exit_code(
        self, number: int, status: int, terminal: Terminal
    ) -> None:
        terminal.child.kill(number)
        terminal.child.expect(pexpect.EOF)
        terminal.child.close()
        assert terminal.child.exitstatus == status

    def test_sigterm_in_a_blocked_call_ends_pyx(self, terminal: Terminal) -> None:
        terminal.type("print('run' + 'ning'), receive()")
        terminal.expect("running")
        until_blocked(terminal.pid)
        terminal.child.kill(signal.SIGTERM)
        terminal.child.expect(pexpect.EOF)
        terminal.child.close()
        assert terminal.child.exitstatus == 143

    def test_exit_sets_the_exit_code(self, terminal: Terminal) -> None:
        terminal.type("exit(5)")
        terminal.child.expect(pexpect.EOF)
        terminal.child.close()
        assert terminal.child.exitstatus == 5

    def test_no_color_removes_colours(self, terminal: Terminal) -> None:
        terminal.type("['text', None]")
        terminal.expect("['text', None]\r\n")

    def test_killed_shell_shows_its_new_pid_and_goes_on(self, terminal: Terminal) -> None:
        terminal.type("me = self(); pid = spawn(lambda: Process.exit(me, 'kill'))")
        terminal.expect("** the shell process #PID<0.1.0> was killed; its pid is now #PID<0.3.0>")
        terminal.expect("> ")
        terminal.type("self()")
        terminal.expect("#PID<0.3.0>")

    def test_history_is_kept_for_later_sessions(
        self, terminal: Terminal, environment: dict[str, str], tmp_path: Path
    ) -> None:
        terminal.type("'kept ' + 'statement'")
        terminal.expect("'kept statement'")
        terminal.expect("pyx(2)> ")
        terminal.child.sendeof()
        terminal.child.expect(pexpect.EOF)
        later = Terminal(environment, tmp_path)
        later.expect("> ")
        later.child.send("\x1b[A\r")
        later.expect("kept statement")
        later.child.close(force=True)
        assert (tmp_path / "home/.local/state/pyx/history").stat().st_mode & 0o777 == 0o600

    def test_dumb_terminal_gets_plain_lines(self, environment: dict[str, str], tmp_path: Path) -> None:
        terminal = Terminal({**environment, "TERM": "dumb"}, tmp_path)
        terminal.expect("pyx(1)> ")
        terminal.type("6 * 7")
        terminal.expect("42\r\npyx(2)> ")
        terminal.child.close(force=True)
