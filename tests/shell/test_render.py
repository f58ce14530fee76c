"""render.py: Values as text: layout, limits, control characters, colours."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import ImproperList, Map
from pyx.shell.render import MOST_CHARACTERS, render
from pyx.shell.theme import BOTH
from pyx.terms import Pid, Struct


@dataclass
class Item:
    name: str
    qty: int
    secret: str = field(default="", repr=False)


class Explodes:
    def __repr__(self) -> str:
        msg = "no"
        raise RuntimeError(msg)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([{"name": "nike", "qty": 30}], "[{'name': 'nike', 'qty': 30}]"),
        ({"b": 1, "a": (2,)}, "{'b': 1, 'a': (2,)}"),
        ((), "()"),
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        ("it's", '"it\'s"'),
        (Pid(5), "#PID<0.5.0>"),
        ([Pid(5), Pid(6)], "[#PID<0.5.0>, #PID<0.6.0>]"),
        (Item("nike", 3), "Item(name='nike', qty=3)"),
        (1.5, "1.5"),
        ((Atom("ok"), {Atom("name"): "nike"}), "(:ok, {:name: 'nike'})"),
        (ImproperList([Atom("alias")], 2), "[:alias | 2]"),
        (Map([("a", 1), (Atom("a"), 2)]), "%{'a' => 1, :a => 2}"),
        (Struct("Shop.Item", (("name", "nike"),)), "%Shop.Item{name: 'nike'}"),
    ],
)
def test_short_value_is_its_repr(value: object, text: str) -> None:
    assert render(value) == text
    if not isinstance(value, (Item, list)):
        assert render(value) == repr(value)


def test_long_struct_of_elixir_is_broken_as_in_iex() -> None:
    value = Struct("Shop.Item", (("name", "a" * 20), ("tags", [Atom("new")] * 3), ("a b", Struct("Nil", ()))))
    assert render(value, width=40) == (
        "%Shop.Item{name: 'aaaaaaaaaaaaaaaaaaaa',\n"
        "           tags: [:new, :new, :new],\n"
        '           "a b": %Nil{}}'
    )
    many = Struct("A", tuple((f"f{number}", number) for number in range(200)))
    assert render(many).endswith("... 100 more fields}")


def test_long_value_is_broken_at_the_width_and_stays_a_literal() -> None:
    value = [{"name": f"shoe {number}", "qty": number, "sizes": list(range(20))} for number in range(5)]
    text = render(value, width=60)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert eval(text) == value
    assert text.splitlines()[0] == "[{'name': 'shoe 0',"
    assert text.splitlines()[1] == "  'qty': 0,"


def test_numbers_fill_the_line() -> None:
    text = render(list(range(60)), width=40)
    assert len(text.splitlines()) == 6
    assert all(len(line) <= 40 for line in text.splitlines())


def test_long_dataclass_is_broken_by_fields() -> None:
    assert render(Item("n" * 30, 1), width=30) == f"Item(name='{'n' * 30}',\n     qty=1)"


def test_omitted_items_and_characters_are_counted() -> None:
    assert render(list(range(1000)), width=10**6).endswith(", 99, ... 900 more items]")
    assert render(list(range(101)), width=10**6).endswith(", 99, ... 1 more item]")
    assert render("x" * (MOST_CHARACTERS + 950)).endswith("x'... 950 more characters")
    assert render(b"x" * (MOST_CHARACTERS + 1)).endswith("x'... 1 more byte")
    assert render(dict.fromkeys(range(102), 0), width=10**6).endswith("99: 0, ... 2 more items}")


def test_value_of_many_containers_is_limited_as_a_whole() -> None:
    text = render([[list(range(100))] * 100] * 100)
    assert len(text) < 100_000
    assert "[... 100 items]" in text


def test_cycle_and_deep_nesting_are_cut() -> None:
    cycle: list[Any] = [1]
    cycle.append(cycle)
    assert render(cycle) == "[1, [...]]"
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "... 1 item" in render(deep)


class Cancels:
    def __repr__(self) -> str:
        raise asyncio.CancelledError("no")  # a BaseException, as a program may have its own


def test_repr_that_raises_or_is_huge_is_replaced_or_cut() -> None:
    assert render([Cancels()]) == "[<Cancels object whose repr raised CancelledError: no>]"
    assert render([Explodes()]) == "[<Explodes object whose repr raised RuntimeError: no>]"
    assert "repr raised ValueError" in render(10**5000)

    class Huge:
        def __repr__(self) -> str:
            return "y" * 10**6

    assert render(Huge()).endswith(f"... {10**6 - MOST_CHARACTERS} more characters")


def test_repr_of_several_lines_is_indented_as_a_block() -> None:
    class Table:
        def __repr__(self) -> str:
            return "a b\nc d"

    assert render(Table()) == "a b\nc d"
    assert render([Table(), 1]) == "[a b\n c d,\n 1]"


def test_subclass_of_a_container_is_shown_by_its_own_repr() -> None:
    class Loud(list[int]):
        def __repr__(self) -> str:
            return "LOUD"

    assert render(Loud([1])) == "LOUD"


def test_control_characters_in_a_repr_are_escaped() -> None:
    class Evil:
        def __repr__(self) -> str:
            return "evil\x1b]0;title\x07"

    assert render(Evil()) == "evil^[]0;title^G"


def test_colour_marks_pids_and_strings_and_adds_nothing_else() -> None:
    value = [Pid(5), "text", None]
    coloured = render(value, theme=BOTH)
    assert "\x1b[" in coloured
    assert "#PID<0.5.0>\x1b[" in coloured
    plain = "".join(part.partition("m")[2] for part in ("m" + coloured).split("\x1b["))
    assert plain == repr(value)
