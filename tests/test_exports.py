"""__init__.py: The public names: what `import pyx` offers, where it comes from, what it loads."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pyx
from pyx import _PUBLIC_NAMES, errors
from tests.pages import ROOT, USER_PAGES, text

README = text("README.md")
PAGES = "".join(text(page) for page in USER_PAGES)
OF_PYTHON = {"CancelledError", "ContextVar", "SystemExit", "TypeError"}
"""Classes that the pages name and that are not pyx's."""

FOR_VIA = {"register_name", "unregister_name", "whereis_name"}
"""What `via` calls in its module."""

MODULES = {"aio", "beam", "rpc"}
"""Public names that are modules."""


def names_for_type_checkers() -> set[str]:
    """What stands under `if TYPE_CHECKING:` in `pyx/__init__.py`."""
    tree = ast.parse(Path(pyx.__file__).read_text())
    [block] = [one for one in tree.body if isinstance(one, ast.If)]
    return {name.name for one in block.body if isinstance(one, ast.ImportFrom) for name in one.names}


def test_lists_of_public_names_agree() -> None:
    lazy = {name for names in _PUBLIC_NAMES.values() for name in names}
    assert set(pyx.__all__) == lazy | MODULES
    assert names_for_type_checkers() == set(pyx.__all__)
    assert list(pyx.__all__) == sorted(pyx.__all__)


@pytest.mark.parametrize("name", pyx.__all__)
def test_public_name_is_the_object_of_its_module(name: str) -> None:
    value = getattr(pyx, name)
    if name in MODULES:
        assert value is importlib.import_module(f"pyx.{name}")
        return
    [owner] = [module for module, names in _PUBLIC_NAMES.items() if name in names]
    assert value is getattr(importlib.import_module(owner), name)
    assert getattr(pyx, name) is value  # kept, so the second look is an ordinary one


@pytest.mark.parametrize("module", ["primitives", "nodes", "process", "rpc", "aio", "beam"])
def test_names_of_a_public_module_have_docstrings(module: str) -> None:
    public = importlib.import_module(f"pyx.{module}")
    for name in public.__all__:
        assert getattr(public, name).__doc__, f"{name} has no docstring"


def test_public_names_and_their_functions_have_docstrings() -> None:
    for name in pyx.__all__:
        value: Any = getattr(pyx, name)
        assert value.__doc__, f"{name} has no docstring"
        members = vars(value) if isinstance(value, type) and value.__module__.startswith("pyx.") else {}
        for member, function in members.items():
            if isinstance(function, staticmethod):
                assert function.__doc__, f"{name}.{member} has no docstring"


def test_missing_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'pyx' has no attribute 'nope'"):
        pyx.nope  # noqa: B018 - asking is the test
    assert not hasattr(pyx, "nope")


def test_dir_lists_public_names_before_they_are_loaded() -> None:
    assert set(pyx.__all__) <= set(dir(pyx))
    assert "__version__" in dir(pyx)


def test_dir_lists_no_other_name() -> None:
    assert {name for name in dir(pyx) if not name.startswith("__")} == set(pyx.__all__)


class TestNamedInText:
    """Every name in the pages, in a `Raises:` section or in a hint is one that `from pyx import` finds."""

    def test_errors_of_the_tree_are_public(self) -> None:
        classes = {name for name, one in vars(errors).items() if isinstance(one, type)}
        assert {name for name in classes if issubclass(vars(errors)[name], BaseException)} <= set(pyx.__all__)

    def test_names_in_the_readme_exist(self) -> None:
        rows = re.findall(r"^\| (here|`\w+`) \| (.+) \|$", README.partition("## The words")[2], re.MULTILINE)
        words = {owner.strip("`"): re.findall(r"\b[a-zA-Z]\w*\b", text) for owner, text in rows}
        assert list(words) == ["here", "Node", "Process", "rpc", "aio"]
        assert [name for name in words["here"] if name not in pyx.__all__] == []
        twins = words.pop("aio")[3:]  # after "the awaitable twins:"
        assert [name for name in twins if not hasattr(pyx.aio, name)] == []
        for owner in ("Node", "Process", "rpc"):
            assert [name for name in words[owner] if not hasattr(getattr(pyx, owner), name)] == [], owner

    def test_classes_named_in_the_pages_exist(self) -> None:
        camel = set(re.findall(r"`((?:[A-Z][a-z]+){2,})`", PAGES))
        assert {"NodeBusy", "RpcTimeout", "TerminalTaken"} <= camel
        assert camel - OF_PYTHON <= set(pyx.__all__)

    @pytest.mark.parametrize(
        "path", sorted(Path(pyx.__file__).parent.glob("*.py")), ids=lambda path: path.name
    )
    def test_exception_named_in_a_docstring_exists(self, path: Path) -> None:
        for named in re.findall(r"^ +Raises:\n((?: +\S.*\n)+)", path.read_text(), re.MULTILINE):
            for line in re.findall(r"^ +([A-Z]\w+(?:, [A-Z]\w+)*): ", named, re.MULTILINE):
                for name in line.split(", "):
                    assert name in pyx.__all__ or hasattr(builtins, name), name

    @pytest.mark.parametrize(
        "path", sorted(Path(pyx.__file__).parent.rglob("*.py")), ids=lambda path: path.name
    )
    def test_function_named_in_a_hint_exists(self, path: Path) -> None:
        hints = [
            str(keyword.value.value)
            for call in ast.walk(ast.parse(path.read_text()))
            if isinstance(call, ast.Call)
            for keyword in call.keywords
            if keyword.arg == "hint" and isinstance(keyword.value, ast.Constant)
        ]
        for owner, name in re.findall(r"\b(Node|Process|rpc|aio)\.(\w+)", " ".join(hints)):
            assert hasattr(getattr(pyx, owner), name), f"{owner}.{name}"


def loaded_by(code: str) -> set[str]:
    """The modules that are there after *code* and were not before it, in a new Python."""
    program = (
        "import sys, json; before = set(sys.modules); " + code + "; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    return set(json.loads(printed.splitlines()[-1]))


def roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_import_loads_no_other_module_of_pyx() -> None:
    loaded = loaded_by("import pyx; from pyx import __version__; dir(pyx)")
    assert (
        roots(loaded) & {"asyncio", "msgpack", "prompt_toolkit", "pygments", "uvloop", "ssl", "socket"}
        == set()
    )
    assert {module for module in loaded if module.startswith("pyx")} == {"pyx"}


def test_import_starts_no_thread() -> None:
    program = "import threading, pyx; from pyx import Node, rpc, send; print(threading.active_count())"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert printed == "1\n"


def test_node_of_this_host_loads_no_shell_and_no_tls() -> None:
    loaded = loaded_by("from pyx import Node, Process, aio, receive, rpc, send, spawn")
    assert roots(loaded) & {"prompt_toolkit", "pygments", "cryptography"} == set()
    assert {module for module in loaded if module.startswith(("pyx.shell", "pyx.scenario"))} == set()


def test_version_is_that_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert pyx.__version__ == project["version"]


OF_OTP = [name for module, names in _PUBLIC_NAMES.items() if module.startswith("pyx.otp.") for name in names]


@pytest.mark.parametrize("name", OF_OTP)
def test_page_about_otp_names_each_public_name_of_it(name: str) -> None:
    page = text("docs/otp.md")
    assert re.search(rf"\b{name}\b", page)
    thing = getattr(pyx, name)
    if isinstance(thing, type) and not issubclass(thing, BaseException):
        functions = {
            key
            for key, value in vars(thing).items()
            if isinstance(value, (staticmethod, classmethod)) and not key.startswith("_")
        }
        assert {key for key in functions if not re.search(rf"\b{key}\b", page)} - FOR_VIA == set()
