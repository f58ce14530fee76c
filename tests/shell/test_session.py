"""Real shells: whole sessions through pipes, and a person's terminal through a pseudo-terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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
    def session(self, environment: dict[str, str], tmp_path: Path) -> object:
        def run(typed: str, *options: str) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "pyx", "-i", *options],
                input=typed,
                capture_output=True,
                text=True,
                env=environment,
                cwd=tmp_path,
                timeout=60,
                check=False,
            )
            assert done.stderr == ""
            return done.stdout

        return run

    def test_a_process_a_name_and_a_reply(self, session: Callable[..., str]) -> None:
        shown = session(
            "pid = spawn(product_stock, 'handle_stock', [[]])\n"
            "Process.register(pid, 'product_stock')\n"
            "send('product_stock', ('add', {'name': 'nike', 'qty': 30}))\n"
            "send(self(), pid)\n"
            "flush()\n"
            "flush()\n"
            "Process.info(self(), 'messages')\n"
            "pid == receive\n",
            "--sname", "server",
        )  # fmt: skip
        prompts = [f"pyx(server@{_host()}){number}> " for number in range(1, 10)]
        assert shown == (
            f"{prompts[0]}imported product_stock\n"
            f"{prompts[1]}True\n"
            f"{prompts[2]}('add', {{'name': 'nike', 'qty': 30}})\n"
            f"{prompts[3]}#PID<0.2.0>\n"
            f"{prompts[4]}#PID<0.2.0>\n"
            f"{prompts[5]}{prompts[6]}('messages', [])\n"
            f"{prompts[7]}False\n"
            f"{prompts[8]}\n"
        )

    def test_a_users_pid_hides_the_helper(self, session: Callable[..., str]) -> None:
        shown = session("pid = 1\npid\ndel pid\npid('0.1.0') == self()\n")
        assert shown == "pyx(1)> pyx(2)> 1\npyx(3)> pyx(4)> True\npyx(5)> \n"

    def test_await_runs_under_the_shells_pid(self, session: Callable[..., str]) -> None:
        shown = session(
            "send(self(), 'hi')\nawait aio.receive()\nasync def me(): return self()\n\nawait me() == self()\n"
        )
        assert shown == "pyx(1)> 'hi'\npyx(2)> 'hi'\npyx(3)> ...(3)> pyx(4)> True\npyx(5)> \n"

    def test_the_prompt_follows_the_node(self, session: Callable[..., str]) -> None:
        host = _host()
        assert session("Node.start('billing')\nNode.stop()\n") == (
            f"pyx(1)> 'billing@{host}'\npyx(billing@{host})2> True\npyx(3)> \n"
        )

    def test_a_crash_elsewhere_is_shown_with_the_users_frames(self, session: Callable[..., str]) -> None:
        shown = session("_ref = spawn_monitor(product_stock.doubled)\nreceive(timeout=5)[4].type\n")
        assert "[error] Process #PID<0.2.0> raised an exception\n" in shown
        assert "TypeError: doubled() missing 1 required positional argument: 'x'\n" in shown
        assert shown.endswith("'TypeError'\npyx(3)> \n")
        assert "/pyx/runtime/" not in shown

    def test_dataclasses_typed_at_the_prompt_are_messages(self, session: Callable[..., str]) -> None:
        shown = session(
            "from dataclasses import dataclass\n"
            "@dataclass\nclass Item:\n    name: str\n\n"
            "send(self(), Item('nike'))\nreceive(Item)\n"
        )
        assert shown.count("Item(name='nike')\n") == 2

    def test_what_the_helpers_say_of_this_node(self, session: Callable[..., str]) -> None:
        shown = session("i(self())\nruntime_info()\n", "--sname", "gus")
        assert f"node               gus@{_host()} (here)\n" in shown
        assert f"node        gus@{_host()}\n" in shown

    def test_a_changed_module_is_reloaded(self, session: Callable[..., str], tmp_path: Path) -> None:
        edit = "import pathlib; p = pathlib.Path('product_stock.py'); _n = p.write_text(p.read_text().replace('2 *', '3 *'))"
        shown = session(f"product_stock.doubled(5)\n{edit}\nrecompile()\nproduct_stock.doubled(5)\n")
        assert "10\n" in shown
        assert "reloaded product_stock: changed doubled\n" in shown
        assert shown.endswith("15\npyx(5)> \n")


def _host() -> str:
    import socket

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
            "receive()",
            "__import__('time').sleep(60)",
            "Process.sleep(60)",
            "await __import__('asyncio').sleep(60)",
            "await aio.receive()",
            "[0 for _ in iter(int, 1)]",
            "rpc.call(Node.start('gus'), 'time', 'sleep', [60])",
        ],
    )
    def test_ctrl_c_interrupts_and_keeps_everything(self, blocked: str, person: Person) -> None:
        person.types("me = self()")
        person.sees("pyx(2)> ")
        person.types("send(self(), 'kept')")
        person.sees("pyx(3)> ")
        # The print says that the line runs; what comes a moment before the call itself is interrupted as well.
        person.types(f"print('run' + 'ning'), {blocked}")
        person.sees("running")
        person.child.sendintr()
        person.sees("KeyboardInterrupt")
        person.sees("3> ")
        person.types("me == self(), receive(timeout=0)")
        person.sees("(True, 'kept')")

    def test_ctrl_c_at_the_prompt_clears_the_line_and_ctrl_d_leaves(self, person: Person) -> None:
        person.child.send("half a line")
        person.sees("half a line")
        person.child.sendintr()
        person.sees("pyx(1)> ")
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
        person.sees("pyx(4)> 'ha' 'lf ")
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
        person.types("threading.Timer(0.3, lambda: print('from a' + ' thread', file=sys.stderr)).start()")
        person.sees("pyx(3)> ")
        person.child.send("'ha' 'lf ")
        person.sees("from a thread\r\n")
        person.sees("pyx(3)> 'ha' 'lf ")

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
