"""loaded_files.py: `c("file.py")`: a module of any directory, loaded, loaded again, reloaded, refused."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from pyx import PyxError
from pyx.shell.loaded_files import LoadedFiles
from pyx.shell.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


class Prompt:
    """A prompt that loads files."""

    def __init__(self, directory: str) -> None:
        self.said: list[str] = []
        self.files = LoadedFiles()
        self.project = Project(directory, self.said.append, self.said.append)

    def c(self, file: Path | str) -> ModuleType:
        return self.files.load(str(file), self.project.reload, self.said.append)


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[Prompt]:
    before = dict(sys.modules)
    made = Prompt(str(tmp_path))
    yield made
    if made.files in sys.meta_path:
        sys.meta_path.remove(made.files)
    for name in set(sys.modules) - set(before):
        del sys.modules[name]


def test_file_becomes_a_module_and_is_loaded_again(prompt: Prompt, tmp_path: Path) -> None:
    file = tmp_path / "odd_shop.py"
    file.write_text("def price(): return 100\n")
    module = prompt.c(file)
    assert module is sys.modules["odd_shop"]
    assert module.price() == 100
    file.write_text("def price(): return 1200\n")
    assert prompt.c(file) is module
    assert module.price() == 1200
    file.write_text("def price(): return 3\n")
    assert prompt.project.reload("odd_shop") == "reloaded odd_shop: changed price"
    assert importlib.import_module("odd_shop") is module
    assert prompt.said == [f"loaded odd_shop from {file}", "reloaded odd_shop: changed price"]


def test_failed_load_leaves_no_module_and_may_be_repeated(prompt: Prompt, tmp_path: Path) -> None:
    file = tmp_path / "odd_broken.py"
    file.write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        prompt.c(file)
    assert "odd_broken" not in sys.modules
    file.write_text("raise SystemExit(4)\n")
    with pytest.raises(PyxError, match=r"odd_broken\.py calls exit\(\), so it is not loaded"):
        prompt.c(file)
    assert "odd_broken" not in sys.modules
    file.write_text("fine = True\n")
    assert prompt.c(file).fine


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nope.py", "there is no file"),
        ("notes.txt", "cannot be a module"),
        ("two words.py", "cannot be a module"),
        ("json.py", "there is a module json already, of"),
        ("wave.py", "a module wave would be imported from"),
    ],
)
def test_refused_file_is_one_clear_line(prompt: Prompt, tmp_path: Path, name: str, sentence: str) -> None:
    if name != "nope.py":
        (tmp_path / name).touch()
    sys.modules.pop("wave", None)
    with pytest.raises(PyxError) as refused:
        prompt.c(tmp_path / name)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
