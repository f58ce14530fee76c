"""The editor of the prompt: Tab, suggestions, history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.host import Host
    from tests.stories.terminal import Shell

RIGHT, UP = "\x1b[C", "\x1b[A"


@pytest.fixture(scope="module")
def gus(host: Host) -> Shell:
    """A shell that is connected to another node, and registered by name."""
    host.shell("server")
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
