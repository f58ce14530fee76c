"""name_files.py: The files of a name that vanish are restored."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx.errors import NameTaken
from tests.local_nodes import (
    LocalNodes,
    connected,
    ping,
    until,
)

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


class TestNameFiles:
    """A logout removes the whole directory, a cleaner of temporary files the old ones."""

    @staticmethod
    def remove(home: str) -> None:
        """Removes all files at once: the node looks by itself, too."""
        shutil.rmtree(Path(home).rename(f"{home}-gone"))

    @staticmethod
    def look(node: LocalNode) -> None:
        """Does what happens each second."""
        transport = node.transport
        assert transport is not None
        assert transport._endpoint is not None
        assert transport._timers._name_files is not None
        node.transport_loop.call(transport._timers._name_files.restore, transport._endpoint)

    def test_node_whose_files_vanished_is_found_again(
        self, nodes: LocalNodes, home: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")
        self.remove(home)
        self.look(a)
        assert caplog.messages == [f"the lock and socket of a@test were missing in {home}: restored"]
        b = nodes.start("b")
        assert ping(b, "a") == "pong"
        with pytest.raises(NameTaken):
            nodes.start("a")
        self.look(a)
        assert len(caplog.messages) == 1

    def test_node_whose_files_vanished_keeps_its_connections(self, nodes: LocalNodes, home: str) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        assert ping(a, "b") == "pong"
        self.remove(home)
        self.look(a)
        self.look(b)
        assert connected(a) == ["b@test"]
        assert ping(b, "a") == "pong"

    def test_files_are_restored_within_the_next_second(
        self, nodes: LocalNodes, home: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        nodes.start("a")
        Path(home, "a@test.lock").unlink()
        until(lambda: caplog.messages == [f"the lock of a@test was missing in {home}: restored"])

    def test_files_that_cannot_be_restored_are_logged_once_with_a_hint(
        self, nodes: LocalNodes, home: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")
        Path(home).chmod(0o755)
        self.look(a)
        self.look(a)
        (line,) = caplog.messages
        assert "new nodes cannot find a@test" in line
        assert f"(hint: chmod 700 {home})" in line
        Path(home).chmod(0o700)
        self.look(a)
        assert caplog.messages == [line, "new nodes find a@test again"]
