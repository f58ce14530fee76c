"""What is no data is refused at the call, with the path to it; sealing is safe from threads and re-entry."""

from __future__ import annotations

import collections
import dataclasses
import socket
import threading
from datetime import datetime, tzinfo
from typing import Any

import msgpack
import pytest

from pyx.errors import EncodeError
from pyx.signals import Letter
from pyx.terms import Struct
from pyx.wire.codec import open_letter, seal
from pyx.wire.opening import MARKS


@dataclasses.dataclass
class Item:
    name: Any
    qty: Any = 1


class Zone(tzinfo):
    """Its methods are user code."""


class Text(str):
    __slots__ = ()


def refusal(value: object) -> str:
    with pytest.raises(EncodeError) as caught:
        seal(value)
    return str(caught.value)


class TestRefusals:
    def test_the_path_leads_to_it(self) -> None:
        with socket.socket() as conn:
            with pytest.raises(EncodeError) as caught:
                seal(("add", {"conn": conn}))
            assert caught.value.path == "message[1]['conn']"
            assert caught.value.value is conn
            assert str(caught.value).startswith("cannot send message[1]['conn']: <socket.socket ")
            assert str(caught.value).endswith("is not data")

    def test_the_caller_may_name_the_root(self) -> None:
        with pytest.raises(
            EncodeError, match=r"^cannot send arguments\[0\]: <object object at .*> is not data$"
        ):
            seal((object(),), what="arguments")

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
            (Text("a"), "cannot send message: 'a' is not data"),
            (collections.OrderedDict(a=1), "is not data"),
            (collections.defaultdict(list), "is not data"),
            (collections.deque(), "cannot send message: deque([]) is not data"),
            (range(3), "cannot send message: range(0, 3) is not data"),
            (..., "cannot send message: Ellipsis is not data"),
            (datetime(2024, 1, 1, tzinfo=Zone()),
             "has a time zone of a class of its own (Zone)"),
            (memoryview(b"abcd")[::2], "is not contiguous: send bytes(view)"),
            ({"f": print, "g": lambda: 1}, "is a lambda, and functions travel by name"),
        ],
    )  # fmt: skip
    def test_each_names_its_place_and_its_reason(self, value: Any, sentence: str) -> None:
        assert sentence in refusal(value)

    @pytest.mark.parametrize("surrogate", ["", "\ud800"])
    def test_the_first_of_several_is_named(self, surrogate: str) -> None:
        assert refusal((surrogate, [1j], 2j)) == "cannot send message[1][0]: 1j is not data"

    def test_a_cycle_is_shown_where_it_closes(self) -> None:
        cycle: list[Any] = [1]
        cycle.append({"again": cycle})
        assert refusal(cycle).startswith("cannot send message[1]['again']: ")
        assert refusal(cycle).endswith("contains itself")

    def test_a_cycle_through_objects_too(self) -> None:
        item = Item("nike")
        item.qty = (item,)
        assert refusal(("add", item)).startswith("cannot send message[1].qty[0]: ")
        assert refusal(item).endswith("contains itself")

    def test_what_changes_while_it_is_sealed_is_no_crash(self) -> None:
        class Shouting(Exception):
            def __str__(self) -> str:
                shared.clear()
                return "boo"

        shared: dict[Any, Any] = {}
        shared.update({1: Shouting(), 2: 2})
        with pytest.raises(EncodeError, match="could not be packed"):
            seal(shared)


class TestForgedMarks:
    """A marker in user data, alone or as a key, is refused."""

    @pytest.mark.parametrize("code", [*MARKS, 0, 50, 127])
    @pytest.mark.parametrize(
        "payload", [b"\0", b"", b"\0\0", b"x" * 4, b"x" * 8, b"x" * 16, b"x" * 300, b"x" * 70000]
    )
    def test_an_ext_is_no_data(self, code: int, payload: bytes) -> None:
        ext = msgpack.ExtType(code, payload)
        assert "is not data" in refusal(ext)
        assert "cannot send message[1][0]: " in refusal((1, [ext, 2]))
        assert "cannot send a key of message: " in refusal({ext: 1})
        assert "cannot send a member of message: " in refusal({ext})

    @pytest.mark.parametrize("seconds", [0, 2**33, 2**40, -1])
    def test_a_timestamp_is_no_data(self, seconds: int) -> None:
        stamp = msgpack.Timestamp(seconds, 5)
        assert "cannot send message[0]: " in refusal([stamp])
        assert "is not data" in refusal((b"\xd4" * 20, {stamp: 1}))

    def test_beside_bytes_that_look_like_marks(self) -> None:
        look_alike = bytes(range(0xC7, 0xDA)) * 3
        assert open_letter(Letter(seal((look_alike, 0xD4, -45.5))), None) == (look_alike, 0xD4, -45.5)
        assert "cannot send message[1]: " in refusal((look_alike, msgpack.ExtType(1, b"\0")))
        assert "cannot send message[1]: " in refusal(("\ud800", msgpack.ExtType(1, b"\0")))


class TestOwnership:
    """Packers are owned by one call at a time."""

    def test_threads_do_not_meet_each_others_bytes(self) -> None:
        wrong: list[Any] = []

        def work(number: int) -> None:
            value = [(number, "x" * number, {number: (number,)})] * 20
            wrong.extend(number for _ in range(200) if open_letter(Letter(seal(value)), None) != value)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_one_that_seals_while_its_thread_is_sealing(self) -> None:
        inner: list[bytes] = []

        class Sealing(Exception):
            def __str__(self) -> str:
                inner.append(seal(("inner", (1,))))
                return "text"

        outer = seal(("outer", Sealing(), (2,)))
        assert open_letter(Letter(inner[0]), None) == ("inner", (1,))
        assert open_letter(Letter(outer), None)[::2] == ("outer", (2,))

    def test_after_a_refusal_the_next_message_is_whole(self) -> None:
        for _ in range(3):
            refusal(("x" * 1000, object()))
            assert open_letter(Letter(seal(("a", "b"))), None) == ("a", "b")

    def test_large_messages(self) -> None:
        value = [("x" * 100_000, b"\xd4" * 100_000), list(range(100_000))]
        assert open_letter(Letter(seal(value)), None) == value
