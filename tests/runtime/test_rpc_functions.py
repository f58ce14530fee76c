"""rpc_functions.py: Functions found by module and name, and which failures are those of the module."""

from __future__ import annotations

import functools
import sys
import time
from typing import TYPE_CHECKING

import pytest

import pyx
from pyx.errors import UndefinedFunction
from pyx.runtime.rpc_functions import find, initial_call, is_coroutine_function

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on the path; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    return tmp_path


class TestFind:
    def test_function_of_a_module_is_found(self) -> None:
        assert find("time", "sleep") is time.sleep

    def test_dots_lead_into_classes_and_packages(self) -> None:
        assert find("builtins", "str.upper") is str.upper
        assert find("os.path", "join")  # type: ignore[truthy-function]

    def test_public_modules_are_found_by_their_names_at_a_prompt(self) -> None:
        assert find("Node", "list") is pyx.Node.list
        assert find("Process", "info") is pyx.Process.info
        assert find("rpc", "call") is pyx.rpc.call

    def test_file_saved_a_moment_ago_is_found(self, project: Path) -> None:
        with pytest.raises(UndefinedFunction):
            find("late_stock", "total")
        (project / "late_stock.py").write_text("def total(): return 42")
        assert find("late_stock", "total")() == 42

    @pytest.mark.parametrize(
        "module", ["nope", "nope.deeper", "os.nope", "", "not a name", "os.", "__main__"]
    )
    def test_missing_module_is_undefined(self, module: str) -> None:
        with pytest.raises(UndefinedFunction) as missing:
            find(module, "f")
        assert (missing.value.module, missing.value.function) == (module, None)
        assert str(missing.value) == f"there is no module {module}"

    @pytest.mark.parametrize("function", ["nope", "path.nope", "name", ""])
    def test_missing_function_is_undefined(self, function: str) -> None:
        with pytest.raises(UndefinedFunction) as missing:
            find("os", function)
        assert str(missing.value) == f"there is no function {function} in module os"

    def test_failing_import_inside_a_module_is_not_undefined(self, project: Path) -> None:
        (project / "poor_stock.py").write_text("import nothing_of_that_name")
        with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
            find("poor_stock", "total")
        (project / "broken_stock.py").write_text("1 / 0")
        with pytest.raises(ZeroDivisionError):
            find("broken_stock", "total")


class Callable:
    async def __call__(self) -> None: ...


async def coroutine(_: int = 0) -> None: ...


class TestIsCoroutineFunction:
    def test_coroutine_functions_in_each_form(self) -> None:
        assert is_coroutine_function(coroutine)
        assert is_coroutine_function(functools.partial(coroutine, 1))
        assert is_coroutine_function(Callable())

    def test_other_functions(self) -> None:
        assert not is_coroutine_function(time.sleep)
        assert not is_coroutine_function(lambda: coroutine())
        assert not is_coroutine_function(Callable)


class TestInitialCall:
    def test_initial_call_of_functions(self) -> None:
        assert initial_call(coroutine, 1) == (__name__, "coroutine", 1)
        assert initial_call(time.sleep, 1) == ("time", "sleep", 1)

    def test_initial_call_of_an_object_without_a_name(self) -> None:
        assert initial_call(functools.partial(coroutine, 1), 0) == ("functools", "partial", 0)
        assert initial_call(Callable(), 0) == (__name__, "Callable", 0)
