"""small_terms.py: The fast path writes what the general path writes, and refuses what that refuses."""

from __future__ import annotations

import math
import sys
import threading
from random import Random
from typing import Any

import pytest

from pyx import fast_paths
from pyx.atoms import Atom
from pyx.errors import EncodeError
from pyx.terms import Pid, Ref
from pyx.wire.beam.small_terms import small_term
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.beam.term_writer import encode_term
from tests.wire.beam.values import HERE, VALUES, random_value, same


def both(value: object, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Any, Any]:
    """What both paths make of a value: a term, or the sentence that refuses it."""
    outcomes: list[Any] = []
    for enabled in (True, False):
        monkeypatch.setattr(fast_paths, "enabled", enabled)
        try:
            outcomes.append(encode_term(value, HERE, **options))
        except EncodeError as error:
            outcomes.append(str(error))
    fast, general = outcomes
    return fast, general


def nested(depth: int, kind: str) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = (value,) if kind == "tuple" else [value] if kind == "list" else {"in": value}
    return value


def contains_itself() -> list[Any]:
    value: list[Any] = [1]
    value += [value, value]
    return value


def doubled(levels: int) -> Any:
    """A value that is small in memory, and whose term is 2**levels long."""
    value: Any = ("text", 1)
    for _ in range(levels):
        value = [value, value]
    return value


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_terms_are_those_of_the_general_path(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, general = both(value, monkeypatch)
    assert fast == general


@pytest.mark.parametrize("seed", range(10))
def test_terms_of_random_values_are_those_of_the_general_path(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)
    written = 0
    for _ in range(100):
        value = random_value(chance)
        fast, general = both(value, monkeypatch)
        assert fast == general, repr(value)
        written += small_term(value, HERE) is not None
    assert written > 10  # or nothing was compared


@pytest.mark.parametrize(
    "value",
    [
        ("add", {"name": "nike", "n": 3}), ("add", Pid(3), [Pid(4, 1, "a@vm", 9), Ref(2**95), Ref(2**159)]),
        [], (), {}, [[]], ((),), [{}], [True, False, None], 0, 255, 256, -1, 2**31 - 1, -(2**31), 0.0, -0.0,
        "", "a" * 64, "a" * 65, "é" * 64, b"", b"a" * 100, Atom("ok"), {Atom("ok"): Atom("nil"), 300: "x"},
        {"é" * 65: 1}, tuple(range(255)), list(range(255)), dict.fromkeys(range(255)),
    ],
    ids=repr,
)  # fmt: skip
def test_plain_values_take_the_fast_path_and_have_the_same_terms(
    value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, general = both(value, monkeypatch)
    assert small_term(value, HERE) == fast == general


@pytest.mark.parametrize(
    "value",
    [
        math.nan, math.inf, -math.inf, [math.nan], "\ud800", ["\ud800"], {"\ud800": 1},
        Pid(2**32), Pid(1, 2**32), Pid(-1), Ref(2**160), {"a": 1, b"a": 2}, {0.0: 1}, {1.5: 1}, {True: 1},
        {None: 1}, {(1,): 2}, {b"a": 1}, 2**31, -(2**31) - 1, tuple(range(256)), list(range(256)),
        dict.fromkeys(range(256)), object(), nested(9, "tuple"), nested(256, "list"), nested(257, "dict"),
        contains_itself(), doubled(14), ["a" * 1000] * 100, "a" * 100_000, {1, 2}, range(3),
    ],
    ids=range(33),
)  # fmt: skip
def test_other_values_are_left_to_the_general_path(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert small_term(value, HERE) is None
    fast, general = both(value, monkeypatch)
    assert fast == general


def test_local_pids_of_a_node_without_a_name_are_left_to_the_general_path() -> None:
    assert small_term((Pid(1),), None) is None
    with pytest.raises(EncodeError, match="has no name"):
        encode_term((Pid(1),), None)
    there = Pid(1, 0, "a@vm", 7)
    assert small_term(there, None) == encode_term(there, HERE)


@pytest.mark.parametrize("size", [0, 1, 5, 10, 11])
def test_limit_of_the_message_is_kept(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a" * size  # its term is 5 bytes longer
    fast, general = both(text, monkeypatch, max_bytes=15)
    assert fast == general
    assert isinstance(fast, bytes) == (size <= 10)


def test_value_whose_term_is_endless_is_given_up_at_once() -> None:
    assert small_term(doubled(60), HERE) is None
    assert small_term(contains_itself(), HERE) is None


@pytest.mark.parametrize(
    "value",
    [("ok", Atom("ok"), "ok", {Atom("ok"): "ok"}), (1, True, 1.0, 0, False, -0.0), ("nil", None, "true")],
)
def test_equal_values_of_different_types_stay_apart(value: Any) -> None:
    for _ in range(2):  # the second time from what is kept
        term = small_term(value, HERE)
        assert term is not None
        assert same(decode_term(term, 0, (), HERE)[0], value)


def test_containers_that_another_thread_changes_are_written_whole() -> None:
    changing: dict[str, Any] = {}
    items: list[Any] = []
    is_over = threading.Event()

    def change() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            changing[f"key {number % 20}"] = items
            changing.pop(f"key {(number + 9) % 20}", None)
            items.append(number % 300) if len(items) < 20 else items.clear()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(2000):
            data = encode_term((changing, items), HERE)
            assert decode_term(data, 0, (), HERE)[1] == len(data)
    finally:
        is_over.set()
        changer.join()
        sys.setswitchinterval(interval)


def test_kept_texts_are_bounded() -> None:
    for number in range(10_000):
        text = f"text {number}"
        assert small_term(text * 30, HERE) == small_term(text * 30, HERE)
        assert (small_term([text], HERE) or b"").endswith(text.encode() + b"j")
