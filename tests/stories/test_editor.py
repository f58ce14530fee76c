"""The editor of the prompt: Tab, suggestions, history."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host
    from tests.stories.terminal import Shell

RIGHT, UP = "\x1b[C", "\x1b[A"


@pytest.fixture(scope="module")
def gus(host: Host) -> Shell:
    """A shell that is connected to another node, and registered by name."""
    host.shell("server")
    (host.home / "hidden").mkdir()
    gus = host.shell("gus")
    gus.type('Node.connect("server"); _ = Process.register(self(), "till")')
    return gus


class TestTab:
    @pytest.mark.parametrize(
        ("typed", "completed"),
        [
            ("Node.disc", "Node.disconnect"),
            ("runt", "runtime_info"),
            ('Node.ping("se', 'Node.ping("server@vm'),
            ('send("ti', 'send("till'),
            ("import text", "import textwrap"),
            ("[1].app", "[1].append"),
            ("open(1, enco", "open(1, encoding="),
            ('open("hid', 'open("hidden/'),
        ],
    )
    def test_tab_completes_names_and_in_strings_those_of_nodes_and_processes(
        self, typed: str, completed: str, gus: Shell
    ) -> None:
        gus.half_type(typed)
        gus.press("\t")
        gus.wait(lambda: gus.prompt.endswith(completed), f"the completion {completed!r}")
        gus.interrupt()

    def test_tab_lists_several_candidates(self, gus: Shell) -> None:
        gus.half_type("Node.mon")
        gus.press("\t")
        gus.wait(lambda: gus.prompt.endswith("Node.monitor"), "the common beginning")
        gus.wait(lambda: "monitor_nodes" in gus.screen.split("\n")[-1], "the candidates below")
        gus.interrupt()


def test_signature_is_below_the_call_that_is_typed_and_the_prompt_stays(gus: Shell) -> None:
    row = gus.prompt_returns()
    gus.half_type("Node.monitor(")
    gus.wait(lambda: gus.screen.endswith("monitor(node, on)"), "the signature")
    assert gus.lines[row].endswith("> Node.monitor("), "the prompt is where it was"
    gus.interrupt()


class TestHistory:
    def test_arrow_up_recalls_statements_of_earlier_sessions(self, lone_host: Host) -> None:
        first = lone_host.shell()
        first.type("def total(stock):\n\n    return sum(stock)\n")
        first.type("total([40, 2])")
        first.press("\x04")
        assert first.leaves() == 0

        second = lone_host.shell()
        second.press(UP)
        second.wait(lambda: second.prompt == "pyx(1)> total([40, 2])", "the last statement")
        second.press(UP)
        second.wait(lambda: second.screen.endswith("...(1)>     return sum(stock)"), "the statement before")
        second.press("\r\r")
        assert second.type("total([40, 2])") == "42"

    def test_rest_of_an_earlier_line_is_suggested(self, lone_host: Host) -> None:
        shell = lone_host.shell()
        shell.type("'a long ' + 'statement'")
        shell.press("'a lo")
        shell.wait(lambda: shell.screen.endswith("pyx(2)> 'a long ' + 'statement'"), "the suggestion")
        assert shell.prompt == "pyx(2)> 'a lo"
        shell.press(RIGHT)
        shell.wait(lambda: shell.prompt == "pyx(2)> 'a long ' + 'statement'", "the suggested line")


WAITS = """\
def w():
    print("run" "ning")
    receive("go")
"""
HALVES = [("abc", "def"), ("x='漢字", "é'"), ("print('from_the_first_to_the_last_", "word')")]


@pytest.mark.parametrize("where", ["n@vm", "server@vm"])
def test_line_typed_ahead_gets_a_line_of_its_own(where: str, host: Host, gus: Shell) -> None:
    """The terminal, 30 columns wide, has shown it before the prompt shows it again."""
    narrow = host.starts_at(30, "--sname", "n@vm")
    if where != "n@vm":
        narrow.paste(f'remsh("{where}")')
    narrow.paste('Process.register(self(), "waits")')
    narrow.paste(WAITS)

    def shown(first: int) -> str:
        return re.sub(r"\s", "", "".join(narrow.lines[first:]))

    def type_ahead(keys: str) -> int:
        narrow.enter("w()")
        narrow.sees("running")
        below = len(narrow.screen.split("\n"))
        narrow.press(keys)
        narrow.wait(lambda: re.sub(r"\s", "", keys) in shown(below), "the echo")
        gus.type(f'send(("waits", "{where}"), "go")')
        return below

    def goes_on(half: str, rest: str) -> None:
        below = type_ahead(half)
        narrow.wait(lambda: shown(below).count(half) == 2, "the prompt")
        narrow.press(rest)
        narrow.wait(lambda: half + rest in shown(below), "the whole line")
        prompt = max(at for at, line in enumerate(narrow.lines) if line.startswith("pyx("))
        assert re.fullmatch(r"pyx\(\S+\)\d+>" + re.escape(half + rest), shown(prompt))
        narrow.press("\x03")
        narrow.prompt_returns()

    for half, rest in HALVES:
        goes_on(half, rest)
    type_ahead("for i in [1, 2]:\r    if i == 2:\r        print('see' 'n', i)\r\r")
    narrow.sees("seen 2")
    narrow.close()


def test_pasted_session_loses_its_prompts_and_its_output(gus: Shell) -> None:
    gus.press("\x1b[200~>>> for i in [1]:\n...     print('see' 'n', i)\n...\nseen 1\n\x1b[201~\r\r")
    gus.sees("seen 1")
    gus.prompt_returns()


OWN_EDITOR = """\
import signal, sys

line, file = sys.argv[1:]
# Blocked until it is waited for: a handler of Python's runs late if the signal comes just before a read.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print(f"editing {line} of {file}", flush=True)
signal.sigwait([signal.SIGINT])
price = input("not interrupted: ")
text = open(file).read()
open(file, "w").write(text.replace("100", price))
sys.exit(int(price == "120"))
"""


def test_own_editor_has_the_terminal_until_it_ends(lone_host: Host, tmp_path: Path) -> None:
    """Ctrl-C is its own; the changed module is reloaded."""
    (tmp_path / "shop.py").write_text("import os\n\ndef price(): return 100\n")
    vi = tmp_path / "vi"
    vi.write_text(f"#!{sys.executable}\n{OWN_EDITOR}")
    vi.chmod(0o700)
    shell = lone_host.shell(cwd=tmp_path, EDITOR=str(vi))
    shell.enter("edit(shop.price)")
    shell.sees(f"editing +3 of {tmp_path}/shop.py")
    shell.press("\x03")
    shell.sees("not interrupted")
    shell.press("120\r")
    shell.sees("vi ended with exit code 1")
    shell.sees("reloaded shop: changed price")
    shell.prompt_returns()
    assert shell.type("shop.price()") == "120"
