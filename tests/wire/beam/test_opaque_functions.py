"""opaque_functions.py, atom_bytes.py: Functions come back as they came, with their atoms written out."""

from __future__ import annotations

from typing import Final

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction
from pyx.errors import DecodeError
from pyx.terms import Incarnation
from pyx.wire.beam.atom_bytes import atom_bytes
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.beam.term_writer import encode_term

HERE: Final = Incarnation("here@vm", 7)
ATOMS: Final = (Atom("shop"), Atom("a@vm"), Atom("größe"), None)


def function(*terms: bytes, size: int = 0, module: bytes = b"R\0", node: bytes = b"R\1") -> bytes:
    """A function with these values inside it, as a message with a header holds it."""
    pid = b"X" + node + bytes(7) + b"\5" + bytes(3) + b"\7"
    head = b"\2" + b"u" * 16 + b"\0\0\0\1" + len(terms).to_bytes(4, "big")
    body = head + module + b"a\1" + b"b\0\1\0\0" + pid + b"".join(terms)
    return b"p" + (4 + len(body) + size).to_bytes(4, "big") + body


INSIDE: Final = (
    b"R\2", b"R\3", b"a\5", b"b\0\0\1\0", b"n\2\0\5\5", b"o\0\0\0\1\0\5", b"F" + bytes(8), b"j", b"k\0\2ab",
    b"l\0\0\0\1R\0j", b"h\2R\0m\0\0\0\1x", b"i\0\0\0\1R\0", b"t\0\0\0\1R\0R\2", b"M\0\0\0\1\4\x10", b"w\2ok",
    b"v\0\2ok", b"s\1\xfc", b"d\0\1\xfc", b"qR\0R\2a\1", b"Z\0\1R\1\0\0\0\1\0\0\0\2", b"r\0\1R\1\1\0\0\0\2",
    b"eR\1\0\0\0\1\1", b"xR\1" + bytes(12), b"YR\1" + bytes(8), b"fR\1" + bytes(5), b"gR\1" + bytes(9),
    b"c1.5" + bytes(28), function(b"R\2"),
)  # fmt: skip


def test_function_is_copied_with_its_atoms_written_out() -> None:
    read, end = decode_term(function(*INSIDE), 0, ATOMS, HERE)
    assert type(read) is BeamFunction
    assert end == len(function(*INSIDE))
    written = encode_term(read, HERE)
    for number, name in enumerate(("shop", "a@vm", "größe", "nil")):
        assert bytes((82, number)) not in written.replace(b"\0\0\0R", b"")
        assert atom_bytes(name) in written
    again, end = decode_term(written, 0, (), HERE)
    assert again == read
    assert end == len(written)


def test_function_without_such_atoms_is_copied_as_it_came() -> None:
    plain = function(b"a\5", module=atom_bytes("shop"), node=atom_bytes("a@vm"))
    assert decode_term(plain, 0, (), HERE)[0] == BeamFunction(plain)


@pytest.mark.parametrize(
    "data",
    [
        function(size=1),
        function(size=-1),
        function(b"R\4"),
        function(b"P\0\0\0\1x"),
        function(b"F\x7f\xf8" + bytes(6)),  # nan
        function(b"t\0\0\0\2a\1a\1a\1a\1"),  # a key twice
        function(b"w\2\xff\xff"),
        function(b"Z\0\6" + atom_bytes("a@vm") + bytes(28)),
        function(b"m\0\0\0\5x"),
        function(node=b"a\1"),
    ],
    ids=range(10),
)
def test_function_that_could_not_be_sent_back_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="malformed term"):
        decode_term(data, 0, ATOMS, HERE)


def test_functions_deep_inside_functions_are_refused() -> None:
    data = function()
    for _ in range(100):
        data = function(data)
    with pytest.raises(DecodeError, match="functions inside functions"):
        decode_term(data, 0, ATOMS, HERE)


def test_every_prefix_of_a_function_is_refused() -> None:
    data = function(*INSIDE)
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            decode_term(data[:end], 0, ATOMS, HERE)
