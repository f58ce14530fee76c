"""call_forms.py: a function and its own arguments, or a module, a name and a list; the old form."""

from __future__ import annotations

import functools
import os
from typing import Any, assert_type

import pytest

from pyx import EncodeError, Node, aio, rpc, spawn, spawn_monitor
from pyx.runtime.call_forms import callee, callee_within, named_callee, plain_callee
from pyx.runtime.rpc_client import CallFuture
from pyx.terms import Pid, Ref


def total(stock: list[int], *, currency: str = "EUR") -> str:
    return f"{sum(stock)} {currency}"


def add(one: int, two: int = 0) -> int:
    return one + two


async def price(name: str) -> int:
    return len(name)


class Shop:
    @classmethod
    def opened(cls, *names: str) -> str:
        return f"{cls.__name__}: {names}"

    @classmethod
    def closed(cls) -> None: ...


class Kiosk(Shop):
    """Inherits its class methods."""


def called(target: Any, *rest: Any, **options: Any) -> tuple[Any, ...]:
    module, function, args, kwargs, _ = callee("rpc.call", target, rest, options)
    return module.removeprefix("posix"), function, args, dict(kwargs)


class TestFunction:
    def test_all_that_follows_is_its_own(self) -> None:
        assert called(add, 1, two=2) == (__name__, "add", [1], {"two": 2})
        assert called(os.path.join, "a", "b") == ("path", "join", ["a", "b"], {})
        assert called(add) == (__name__, "add", [], {})
        assert called(total, stock=[1]) == (__name__, "total", [], {"stock": [1]})

    def test_function_that_cannot_be_named_is_refused(self) -> None:
        with pytest.raises(EncodeError, match="bound to an object"):
            called([].append, 1)

    def test_method_of_a_class_is_named_by_the_class_that_it_is_bound_to(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert called(Shop.opened, 1) == (__name__, "Shop.opened", [1], {})
        assert called(Kiosk.opened) == (__name__, "Kiosk.opened", [], {})
        before = Shop.closed
        monkeypatch.setattr(Shop, "closed", Shop.opened)
        with pytest.raises(EncodeError, match=r"is not what .*Shop\.closed is now"):
            called(before)
        typed: Any = type("Stand", (Shop,), {"__module__": "remsh_3fa9c1"})
        with pytest.raises(EncodeError, match="is of a class that was typed here") as refused:
            called(typed.opened)
        assert refused.value.hint == "put the class into a module"

    def test_partial_is_refused_with_what_to_do(self) -> None:
        with pytest.raises(EncodeError, match="is not a function that has a name") as refused:
            called(functools.partial(add, 1))
        assert refused.value.hint is not None
        assert "send the function and the arguments" in refused.value.hint

    def test_class_of_a_prompt_is_refused_with_what_to_do(self) -> None:
        typed = type("Order", (), {"__module__": "remsh_3fa9c1"})
        with pytest.raises(EncodeError, match="a class that was typed here") as refused:
            called(typed, 1)
        assert refused.value.hint == "put the class into a module"


class TestName:
    @pytest.mark.parametrize("module", ["os.path", os.path])
    def test_arguments_come_as_one_list(self, module: Any) -> None:
        assert called(module, "join", ["a", "b"])[1:] == ("join", ["a", "b"], {})
        assert called(module, "join", ("a", "b"))[1:] == ("join", ["a", "b"], {})
        assert called(module, "join", args=["a", "b"])[1:] == ("join", ["a", "b"], {})
        assert called(module, function="join", args=["a"])[1:] == ("join", ["a"], {})
        assert called(module, "join")[1:] == ("join", [], {})
        assert called(module, "join", ["a"], kwargs={"b": 1})[1:] == ("join", ["a"], {"b": 1})

    @pytest.mark.parametrize("target", ["os", 1, None])
    @pytest.mark.parametrize("rest", [(), (1,), (["getpid"],)])
    def test_call_that_names_no_function_is_refused(self, target: Any, rest: tuple[Any, ...]) -> None:
        with pytest.raises(TypeError, match=r'rpc\.call takes a function and its arguments, or `module, "f'):
            called(target, *rest)

    @pytest.mark.parametrize("rest", [(1,), (1, 2), ([1], [2]), ("ab",)])
    def test_arguments_not_in_one_list_are_refused(self, rest: tuple[Any, ...]) -> None:
        with pytest.raises(TypeError, match="after a function's name its arguments come as one list"):
            called("os", "getpid", *rest)

    def test_keyword_argument_outside_of_kwargs_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"spawn has no option x here: .* come as kwargs=\{\.\.\.\}"):
            named_callee("spawn", "os", ("getpid",), {"x": 1})

    @pytest.mark.parametrize("kwargs", [[1], {1: 2}, "ab"])
    def test_kwargs_that_are_not_a_dict_of_names_are_refused(self, kwargs: Any) -> None:
        with pytest.raises(TypeError, match="kwargs is a dict with names as its keys"):
            called("os", "getpid", kwargs=kwargs)

    def test_time_limit_is_an_option_of_this_form_alone(self) -> None:
        def seconds(target: Any, *rest: Any, limit: float | None = None, **options: Any) -> float | None:
            return callee_within("rpc.call", target, rest, options, limit)[1]

        assert seconds("os", "getpid", [], timeout=0.5) == 0.5
        assert seconds("os", "getpid", [], 0.5) == 0.5
        assert seconds("os", "getpid", limit=2) == 2
        assert seconds("os", "getpid", timeout=0.5, limit=2) == 0.5
        assert seconds(add, 1, limit=2) == 2
        with pytest.raises(ValueError, match="timeout is a number of seconds"):
            seconds("os", "getpid", timeout=-1)


class TestOldForm:
    """`rpc.call(node, f, [1])` was `f(1)`; it would silently become `f([1])`."""

    @pytest.mark.parametrize("args", [[1], [1, 2], (1,)])
    def test_list_that_was_the_arguments_is_refused_with_the_new_form(self, args: Any) -> None:
        items = ", ".join(map(repr, args))
        with pytest.raises(TypeError) as refused:
            called(add, args)
        assert str(refused.value) == (
            f"rpc.call(node, add, {args!r}) once meant add({items}), and would now mean add({args!r}): "
            f"write rpc.call(node, add, {items}); "
            f"or, for the sequence as the argument, rpc.call(node, add, one={args!r})"
        )

    def test_empty_list_for_a_function_without_arguments_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"rpc\.call\(node, getpid\); .* \"posix\", \"getpid\", \[\[\]\]"):
            called(os.getpid, [])

    @pytest.mark.parametrize("stock", [[], [1, 2], [[1]]])
    def test_list_that_can_only_be_the_argument_passes(self, stock: list[Any]) -> None:
        if len(stock) == 1:  # total([1]) in both forms: which was meant?
            with pytest.raises(TypeError, match=r"rpc\.call\(node, total, stock=\[\[1\]\]\)"):
                called(total, stock)
        else:
            assert called(total, stock)[2] == [stock]
        assert called(total, stock=stock)[3] == {"stock": stock}
        assert called(total, stock, currency="EUR")[2] == [stock]

    @pytest.mark.parametrize("option", ["timeout", "args"])
    def test_option_that_the_function_does_not_take_is_refused(self, option: str) -> None:
        with pytest.raises(TypeError, match=f"^{option}= after a function is its own argument, and add does"):
            called(add, 1, **{option: 2})
        assert called(dict, **{option: 2})[3] == {option: 2}


def test_types_are_inferred() -> None:
    """For mypy: nothing here is called."""

    async def body() -> None:
        assert_type(rpc.call("b", add, 1, two=2), int)
        assert_type(rpc.call("b", price, "nike"), int)
        assert_type(rpc.within(1).call("b", total, [1], currency="EUR"), str)
        assert_type(rpc.async_call("b", add, 1), CallFuture[int])
        assert_type(await rpc.async_call("b", add, 1), int)
        assert_type(await aio.rpc.call("b", add, 1), int)
        assert_type(await aio.rpc.within(1).call("b", price, "nike"), int)
        assert_type(spawn(add, 1, two=2), Pid)
        assert_type(spawn_monitor("os", "getpid", []), tuple[Pid, Ref])
        assert_type(spawn(lambda: print("hi")), Pid)
        assert_type(Node.spawn("b", add, 1), Pid)
        assert_type(await aio.Node.spawn("b", "os", "getpid", kwargs={}), Pid)
        rpc.call("b", add, "1")  # type: ignore[call-overload]
        spawn(add, 1, three=3)  # type: ignore[call-arg]

    assert body.__name__ == "body"


class Unhashable(type):
    """A class whose hash is code of its own."""

    def __hash__(cls) -> int:
        raise AssertionError("it ran")


class Odd(metaclass=Unhashable):
    """An argument that nothing may look into."""


class TestPlainCallee:
    @pytest.mark.parametrize(
        ("target", "rest"),
        [
            ("shop", ("total", [1, 2])),
            ("os.path", ("join", [])),
            (add, ()),
            (add, (1,)),
            (add, (1, 2)),
            (os.path.join, ("a", "b")),
        ],
    )
    def test_frequent_calls_are_what_callee_makes_of_them(self, target: Any, rest: tuple[Any, ...]) -> None:
        general = callee("rpc.call", target, rest, {})
        assert plain_callee(target, rest) == (general.module, general.function, general.args)

    @pytest.mark.parametrize(
        ("target", "rest"),
        [
            ("shop", ("total",)),
            ("shop", ("total", (1, 2))),
            ("shop", ("total", [1], 0.5)),
            ("shop", (7, [])),
            ("shop", ()),
            (os, ("getpid", [])),
            (os.getpid, ()),
            (total, ([1, 2],)),
            (total, ((1, 2),)),
            (lambda: None, ()),
            (Odd, ()),
            (Pid, (1,)),
        ],
    )
    def test_all_others_are_left_to_callee(self, target: Any, rest: tuple[Any, ...]) -> None:
        assert plain_callee(target, rest) is None

    def test_function_that_its_name_does_not_find_is_left_to_callee(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = add
        monkeypatch.setitem(globals(), "add", lambda: None)
        assert plain_callee(before, (1,)) is None

    def test_no_code_of_an_argument_runs(self) -> None:
        assert plain_callee(add, (Odd(),)) is not None
