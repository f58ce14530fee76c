"""Each kind of a letter, with the wrong things in it: a DecodeError and nothing else."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from pyx.errors import DecodeError
from pyx.signals import Letter
from pyx.terms import Life
from pyx.wire import marks
from pyx.wire.codec import open_letter

HERE = Life("here@vm", 7)


def opened(*parts: object, origin: Life | None = None) -> Any:
    """What a letter gives that holds this array (`mark(KIND), ...` or whatever a liar would write)."""
    return open_letter(Letter(msgpack.packb(list(parts)), origin), HERE)


def mark(kind: int) -> Any:
    return msgpack.ExtType(kind, b"\0")


class TestLiars:
    @pytest.mark.parametrize("kind", [-128, -2, -1, 0, 21, 127])
    def test_a_kind_that_there_is_not(self, kind: int) -> None:
        with pytest.raises(DecodeError):
            open_letter(Letter(b"\x92\xd4" + kind.to_bytes(1, "big", signed=True) + b"\0\x01"), HERE)

    @pytest.mark.parametrize("kind", range(1, 21))
    def test_a_mark_that_leads_no_array(self, kind: int) -> None:
        for value in (mark(kind), [1, mark(kind)], {"a": mark(kind)}, {mark(kind): 1}, [mark(1), mark(kind)]):
            with pytest.raises(DecodeError):
                open_letter(Letter(msgpack.packb(value)), HERE)

    @pytest.mark.parametrize("kind", range(4, 21))
    def test_a_kind_with_too_little_or_too_much(self, kind: int) -> None:
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
                opened(mark(kind), *parts)

    @pytest.mark.parametrize(
        "parts",
        [
            (marks.INT, "12"), (marks.PID, -1, 0), (marks.PID, 1.0, 0), (marks.PID, True, 0),
            (marks.PID, 1, 0, "", 5), (marks.PID, 1, 0, "a@vm", 0), (marks.PID, 1, 0, b"a@vm", 5),
            (marks.REF, "1"), (marks.REF, 1, "a@vm", -1), (marks.DATE, 2024, 2, 30),
            (marks.DATE, 2024.0, 1, 1),
            (marks.TIME, 24, 0, 0, 0, 0), (marks.TIME, 1, 0, 0, 0, 2),
            (marks.DATETIME, 0, 1, 1, 1, 1, 1, 1, 0),
            (marks.TIME, 1, 0, 0, 0, 0, 10**12, None, False), (marks.TIME, 1, 0, 0, 0, 0, 0, 7, False),
            (marks.TIME, 1, 0, 0, 0, 0, None, "No/Where", True), (marks.TIME, 1, 0, 0, 0, 0, 0, "UTC"),
            (marks.TIMEDELTA, 1.5, 0, 0), (marks.TIMEDELTA, 2**62, 0, 0), (marks.DECIMAL, "ten"),
            (marks.DECIMAL, 1),
            (marks.UUID, b"short"), (marks.UUID, "x" * 16), (marks.SET, []), (marks.FROZENSET, {}),
            (marks.DATACLASS, "os", "Nope", "a,b", 1), (marks.DATACLASS, "os", "Nope", "", 1),
            (marks.DATACLASS, 1, "Nope", ""), (marks.NAMEDTUPLE, "os", b"Nope", ""),
            (marks.ENUM, "os", "Nope", 1),
            (marks.FLAG, "os", "Nope", "1"), (marks.FUNCTION, "os", 1), (marks.FUNCTION_NAME, 1, "x"),
            (marks.STRUCT, "a.B", "x"), (marks.STRUCT, "a.B", 1, 2), (marks.STRUCT, 1),
            (marks.RAISED, "", "", 1),
        ],
    )  # fmt: skip
    def test_a_kind_with_the_wrong_things_in_it(self, parts: tuple[Any, ...]) -> None:
        with pytest.raises(DecodeError, match=r"^not a letter: "):
            opened(mark(parts[0]), *parts[1:])
