"""process_table.py, node_table.py, text_table.py: `ps()` and `nodes()` at the prompt."""

from __future__ import annotations

import re

import pytest

from pyx import Node, Process, receive, send, spawn
from pyx.errors import RpcRefused, RpcTimeout
from pyx.shell import process_table as module
from pyx.shell.node_table import node_table
from pyx.shell.process_table import process_table
from pyx.shell.text_table import text_table
from tests.local_nodes import LocalNodes, as_process


def _wait() -> None:
    receive("end")


class TestProcesses:
    def test_the_fullest_mailbox_is_first_with_its_bytes(self, nodes: LocalNodes) -> None:
        node = nodes.start("a")

        def shown() -> list[str]:
            pids = [spawn(_wait) for _ in range(3)]
            Process.register(pids[1], "stock")
            for _ in range(2):
                send(pids[1], ["x" * 1000])
            return process_table(None, 50).splitlines()

        head, first, *others = as_process(node, shown)
        assert head.split() == ["pid", "name", "messages", "bytes", "age", "function"]
        pid, name, messages, size, unit, age, function = first.split()
        assert (name, messages, unit) == ("stock", "2", "B")
        assert re.fullmatch(r"0:\d\d", age)
        assert pid.startswith("#PID<0.")
        assert int(size) > 2000
        assert function.startswith(f"{__name__}._wait")
        assert len(others) == 3

    def test_those_that_are_not_shown_are_counted(self, nodes: LocalNodes) -> None:
        node = nodes.start("a")

        def shown() -> str:
            for _ in range(9):
                spawn(_wait)
            return process_table(None, 3)

        assert as_process(node, shown).endswith("... 7 more (of 10); ps(most=10) shows all\n")

    def test_another_node_is_asked(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        b = nodes.start("b")
        as_process(b, lambda: Process.register(spawn(_wait), "far"))
        assert " far " in as_process(a, lambda: process_table("b", 50))

    def test_a_node_that_does_not_answer_is_waited_for_some_seconds(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a = nodes.start("a")
        nodes.start("b")
        monkeypatch.setattr(module, "ANSWER_SECONDS", 0.01)
        with pytest.raises(RpcTimeout, match=r"no answer from b@test within 0\.02 s"):
            as_process(a, lambda: module.run_on("b", _wait, seconds=0.01))

    def test_a_node_that_refuses_says_what_to_do(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        nodes.start("b", rpc="exported")
        with pytest.raises(RpcRefused) as refused:
            as_process(a, lambda: process_table("b", 50))
        assert "--rpc open" in (refused.value.hint or "")


class TestNodes:
    def test_a_connected_node_has_a_round_trip_and_bytes(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        nodes.start("b")

        def shown() -> str:
            Node.ping("b")
            return node_table()

        row = as_process(a, shown).splitlines()[1].split()
        assert row[:2] == ["b@test", "up"]
        assert row[3] == "ms"
        assert float(row[2]) > 0
        assert int(row[5]) > 0

    def test_without_peers_that_is_said(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        assert as_process(a, node_table) == "no node is connected\n"


def test_columns_are_as_wide_as_their_cells() -> None:
    table = text_table(("name", "n"), [("a", "1"), ("longer", "1000")], right=(1,))
    assert table == "name       n\na          1\nlonger  1000\n"
