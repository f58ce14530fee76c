"""app.py, frontend.py, log_handler.py, shell_options.py, record_hooks.py: Sessions of real shells.

They run through pipes, and on a person's terminal through a pseudo-terminal.
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
        """Checks a transcript: what stands behind a prompt is typed, the rest must have been shown."""

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
                timeout=60,
                check=False,
            )
            assert done.stdout == transcript
            assert done.stderr == stderr

        return check

    def test_a_process_a_name_and_a_reply(self, session: Callable[..., None]) -> None:
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
            pyx(server@vm)8> nope
            NameError: name 'nope' is not defined
            pyx(server@vm)8> exit()
            """,
            "--sname", "server",
        )  # fmt: skip

    def test_a_users_pid_hides_the_helper(self, session: Callable[..., None]) -> None:
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

    def test_streams_that_are_closed_are_the_users_and_not_the_prompts(
        self, session: Callable[..., None]
    ) -> None:
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

    def test_an_exit_with_a_reason_is_shown_and_the_shell_stays(self, session: Callable[..., None]) -> None:
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

    def test_the_prompt_follows_the_node(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> Node.start('billing')
            'billing@vm'
            pyx(billing@vm)2> Node.stop()
            True
            pyx(3)> exit()
            """
        )

    def test_a_crash_elsewhere_is_logged_with_the_users_frames(self, session: Callable[..., None]) -> None:
        session(
            """
            pyx(1)> _ref = spawn_monitor(product_stock.doubled)
            imported product_stock
            pyx(2)> receive(timeout=5)[4].type
            'TypeError'
            pyx(3)> exit()
            """,
            stderr=(
                "[error] Process #PID<0.2.0> raised an exception\n"
                "TypeError: doubled() missing 1 required positional argument: 'x'\n"
            ),
        )

    def test_dataclasses_typed_at_the_prompt_are_messages(self, session: Callable[..., None]) -> None:
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

    def test_what_the_helpers_say_of_this_node(self, session: Callable[..., None]) -> None:
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

    def test_a_changed_module_is_reloaded(self, session: Callable[..., None]) -> None:
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

    def test_a_running_loop_keeps_its_code(self, session: Callable[..., None]) -> None:
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
            pyx(8)> _ = send(pid, self()); receive(timeout=10)
            1
            pyx(9)> _ = send(spawn(answers.run), self()); receive(timeout=10)
            3
            pyx(10)> exit()
            """
        )

    def test_a_node_of_the_command_line_takes_another_name(self, session: Callable[..., None]) -> None:
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

    def test_an_exit_of_the_shell_itself_is_shown_and_ends_nothing(
        self, session: Callable[..., None]
    ) -> None:
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


class Person:
    """Somebody at a pseudo-terminal."""

    def __init__(self, environment: dict[str, str], cwd: Path, *options: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "pyx", *options],
            env=environment,
            cwd=str(cwd),
            encoding="utf-8",
            timeout=30,
            dimensions=(40, 100),
        )

    def types(self, text: str) -> None:
        self.child.send(text + "\r")

    def sees(self, text: str) -> None:
        self.child.expect_exact(text)


class TestPerson:
    @pytest.fixture
    def person(self, environment: dict[str, str], tmp_path: Path) -> Iterator[Person]:
        made = Person({**environment, "NO_COLOR": "1"}, tmp_path)
        made.sees("pyx(1)> ")
        yield made
        made.child.close(force=True)

    @pytest.mark.parametrize(
        "blocked",
        [
            "receive('never')",
            "__import__('time').sleep(60)",
            "Process.sleep(60)",
            "await __import__('asyncio').sleep(60)",
            "await aio.receive('never')",
            "[0 for _ in iter(int, 1)]",
            "rpc.call(Node.start('gus'), 'time', 'sleep', [60])",
        ],
    )
    def test_ctrl_c_interrupts_and_keeps_everything(self, blocked: str, person: Person) -> None:
        person.types("me = self()")
        person.sees("pyx(2)> ")
        person.types("send(self(), 'kept')")
        person.sees("pyx(3)> ")
        # The print says that the line runs; Ctrl-C just before the call itself interrupts it as well.
        person.types(f"print('run' + 'ning'), {blocked}")
        person.sees("running")
        person.child.sendintr()
        person.sees("KeyboardInterrupt")
        person.child.expect(r"3\)?> ")
        person.types("me == self(), receive(timeout=0)")
        person.sees("(True, 'kept')")

    def test_ctrl_c_clears_the_line_and_ctrl_d_leaves(self, person: Person) -> None:
        person.child.send("half a line")
        person.sees("half a line")
        person.child.sendintr()
        person.types("'the next ' + 'one'")
        person.sees("'the next one'")
        person.sees("pyx(2)> ")
        person.child.sendeof()
        person.child.expect(pexpect.EOF)
        person.child.close()
        assert person.child.exitstatus == 0

    def test_output_appears_above_a_half_typed_line(self, person: Person) -> None:
        person.types("def late():\rreceive()\rprint('from ' + 'elsewhere')\r")
        person.sees("pyx(2)> ")
        person.types("pid = spawn(late)")
        person.sees("pyx(3)> ")
        person.types("timer = Process.send_after(pid, 'go', 0.3)")
        person.sees("pyx(4)> ")
        person.child.send("'ha' 'lf ")
        person.sees("from elsewhere\r\n")
        person.sees("pyx(4)> ")
        person.sees("'ha' 'lf")
        person.types("typed'")
        person.sees("'half typed'")

    def test_input_asks_at_the_terminal(self, person: Person) -> None:
        person.types("input('name? ')")
        person.sees("name? ")
        person.types("bob")
        person.sees("'bob'")

    def test_stderr_and_foreign_threads_do_not_hit_the_line(self, person: Person) -> None:
        person.types("import sys, threading")
        person.sees("pyx(2)> ")
        person.types("late = lambda: print('from a' + ' thread', file=sys.stderr)")
        person.sees("pyx(3)> ")
        person.types("threading.Timer(0.3, late).start()")
        person.sees("pyx(4)> ")
        person.child.send("'ha' 'lf ")
        person.sees("from a thread\r\n")
        person.sees("pyx(4)> ")
        person.sees("'ha' 'lf")

    @pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
    def test_a_signal_leaves_cleanly_from_the_prompt(self, number: int, status: int, person: Person) -> None:
        person.child.kill(number)
        person.child.expect(pexpect.EOF)
        person.child.close()
        assert person.child.exitstatus == status

    def test_sigterm_leaves_from_a_blocked_call(self, person: Person) -> None:
        person.types("print('run' + 'ning'), receive()")
        person.sees("running")
        person.child.kill(signal.SIGTERM)
        person.child.expect(pexpect.EOF)
        person.child.close()
        assert person.child.exitstatus == 143

    def test_exit_gives_its_code(self, person: Person) -> None:
        person.types("exit(5)")
        person.child.expect(pexpect.EOF)
        person.child.close()
        assert person.child.exitstatus == 5

    def test_without_colour_nothing_is_coloured(self, person: Person) -> None:
        person.types("['text', None]")
        person.sees("['text', None]\r\n")

    def test_a_killed_shell_says_so_and_goes_on(self, person: Person) -> None:
        person.types("me = self(); pid = spawn(lambda: Process.exit(me, 'kill'))")
        person.sees("** the shell process #PID<0.1.0> was killed; it is #PID<0.3.0> now")
        person.sees("> ")
        person.types("self()")
        person.sees("#PID<0.3.0>")

    def test_history_lasts(self, person: Person, environment: dict[str, str], tmp_path: Path) -> None:
        person.types("'kept ' + 'statement'")
        person.sees("'kept statement'")
        person.sees("pyx(2)> ")
        person.child.sendeof()
        person.child.expect(pexpect.EOF)
        later = Person(environment, tmp_path)
        later.sees("> ")
        later.child.send("\x1b[A\r")
        later.sees("kept statement")
        later.child.close(force=True)
        assert (tmp_path / "home/.local/state/pyx/history").stat().st_mode & 0o777 == 0o600

    def test_a_dumb_terminal_gets_plain_lines(self, environment: dict[str, str], tmp_path: Path) -> None:
        person = Person({**environment, "TERM": "dumb"}, tmp_path)
        person.sees("pyx(1)> ")
        person.types("6 * 7")
        person.sees("42\r\npyx(2)> ")
        person.child.close(force=True)
