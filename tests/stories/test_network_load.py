"""network_load.py, arrived_modules.py: `nl(module)` brings a module's source to all nodes, if asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pyx.errors import PyxError
from pyx.runtime.arrived_modules import load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host


@pytest.fixture(autouse=True)
def forget() -> None:
    for name in [name for name in sys.modules if name.startswith("came_from_afar")]:
        del sys.modules[name]


def test_module_is_loaded_and_reloaded_on_all_open_nodes(lone_host: Host, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def price():\n    return 30\n")
    near = lone_host.shell("near", cwd=tmp_path)
    far = lone_host.shell("far")
    shut = lone_host.shell("shut", "--rpc", "exported")
    near.type("Node.connect('far'), Node.connect('shut')")
    near.press("nl(shop)\r")
    assert near.sees("[y/N]") == "load shop (2 lines) on far@vm, shut@vm? [y/N]"
    near.press("y\r")
    assert near.sees("far@vm: loaded shop")
    assert near.sees("shut@vm refuses calls of functions that are not marked")
    near.prompt_returns()
    assert far.type("import shop; shop.price()") == "30"
    assert shut.type("'shop' in __import__('sys').modules") == "False"
    (tmp_path / "shop.py").write_text("def price():\n    return 1 / 0\n")
    near.press("nl('shop')\r")
    near.sees("[y/N]")
    near.press("y\r")
    assert near.sees("far@vm: reloaded shop")
    near.prompt_returns()
    failed = near.type("rpc.call('far', 'shop', 'price')")
    assert 'File "<shop.py of near@vm>", line 2, in price' in failed
    assert "return 1 / 0" in failed


def test_nothing_is_loaded_without_a_yes(lone_host: Host, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("x = 1\n")
    near = lone_host.shell("near", cwd=tmp_path)
    far = lone_host.shell("far")
    assert near.type("nl(shop)").endswith("no nodes are connected")
    near.type("Node.connect('far')")
    near.press("nl(shop)\r")
    near.sees("[y/N]")
    near.press("\r")
    near.prompt_returns()
    assert far.type("'shop' in __import__('sys').modules") == "False"
    assert near.type("nl(5)").startswith("TypeError: nl() takes a module or its name")
    assert near.type("import json; nl(json)").startswith("PyxError: json is not a file of source")


class TestLoad:
    def test_module_that_fails_is_not_there(self) -> None:
        with pytest.raises(ZeroDivisionError):
            load("came_from_afar", "x = 1 / 0", "<came_from_afar.py of a@test>")
        assert "came_from_afar" not in sys.modules

    def test_module_that_fails_anew_is_as_it_was(self) -> None:
        assert load("came_from_afar", "x = 1\ny = 2", "<f of a@test>") == "loaded"
        with pytest.raises(NameError):
            load("came_from_afar", "x = 3\nnowhere", "<f of a@test>")
        module = sys.modules["came_from_afar"]
        assert (module.x, module.y) == (1, 2)
        assert load("came_from_afar", "x = 4", "<f of a@test>") == "reloaded"
        assert (module.x, module.y) == (4, 2)

    def test_module_of_a_package_needs_the_package(self) -> None:
        assert load("email.came_from_afar", "x = 1", "<f of a@test>") == "loaded"
        import email

        assert email.came_from_afar.x == 1  # type: ignore[attr-defined]
        del sys.modules["email.came_from_afar"]
        with pytest.raises(ModuleNotFoundError, match="came_from_afar"):
            load("came_from_afar.inner", "x = 1", "<f of a@test>")

    @pytest.mark.parametrize("name", ["email", "__main__"])
    def test_package_and_program_are_refused(self, name: str) -> None:
        __import__("email")
        with pytest.raises(PyxError, match=f"{name} is (a package|the program) here"):
            load(name, "x = 1", "<f of a@test>")
