"""decode.py: A malformed value of any kind raises DecodeError."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from pyx.errors import DecodeError
from pyx.signals import Payload
from pyx.terms import Incarnation
from pyx.wire.codec import decode
from pyx.wire.messages import format

HERE = Incarnation("here@vm", 7)


def decoded(*parts: object, origin: Incarnation | None = None) -> Any:
    """The value of a payload that holds this array (`tag(KIND), ...`)."""
    return decode(Payload(msgpack.packb(list(parts)), origin), HERE)


def tag(kind: int) -> Any:
    return msgpack.ExtType(kind, b"\0")


class TestMalformedValues:
    @pytest.mark.parametrize("kind", [-128, -2, -1, 0, 27, 127])
    def test_unknown_kind_is_refused(self, kind: int) -> None:
        with pytest.raises(DecodeError):
            decode(Payload(b"\x92\xd4" + kind.to_bytes(1, "big", signed=True) + b"\0\x01"), HERE)

    @pytest.mark.parametrize("kind", range(1, 27))
    def test_tag_that_leads_no_array_is_refused(self, kind: int) -> None:
        for value in (tag(kind), [1, tag(kind)], {"a": tag(kind)}, {tag(kind): 1}, [tag(1), tag(kind)]):
            with pytest.raises(DecodeError):
                decode(Payload(msgpack.packb(value)), HERE)

    @pytest.mark.parametrize("kind", [*range(4, 22), *range(24, 27)])
    def test_wrong_number_of_parts_is_refused(self, kind: int) -> None:
        odd: tuple[list[Any], ...] = (
            [],
            [1] * 40,
            [[]],
            [{}, {}],
            [1, "", "a"],
            [None] * 3,
            [1, "b", "c", 1, 2],
        )
        for parts in odd:
            with pytest.raises(DecodeError):
                decoded(tag(kind), *parts)

    @pytest.mark.parametrize(
        "parts",
        [
            (format.INT, "12"), (format.PID, -1, 0), (format.PID, 1.0, 0), (format.PID, True, 0),
            (format.PID, 1, 0, "", 5), (format.PID, 1, 0, "a@vm", 0), (format.PID, 1, 0, b"a@vm", 5),
            (format.REF, "1"), (format.REF, 1, "a@vm", -1), (format.DATE, 2024, 2, 30),
            (format.DATE, 2024.0, 1, 1),
            (format.TIME, 24, 0, 0, 0, 0), (format.TIME, 1, 0, 0, 0, 2),
            (format.DATETIME, 0, 1, 1, 1, 1, 1, 1, 0),
            (format.TIME, 1, 0, 0, 0, 0, 10**12, None, False), (format.TIME, 1, 0, 0, 0, 0, 0, 7, False),
            (format.TIME, 1, 0, 0, 0, 0, None, "No/Where", True), (format.TIME, 1, 0, 0, 0, 0, 0, "UTC"),
            (format.TIMEDELTA, 1.5, 0, 0), (format.TIMEDELTA, 2**62, 0, 0), (format.DECIMAL, "ten"),
            (format.DECIMAL, 1),
            (format.UUID, b"short"), (format.UUID, "x" * 16), (format.SET, []), (format.FROZENSET, {}),
            (format.DATACLASS, "os", "Nope", "a,b", 1), (format.DATACLASS, "os", "Nope", "", 1),
            (format.DATACLASS, 1, "Nope", ""), (format.NAMEDTUPLE, "os", b"Nope", ""),
            (format.ENUM, "os", "Nope", 1),
            (format.FLAG, "os", "Nope", "1"), (format.FUNCTION, "os", 1), (format.FUNCTION_NAME, 1, "x"),
            (format.STRUCT, "a.B", "x"), (format.STRUCT, "a.B", 1, 2), (format.STRUCT, 1),
            (format.RAISED, "", "", 1), (format.ATOM, b"ok"), (format.ATOM, "x" * 256),
            (format.FUNCTION_NAME, "a", "b", "1"), (format.IMPROPER_LIST, [], 1), (format.IMPROPER_LIST, 1),
            (format.MAP, 1), (format.MAP, 1, 2, 1, 3), (format.BIT_STRING, b"", 1),
            (format.BIT_STRING, b"a", 8),
            (format.BIT_STRING, "a", 1), (format.PORT, "a@vm", -1, 1), (format.PORT, "", 1, 1),
            (format.BEAM_FUNCTION, "x"),
        ],
    )  # fmt: skip
    def test_parts_of_a_wrong_type_are_refused(self, parts: tuple[Any, ...]) -> None:
        with pytest.raises(DecodeError, match=r"^malformed payload: "):
            decoded(tag(parts[0]), *parts[1:])
