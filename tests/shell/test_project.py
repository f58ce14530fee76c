"""project.py: Modules by bare name, hidden ones, reloading."""

from __future__ import annotations

import ast
import builtins
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import PyxError
from pyx.shell.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ProjectPrompt:
    """A project directory, the globals of its prompt, and the lines that were shown."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shown: list[str] = []
        self.warned: list[str] = []
        self.names: dict[str, Any] = {}
        self.project = Project(str(root), self.shown.append, self.warned.append)

    def write(self, name: str, source: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")

    def type(self, source: str) -> None:
        self.project.bind_names(ast.parse(source), self.names, vars(builtins))


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[ProjectPrompt]:
    path, modules = list(sys.path), set(sys.modules)
    yield ProjectPrompt(tmp_path)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


class TestProgramFolder:
    def test_program_folder_comes_first_and_the_project_last(
        self, prompt: ProjectPrompt, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = str(tmp_path_factory.mktemp("program"))
        prompt.project.install(folder)
        assert (sys.path[0], sys.path[-1]) == (folder, str(prompt.root))

    def test_program_folder_that_is_the_project_is_listed_once_and_warns_of_nothing(
        self, prompt: ProjectPrompt
    ) -> None:
        prompt.write("colorsys.py", "x = 5")  # a name that an installed module has
        prompt.project.install(str(prompt.root))
        assert (sys.path[0], sys.path.count(str(prompt.root))) == (str(prompt.root), 1)
        assert prompt.warned == []


def test_module_is_imported_when_its_name_is_read(prompt: ProjectPrompt) -> None:
    prompt.write("pyx_stock.py", "x = 5")
    prompt.project.install()
    prompt.type("y = 1")
    assert prompt.names == {}
    prompt.type("pyx_stock.x + 1")
    assert prompt.names["pyx_stock"].x == 5
    assert prompt.shown == ["imported pyx_stock"]


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
def test_name_that_the_statement_binds_is_not_imported(prompt: ProjectPrompt, source: str) -> None:
    prompt.write("pyx_stock.py", "x = 5")
    prompt.project.install()
    prompt.type(source)
    assert prompt.shown == []


def test_module_is_imported_when_read_before_its_name_is_bound(prompt: ProjectPrompt) -> None:
    prompt.write("pyx_stock.py", "x = 5")
    prompt.project.install()
    prompt.type("old = pyx_stock.x; pyx_stock = pyx_stock.x")
    assert prompt.shown == ["imported pyx_stock"]


def test_bound_name_is_not_imported(prompt: ProjectPrompt) -> None:
    prompt.write("pyx_stock.py", "")
    prompt.write("len.py", "")
    prompt.project.install()
    prompt.names["pyx_stock"] = 7
    prompt.type("pyx_stock, len")
    assert prompt.shown == []
    assert prompt.names == {"pyx_stock": 7}


def test_packages_are_modules_and_files_of_tools_are_not(prompt: ProjectPrompt) -> None:
    prompt.write("pyx_shop/__init__.py", "")
    prompt.write("conftest.py", "")
    prompt.write("noxfile.py", "")
    prompt.write("setup.py", "1 / 0")
    prompt.write("no-module.py", "")
    prompt.write("data/file.txt", "")
    assert prompt.project.module_names() == ["pyx_shop"]


def test_modules_of_src_are_imported(prompt: ProjectPrompt) -> None:
    prompt.write("src/pyx_stock.py", "")
    project = Project(str(prompt.root), prompt.shown.append, prompt.warned.append)
    assert project.module_names() == ["pyx_stock"]
    project.install()
    assert sys.path[-1] == str(prompt.root / "src")


def test_project_moves_from_the_front_of_sys_path_to_its_end(prompt: ProjectPrompt) -> None:
    sys.path.insert(0, str(prompt.root))
    prompt.project.install()
    assert sys.path[-1] == str(prompt.root)
    assert sys.path.count(str(prompt.root)) == 1
    assert "" not in sys.path


def test_hidden_module_is_warned_about_once_and_not_bound(prompt: ProjectPrompt) -> None:
    prompt.write("queue.py", "")
    prompt.project.install()
    prompt.type("queue")
    prompt.type("import queue")
    assert len(prompt.warned) == 1
    assert prompt.warned[0].startswith("queue.py is hidden by the module queue (")
    assert prompt.names == {}


def test_hidden_package_is_warned_about_when_it_is_used(prompt: ProjectPrompt) -> None:
    prompt.write("queue/__init__.py", "")
    prompt.project.install()
    assert prompt.warned == []
    prompt.type("import queue")
    assert prompt.warned[0].startswith("queue is hidden by the module queue (")


def test_error_inside_a_module_reaches_the_user(prompt: ProjectPrompt) -> None:
    prompt.write("pyx_stock.py", "import pyx_no_such_module")
    prompt.project.install()
    with pytest.raises(ModuleNotFoundError, match="pyx_no_such_module"):
        prompt.type("pyx_stock")


class TestReload:
    def test_reload_returns_what_changed(self, prompt: ProjectPrompt) -> None:
        prompt.write(
            "pyx_stock.py", "def a(): return 1\ndef b(): return 1\ndef c(): return 1\nclass D: x = 1\n"
        )
        prompt.project.install()
        prompt.type("pyx_stock")
        prompt.write("pyx_stock.py", "def a(): return 2\ndef b(): return 1\nclass D: x = 2\ndef e(): pass\n")
        module = prompt.names["pyx_stock"]
        assert prompt.project.reload(module) == "reloaded pyx_stock: changed a, D; new e; gone c"
        assert module.a() == 2
        assert not hasattr(module, "c")

    def test_edit_within_the_same_second_and_of_the_same_size_is_noticed(self, prompt: ProjectPrompt) -> None:
        prompt.write("pyx_stock.py", "def a(): return 1\n")
        prompt.project.install()
        prompt.type("pyx_stock")
        for number in range(2, 6):
            prompt.write("pyx_stock.py", f"def a(): return {number}\n")
            prompt.project.reload("pyx_stock")
            assert prompt.names["pyx_stock"].a() == number

    def test_old_code_stays_when_the_new_code_fails(self, prompt: ProjectPrompt) -> None:
        prompt.write("pyx_stock.py", "def a(): return 1\n")
        prompt.project.install()
        prompt.type("pyx_stock")
        prompt.write("pyx_stock.py", "def a(): return 2\nb = 1\n1 / 0\n")
        with pytest.raises(ZeroDivisionError):
            prompt.project.reload("pyx_stock")
        assert prompt.names["pyx_stock"].a() == 1
        assert not hasattr(prompt.names["pyx_stock"], "b")

    def test_reload_rejects_other_types(self, prompt: ProjectPrompt) -> None:
        with pytest.raises(TypeError, match="a module or its name, not 5"):
            prompt.project.reload(5)

    def test_program_itself_is_refused_with_what_to_do(
        self, prompt: ProjectPrompt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prompt.write("pyx_program.py", "def a(): return 1\n")
        prompt.project.install()
        program = types.ModuleType("__main__")
        program.__file__ = str(prompt.project.root / "pyx_program.py")
        monkeypatch.setitem(sys.modules, "pyx_program", program)
        with pytest.raises(PyxError, match="the program itself is not reloaded: restart it"):
            prompt.project.reload("pyx_program")
        assert prompt.project.recompile() == []
        prompt.write("pyx_program.py", "def a(): return 2\n")
        assert prompt.project.recompile() == []

    def test_recompile_reloads_changed_modules_only(self, prompt: ProjectPrompt) -> None:
        prompt.write("pyx_stock.py", "def a(): return 1\n")
        prompt.write("pyx_pos.py", "def a(): return 1\n")
        prompt.project.install()
        prompt.type("pyx_stock, pyx_pos")
        assert prompt.project.recompile() == []
        prompt.write("pyx_stock.py", "def a(): return 2\n")
        assert prompt.project.recompile() == ["reloaded pyx_stock: changed a"]
        assert prompt.project.recompile() == []

    def test_touched_file_is_not_reloaded(self, prompt: ProjectPrompt) -> None:
        prompt.write("pyx_stock.py", "def a(): return 1\n")
        prompt.project.install()
        prompt.type("pyx_stock")
        prompt.write("pyx_stock.py", "def a(): return 1\n")
        assert prompt.project.recompile() == []
