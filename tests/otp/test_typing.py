"""handle.py, client_functions.py, results.py, task.py, agent.py: Type checkers infer what is taken and given.

The sample runs under mypy (strict) and pyright; each line with a comment has exactly that error, or type.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE: Final = """\
from __future__ import annotations

from typing import Any, reveal_type

from pyx import Continue, GenServer, NoReply, Pid, Reply, Stop, handle


class Stock(GenServer):
    def init(self, items: dict[str, int] | None = None) -> None:
        self.items = dict(items or {})
        if not self.items:
            raise Continue("fill")

    @handle.call
    def add(self, name: str, qty: int = 1) -> int:
        reveal_type(self.items[name])  # int
        return self.items.get(name, 0) + qty

    @handle.call(raises=(KeyError,))
    def take(self, name: str) -> int:
        if name == "all":
            return Stop("normal", reply=0)
        if name == "later":
            return NoReply
        if name == "soon":
            return Reply(1, timeout=2.0)
        one: int = self.add("one")
        return one

    @handle.call
    async def find(self, name: str) -> list[str]:
        return [name]

    @handle.cast
    def clear(self, *, all_of_them: bool = False) -> None:
        if all_of_them:
            raise Stop("shutdown")

    def handle_info(self, message: Any) -> None: ...


def right(pid: Pid) -> None:
    reveal_type(Stock.add("stock", "nike", 3))  # int
    reveal_type(Stock.take(("stock", "server"), "nike"))  # int
    reveal_type(Stock.find(pid, "nike"))  # list[str]
    reveal_type(Stock.add.within(0.5)(pid, "nike"))  # int
    reveal_type(Stock.clear("stock", all_of_them=True))  # str
    reveal_type(GenServer.harness(Stock, {"nike": 1}).add("nike"))  # int


async def awaited() -> None:
    reveal_type(await Stock.add.aio("stock", "nike"))  # int
    reveal_type(await Stock.find.within(None).aio("stock", "nike"))  # list[str]


def wrong() -> None:
    Stock.add("stock", 3)  # error
    Stock.add("stock")  # error
    Stock.add("stock", "nike", amount=3)  # error
    Stock.add(7, "nike")  # error
    Stock.clear("stock", True)  # error
    x: str = Stock.add("stock", "nike")  # error
    del x
"""

TASKS: Final = """\
from __future__ import annotations

from typing import reveal_type

from pyx import Agent, Pid, Task


def price(shop: str, discount: int = 0) -> int:
    return len(shop) - discount


async def fetched(shop: str) -> list[str]:
    return [shop]


def stocked(state: dict[str, int], name: str) -> int:
    return state[name]


def right(pid: Pid) -> None:
    reveal_type(Task.await_(Task.async_(price, "nike")))  # int
    reveal_type(Task.await_(Task.async_(fetched, "nike")))  # list[str]
    reveal_type(Task.await_many([Task.async_(price, "nike")]))  # list[int]
    reveal_type(Task.await_(Task.Supervisor.async_(("tasks", "b"), price, "nike", discount=1)))  # int
    reveal_type(Task.await_(Task.Supervisor.async_nolink(pid, fetched, "nike")))  # list[str]
    reveal_type(Agent.get("stock", stocked, "nike"))  # int
    reveal_type(Agent.update("stock", stocked, "nike"))  # str


async def awaited() -> None:
    reveal_type(await Task.async_(fetched, "nike"))  # list[str]


def wrong() -> None:
    Task.async_(price, 3)  # error
    Task.async_(price, "nike", rebate=1)  # error
    Task.Supervisor.async_("tasks", price)  # error
    Agent.get("stock", stocked, 3)  # error
    x: str = Task.await_(Task.async_(price, "nike"))  # error
    del x
"""


def errors_in(sample: str) -> set[int]:
    """The lines that say they have an error."""
    return {line for line, text in enumerate(sample.splitlines(), 1) if text.endswith("# error")}


def types_in(sample: str) -> dict[int, str]:
    """The types that lines say they reveal."""
    return {
        line: text.partition("# ")[2]
        for line, text in enumerate(sample.splitlines(), 1)
        if "reveal_type(" in text
    }


def mypy(sample: Path) -> tuple[set[int], dict[int, str]]:
    """The lines with errors, and the types by line."""
    if find_spec("mypy") is None:
        pytest.skip("mypy is not installed (the extra `lint`)")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(sample)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=sample.parent, check=False)
    errors = {int(found) for found in re.findall(r"sample\.py:(\d+): error", result.stdout)}
    revealed = re.findall(r'sample\.py:(\d+): note: Revealed type is "(.*)"', result.stdout)
    assert revealed, result.stdout + result.stderr
    return errors, {int(line): kind.replace("builtins.", "") for line, kind in revealed}


def pyright(sample: Path) -> tuple[set[int], dict[int, str]]:
    """The same; `basedpyright` is pyright in a package that brings its own runtime."""
    if find_spec("basedpyright") is None:
        pytest.skip("basedpyright is not installed (the extra `lint`)")
    (sample.parent / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        str(sample),
    ]
    result = subprocess.run(command, capture_output=True, text=True, cwd=sample.parent, check=False)
    errors, types = set(), {}
    for found in json.loads(result.stdout)["generalDiagnostics"]:
        line = found["range"]["start"]["line"] + 1
        if found["severity"] == "error":
            errors.add(line)
        elif revealed := re.match(r'Type of ".*" is "(.*)"$', found["message"], re.DOTALL):
            types[line] = revealed[1]
    return errors, types


@pytest.mark.parametrize("text", [SAMPLE, TASKS], ids=["servers", "tasks"])
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_public_functions_are_typed_by_what_they_call(checker: object, text: str, tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text(text)
    assert callable(checker)
    errors, types = checker(sample)
    assert types == types_in(text)
    assert errors == errors_in(text)
