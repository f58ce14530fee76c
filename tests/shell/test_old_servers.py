"""old_servers.py: a reload says which servers still run the class that it has replaced."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from pyx.otp.genserver import GenServer
from pyx.shell.old_servers import servers_of_old_classes
from pyx.shell.project import Project

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from pyx.runtime.local_node import LocalNode

SHOP = "from pyx import GenServer\nclass Shop(GenServer): pass\nclass Other(GenServer): pass\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of a project with two classes of servers."""
    (tmp_path / "reloaded_shop.py").write_text(SHOP)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "reloaded_shop", raising=False)
    module = importlib.import_module("reloaded_shop")
    monkeypatch.setitem(sys.modules, "reloaded_shop", module)
    return module


def test_reload_names_the_servers_that_it_leaves_behind(
    node: LocalNode, shop: ModuleType, tmp_path: Path
) -> None:
    pid = shop.Shop.start()
    shop.Shop.start(name="stock")
    for _ in range(7):
        shop.Other.start()
    first, second = servers_of_old_classes(shop)
    assert (
        first
        == f"2 servers still run the old Shop: {pid}, stock (Sys.change_code(server) gives it the new one)"
    )
    assert second.startswith("7 servers still run the old Other: #PID<")
    assert " and 2 more (" in second
    text = Project(str(tmp_path), lambda _: None, lambda _: None).reload(shop)
    assert text.splitlines()[1:] == [first, second]
    GenServer.stop(pid)
    assert servers_of_old_classes(shop)[0].startswith("1 server still runs the old Shop: stock (")


def test_module_without_servers_says_nothing(node: LocalNode, shop: ModuleType) -> None:
    assert servers_of_old_classes(shop) == []
    assert servers_of_old_classes(sys) == []
