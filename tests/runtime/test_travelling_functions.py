"""travelling_functions.py, arrived_functions.py: functions of no module, as data and back."""

from __future__ import annotations

import builtins
import linecache
import math
import threading
import traceback
import types
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pyx import EncodeError, Node, RemoteError, RpcRefused, RpcUndefined, receive, rpc
from pyx import self as own_pid
from pyx.runtime import arrived_functions
from pyx.runtime.arrived_functions import unpacked
from pyx.runtime.travelling_functions import packed
from pyx.wire.codec import decode
from tests.local_nodes import HANG, LocalNodes, as_process, encoded

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode

_numbers = count(1)


def typed(source: str, name: str = "f", **names: Any) -> Any:
    """What *name* is after *source* was typed at a prompt that has *names*."""
    file = f"<pyx {next(_numbers)} of a test>"
    linecache.cache[file] = (len(source), None, f"{source}\n".splitlines(keepends=True), file)
    scope = {"__name__": "__main__", **names}
    exec(compile(source, file, "exec", dont_inherit=True), scope)
    return scope[name]


def travelled(function: Any) -> Any:
    """The function as another node has it."""
    return unpacked(decode(encoded(packed(function)), None), "gus@vm")


class Money(NamedTuple):
    amount: int


class TestValues:
    def test_globals_are_copies(self) -> None:
        stock = [1, 2]
        function = typed("def f(n):\n    stock.append(n)\n    return stock", stock=stock)
        assert travelled(function)(3) == [1, 2, 3]
        assert stock == [1, 2]

    def test_modules_classes_and_functions_of_modules_come_by_name(self) -> None:
        function = typed("f = lambda: (math, Money, floor, len, upper)", math=math, Money=Money,
                         floor=math.floor, upper=str.upper)  # fmt: skip
        assert travelled(function)() == (math, Money, math.floor, len, str.upper)

    def test_last_value_of_a_prompt_is_a_copy_and_what_each_python_has_is_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(builtins, "_", [3], raising=False)
        _, [(_, used)], _ = packed(typed("f = lambda: len(_)"))
        assert used == {"_": ("data", [3])}

    def test_source_of_a_later_python_is_refused_with_both_named(self) -> None:
        functions, namespaces, cells = packed(typed("f = lambda: 1"))
        [(how, (text, *where))] = functions
        assert text == "lambda: 1"
        with pytest.raises(
            SyntaxError, match=r"this node runs Python 3\.\S+, which cannot compile <pyx \d+ of "
        ):
            unpacked(([(how, ("lambda: 1 if", *where))], namespaces, cells), "gus@vm")

    def test_attributes_are_not_taken_for_globals(self) -> None:
        function = typed("f = lambda x: x.real", real=threading.Lock())
        assert travelled(function)(3) == 3

    def test_defaults_and_free_variables_come_along(self) -> None:
        function = typed(
            "def make(n):\n    def f(x, y=[1], *, z=(2,)): return n, x, y, z\n    return f\nf = make(5)"
        )
        assert travelled(function)(0) == (5, 0, [1], (2,))

    def test_functions_call_themselves_and_each_other(self) -> None:
        source = (
            "def even(n): return n == 0 or odd(n - 1)\n"
            "def odd(n): return n != 0 and even(n - 1)\n"
            "def make():\n    def fact(n): return 1 if n == 0 else n * fact(n - 1)\n    return fact\n"
            "fact = make()\n"
            "def f(n): return even(n), odd(n), fact(n)"
        )
        assert travelled(typed(source))(4) == (True, False, 24)

    def test_function_inside_uses_globals_too(self) -> None:
        assert travelled(typed("f = lambda: [(lambda: rate * x)() for x in (1, 2)]", rate=3))() == [3, 6]

    def test_redefined_function_travels_as_it_is_now_and_the_old_one_as_it_was(self) -> None:
        old = typed("def f(): return 'old'")
        new = typed("def f(): return 'new'")
        assert (travelled(old)(), travelled(new)()) == ("old", "new")

    def test_free_variable_without_a_value_stays_without(self) -> None:
        function = typed(
            "def make():\n    g = lambda: later\n    if False: later = 1\n    return g\nf = make()"
        )
        with pytest.raises(NameError, match="later"):
            travelled(function)()

    def test_decorator_has_done_its_work_here(self) -> None:
        source = "def twice(f):\n    return lambda x: f(f(x))\n@twice\ndef f(x): return x + 1"
        assert travelled(typed(source))(0) == 2

    def test_function_of_a_module_that_is_a_lambda_travels(self) -> None:
        rate = 7
        assert travelled(lambda x: x * rate)(2) == 14

    def test_function_that_has_arrived_travels_on(self) -> None:
        there = travelled(typed("def f(x): return x * rate", rate=2))
        assert travelled(there)(4) == 8


class TestRefusals:
    @pytest.mark.parametrize(
        ("source", "names", "why"),
        [
            (
                "f = lambda: lock",
                {"lock": threading.Lock()},
                r"uses lock: <unlocked .* is not data",
            ),
            (
                "f = lambda: all_[1]",
                {"all_": [1, threading.Lock()]},
                r"uses all_\[1\]: <unlocked",
            ),
            ("f = lambda x=lock: x", {"lock": threading.Lock()}, r"uses a default of <lambda>: <unlocked"),
            ("def f(*, y=lock): pass", {"lock": threading.Lock()}, r"uses the default of y: <unlocked"),
            ("class A: pass\nf = lambda: A()", {}, "uses A, a class that was typed here"),
            ("f = lambda: m", {"m": types.ModuleType("__main__")}, "uses m, which is this prompt"),
            ("f = eval('lambda: 1')", {}, "has no source: <string>"),
            ("g = eval('lambda: 1')\nf = lambda: g()", {}, "has no source: <string>"),
        ],
    )
    def test_what_cannot_travel_is_named(self, source: str, names: dict[str, Any], why: str) -> None:
        with pytest.raises(EncodeError, match=f"cannot send function: .*{why}") as refused:
            packed(typed(source, **names))
        assert refused.value.hint

    def test_malformed_value_is_refused(self) -> None:
        functions, _, cells = packed(typed("f = lambda: x", x=1))
        with pytest.raises(ValueError, match="malformed value of a function"):
            unpacked((functions, [("__main__", {"x": ("code", b"")})], cells), "gus@vm")


class TestTracebacks:
    def test_lines_are_those_of_the_prompt(self) -> None:
        function = travelled(typed("\n\ndef f(n):\n    return 1 / n"))
        with pytest.raises(ZeroDivisionError) as failed:
            function(0)
        last = traceback.extract_tb(failed.value.__traceback__)[-1]
        assert (last.lineno, last.line) == (4, "return 1 / n")
        assert last.filename.endswith(" of a test of gus@vm>")

    def test_lines_of_the_latest_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(arrived_functions, "FILES_KEPT", 2)
        files = [travelled(typed("f = lambda: 1")).__code__.co_filename for _ in range(3)]
        assert [file in linecache.cache for file in files] == [False, True, True]


class TestOnAnotherNode:
    @pytest.fixture
    def two(self, nodes: LocalNodes) -> tuple[LocalNode, LocalNode]:
        return nodes.start("a"), nodes.start("b")

    def test_call_and_spawn_run_it(self, two: tuple[LocalNode, LocalNode]) -> None:
        function = typed(
            "def f(x, *, to=None):\n    if to: send(to, x)\n    return x * rate", rate=3, send=_send
        )

        def body() -> Any:
            pid = Node.spawn("b", function, 1, to=own_pid())
            return pid.node, receive(timeout=HANG), rpc.call("b", function, 2)

        assert as_process(two[0], body) == ("b@test", 1, 6)
        assert rpc.multicall(["a", "b"], function, 2) == ([6, 6], [])
        assert rpc.async_call("b", function, 2).result(HANG) == 6

    def test_async_def_runs_on_the_process_loop(self, two: tuple[LocalNode, LocalNode]) -> None:
        function = typed("import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x")
        assert rpc.call("b", function, 5) == 5

    def test_missing_module_there_is_named(
        self, two: tuple[LocalNode, LocalNode], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        function = typed("f = lambda: shop", shop=types.ModuleType("shop_of_nowhere"))
        with pytest.raises(RpcUndefined, match="b@test has no module shop_of_nowhere"):
            rpc.call("b", function)

    def test_error_shows_what_was_typed(self, two: tuple[LocalNode, LocalNode]) -> None:
        with pytest.raises(RemoteError) as failed:
            rpc.call("b", typed("def f(n): return 1 / n"), 0)
        assert "def f(n): return 1 / n" in failed.value.traceback
        assert "pyx/runtime" not in failed.value.traceback

    @pytest.mark.parametrize("policy", ["exported", "off"])
    def test_node_that_is_not_open_refuses_it(self, policy: str, nodes: LocalNodes) -> None:
        nodes.start("a")
        nodes.start("b", rpc=policy)
        sentence = rf"b@test refuses functions that come as source \(it runs with --rpc {policy}\)"
        with pytest.raises(RpcRefused, match=sentence):
            rpc.call("b", typed("f = lambda: 1"))
        with pytest.raises(RpcRefused, match=sentence):
            rpc.async_call("b", typed("f = lambda: 1")).result(HANG)
        assert [str(each)[:40] for each in rpc.multicall(["b"], typed("f = lambda: 1"))[0]] == [
            "b@test refuses functions that come as so"
        ]


def _send(to: Any, message: Any) -> None:
    from pyx import send

    send(to, message)
