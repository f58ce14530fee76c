"""encode_errors.py: A value that is not data is refused at the call, with its path and the reason."""

from __future__ import annotations

import collections
import dataclasses
import socket
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.terms import Struct
from pyx.wire.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclasses.dataclass
class Item:
    name: Any
    qty: Any = 1


class Zone(tzinfo):
    """Its methods are user code."""


class Text(str):
    __slots__ = ()


def error_of(value: object) -> str:
    with pytest.raises(EncodeError) as caught:
        encode(value)
    return str(caught.value)


class TestEncodeErrors:
    def test_path_leads_to_the_value(self) -> None:
        with socket.socket() as conn:
            with pytest.raises(EncodeError) as caught:
                encode(("add", {"conn": conn}))
            assert caught.value.path == "message[1]['conn']"
            assert caught.value.value is conn
            assert str(caught.value).startswith("cannot send message[1]['conn']: <socket.socket ")
            assert str(caught.value).endswith("is not data")

    @pytest.mark.parametrize("value", [(n for n in [1]), map(str, [1]), iter([1]), iter({1: 2}.items())])
    def test_iterator_has_its_hint(self, value: object) -> None:
        with pytest.raises(EncodeError, match="is not data") as caught:
            encode(["rows", value])
        assert caught.value.hint == "send a list of what it yields: list(...)"

    def test_asynchronous_generator_has_its_hint(self) -> None:
        async def rows() -> AsyncIterator[int]:
            yield 1

        with pytest.raises(EncodeError, match="is not data") as caught:
            encode(rows())
        assert caught.value.hint == "send a list of what it yields: [item async for item in ...]"

    def test_hint_runs_no_code_of_the_object(self) -> None:
        class Hostile:
            def __getattribute__(self, name: str) -> object:
                raise AssertionError(name)

        with pytest.raises(EncodeError) as caught:
            encode(Hostile())
        assert caught.value.hint == "make its class a dataclass, or send a dict of its fields"

    def test_caller_may_name_the_root_of_the_path(self) -> None:
        with pytest.raises(
            EncodeError, match=r"^cannot send arguments\[0\]: <object object at .* is not data"
        ):
            encode((object(),), what="arguments")

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ([[1, 2j]], "cannot send message[0][1]: 2j is not data"),
            ({(1, 2j): 0}, "cannot send a key of message[1]: 2j is not data"),
            ({1: {2j}}, "cannot send a member of message[1]: 2j is not data"),
            (Item("nike", 2j), "cannot send message.qty: 2j is not data"),
            ([Item(Item(2j))], "cannot send message[0].name.name: 2j is not data"),
            (Struct("a.B", (("x", 2j),)), "cannot send message['x']: 2j is not data"),
            ({frozenset([1]): 2j}, "cannot send message[<frozenset>]: 2j is not data"),
            ({1 << 20000: 2j}, "cannot send message[<int>]: 2j is not data"),
            (Text("a"), "cannot send message: 'a' is not data: its class is a subclass of str"),
            (collections.OrderedDict(a=1), "is not data: its class is a subclass of dict"),
            (collections.defaultdict(list), "is not data: its class is a subclass of dict"),
            (collections.Counter(), "cannot send message: Counter() is not data: its class is"),
            (collections.deque(), "cannot send message: deque([]) is not data"),
            (range(3), "cannot send message: range(0, 3) is not data"),
            (..., "cannot send message: Ellipsis is not data"),
            (datetime(2024, 1, 1, tzinfo=Zone()),  # type: ignore[abstract]

             "has a time zone of a user-defined class (Zone)"),
            ({"f": print, "g": lambda: 1}, "is a lambda, and functions in data travel by name"),
        ],
    )  # fmt: skip
    def test_error_names_the_path_and_the_reason(self, value: Any, sentence: str) -> None:
        assert sentence in error_of(value)

    @pytest.mark.parametrize("surrogate", ["", "\ud800"])
    def test_first_value_that_is_not_data_is_named(self, surrogate: str) -> None:
        assert error_of((surrogate, [1j], 2j)) == "cannot send message[1][0]: 1j is not data"

    def test_cycle_is_named_where_it_closes(self) -> None:
        cycle: list[Any] = [1]
        cycle.append({"again": cycle})
        assert error_of(cycle).startswith("cannot send message[1]['again']: ")
        assert error_of(cycle).endswith("contains itself")

    def test_cycle_through_objects_is_named(self) -> None:
        item = Item("nike")
        item.qty = (item,)
        assert error_of(("add", item)).startswith("cannot send message[1].qty[0]: ")
        assert error_of(item).endswith("contains itself")

    def test_shared_parts_are_searched_once(self) -> None:
        shared: list[Any] = [1]
        for _ in range(200):
            shared = [shared, shared]
        with pytest.raises(EncodeError) as caught:
            encode([shared, 1j], max_bytes=2**300)
        assert caught.value.path == "message[1]"

    def test_value_that_changes_while_it_is_encoded_is_sent(self) -> None:
        class Shouting(Exception):
            def __str__(self) -> str:
                shared.clear()
                return "boo"

        shared: dict[Any, Any] = {}
        shared.update({1: Shouting(), 2: 2})
        assert decode(Payload(encode(shared)), None) == {}
