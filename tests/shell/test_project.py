"""project.py: Modules by bare name, hidden ones, reloading."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyx.shell.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Desk:
    """A project directory, a prompt's two dicts, and what was said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []
        self.warned: list[str] = []
        self.names: dict[str, Any] = {}
        self.project = Project(str(root), self.said.append, self.warned.append)

    def write(self, name: str, source: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")

    def type(self, source: str) -> None:
        self.project.bind_names(ast.parse(source), self.names, vars(builtins))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    path, modules = list(sys.path), set(sys.modules)
    yield Desk(tmp_path)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


class TestAProgramsFolder:
    def test_comes_first_and_the_project_last(
        self, desk: Desk, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = str(tmp_path_factory.mktemp("program"))
        desk.project.install(folder)
        assert (sys.path[0], sys.path[-1]) == (folder, str(desk.root))

    def test_is_there_once_and_hides_nothing_where_it_is_the_project(self, desk: Desk) -> None:
        desk.write("colorsys.py", "x = 5")  # a name that an installed module has
        desk.project.install(str(desk.root))
        assert (sys.path[0], sys.path.count(str(desk.root))) == (str(desk.root), 1)
        assert desk.warned == []


def test_a_module_is_imported_when_its_name_is_read(desk: Desk) -> None:
    desk.write("pyx_stock.py", "x = 5")
    desk.project.install()
    desk.type("y = 1")
    assert desk.names == {}
    desk.type("pyx_stock.x + 1")
    assert desk.names["pyx_stock"].x == 5
    assert desk.said == ["imported pyx_stock"]


@pytest.mark.parametrize(
    "source",
    [
        "pyx_stock = 3; pyx_stock",
        "def pyx_stock(): pass",
        "def f(pyx_stock): return pyx_stock",
        "[pyx_stock for pyx_stock in ()]",
        "f = lambda pyx_stock: pyx_stock; pyx_stock = 3; x = pyx_stock",
        "import json as pyx_stock; pyx_stock",
        "match 1:\n    case pyx_stock: pyx_stock",
        "'pyx_stock'",
    ],
)
def test_a_name_that_the_statement_binds_is_left_alone(desk: Desk, source: str) -> None:
    desk.write("pyx_stock.py", "x = 5")
    desk.project.install()
    desk.type(source)
    assert desk.said == []


def test_a_value_is_read_before_its_name_is_bound(desk: Desk) -> None:
    desk.write("pyx_stock.py", "x = 5")
    desk.project.install()
    desk.type("old = pyx_stock.x; pyx_stock = pyx_stock.x")
    assert desk.said == ["imported pyx_stock"]


def test_a_name_that_is_bound_is_left_alone(desk: Desk) -> None:
    desk.write("pyx_stock.py", "")
    desk.write("len.py", "")
    desk.project.install()
    desk.names["pyx_stock"] = 7
    desk.type("pyx_stock, len")
    assert desk.said == []
    assert desk.names == {"pyx_stock": 7}


def test_packages_count_and_tools_files_do_not(desk: Desk) -> None:
    desk.write("pyx_shop/__init__.py", "")
    desk.write("conftest.py", "")
    desk.write("noxfile.py", "")
    desk.write("setup.py", "1 / 0")
    desk.write("no-module.py", "")
    desk.write("data/file.txt", "")
    assert desk.project.module_names() == ["pyx_shop"]


def test_src_is_where_the_modules_are(desk: Desk) -> None:
    desk.write("src/pyx_stock.py", "")
    project = Project(str(desk.root), desk.said.append, desk.warned.append)
    assert project.module_names() == ["pyx_stock"]
    project.install()
    assert sys.path[-1] == str(desk.root / "src")


def test_the_directory_stands_at_the_end_even_if_it_stood_in_front(desk: Desk) -> None:
    sys.path.insert(0, str(desk.root))
    desk.project.install()
    assert sys.path[-1] == str(desk.root)
    assert sys.path.count(str(desk.root)) == 1
    assert "" not in sys.path


def test_a_hidden_module_is_named_once_and_not_bound(desk: Desk) -> None:
    desk.write("queue.py", "")
    desk.project.install()
    desk.type("queue")
    desk.type("import queue")
    assert len(desk.warned) == 1
    assert desk.warned[0].startswith("queue.py is hidden by the module queue (")
    assert desk.names == {}


def test_a_hidden_package_is_named_when_it_is_used(desk: Desk) -> None:
    desk.write("queue/__init__.py", "")
    desk.project.install()
    assert desk.warned == []
    desk.type("import queue")
    assert desk.warned[0].startswith("queue is hidden by the module queue (")


def test_what_fails_inside_the_module_is_the_users_error(desk: Desk) -> None:
    desk.write("pyx_stock.py", "import pyx_no_such_module")
    desk.project.install()
    with pytest.raises(ModuleNotFoundError, match="pyx_no_such_module"):
        desk.type("pyx_stock")


class TestReload:
    def test_says_what_changed(self, desk: Desk) -> None:
        desk.write(
            "pyx_stock.py", "def a(): return 1\ndef b(): return 1\ndef c(): return 1\nclass D: x = 1\n"
        )
        desk.project.install()
        desk.type("pyx_stock")
        desk.write("pyx_stock.py", "def a(): return 2\ndef b(): return 1\nclass D: x = 2\ndef e(): pass\n")
        module = desk.names["pyx_stock"]
        assert desk.project.reload(module) == "reloaded pyx_stock: changed a, D; new e; gone c"
        assert module.a() == 2
        assert not hasattr(module, "c")

    def test_an_edit_within_the_same_second_and_of_the_same_size_is_seen(self, desk: Desk) -> None:
        desk.write("pyx_stock.py", "def a(): return 1\n")
        desk.project.install()
        desk.type("pyx_stock")
        for number in range(2, 6):
            desk.write("pyx_stock.py", f"def a(): return {number}\n")
            desk.project.reload("pyx_stock")
            assert desk.names["pyx_stock"].a() == number

    def test_when_the_new_code_fails_the_old_stays(self, desk: Desk) -> None:
        desk.write("pyx_stock.py", "def a(): return 1\n")
        desk.project.install()
        desk.type("pyx_stock")
        desk.write("pyx_stock.py", "def a(): return 2\nb = 1\n1 / 0\n")
        with pytest.raises(ZeroDivisionError):
            desk.project.reload("pyx_stock")
        assert desk.names["pyx_stock"].a() == 1
        assert not hasattr(desk.names["pyx_stock"], "b")

    def test_takes_a_module_or_its_name_only(self, desk: Desk) -> None:
        with pytest.raises(TypeError, match="a module or its name, not 5"):
            desk.project.reload(5)

    def test_recompile_reloads_what_changed_only(self, desk: Desk) -> None:
        desk.write("pyx_stock.py", "def a(): return 1\n")
        desk.write("pyx_pos.py", "def a(): return 1\n")
        desk.project.install()
        desk.type("pyx_stock, pyx_pos")
        assert desk.project.recompile() == []
        desk.write("pyx_stock.py", "def a(): return 2\n")
        assert desk.project.recompile() == ["reloaded pyx_stock: changed a"]
        assert desk.project.recompile() == []

    def test_a_touched_file_did_not_change(self, desk: Desk) -> None:
        desk.write("pyx_stock.py", "def a(): return 1\n")
        desk.project.install()
        desk.type("pyx_stock")
        desk.write("pyx_stock.py", "def a(): return 1\n")
        assert desk.project.recompile() == []
