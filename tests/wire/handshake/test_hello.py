"""hello.py: Hellos are packed and read; `test_machine.py` has the malformed ones."""

from __future__ import annotations

import pytest

from pyx.errors import HandshakeFailed
from pyx.terms import Incarnation
from pyx.wire.handshake.hello import (
    ACCEPTOR,
    DIALLER,
    HIDDEN,
    PROTOCOL_VERSION,
    Hello,
    acceptor_hello,
    dialler_hello,
    has_preamble,
    pack_hello,
    read_hello,
)

MINE = Hello(ACCEPTOR, 1, 1, 0, 22, b"b" * 32, "bob@vm", "")
THEIRS = Hello(DIALLER, 1, 3, HIDDEN, 0x01020304, b"a" * 32, "gus@vm", "bob@vm")


def test_hello_has_the_documented_layout() -> None:
    assert pack_hello(THEIRS) == b"".join((
        b"pyx", b"\x01", b"\x00\x01", b"\x00\x03",
        b"\x00\x01\x00\x00", b"\x01\x02\x03\x04", b"a" * 32,
        b"\x06gus@vm", b"\x06bob@vm",
    ))  # fmt: skip


def test_hello_is_read_back() -> None:
    assert read_hello(pack_hello(THEIRS), MINE) == THEIRS


def test_preamble_of_any_version_is_recognized() -> None:
    assert has_preamble(pack_hello(THEIRS._replace(lowest=900, highest=999)))
    assert not has_preamble(b"pyx")
    assert not has_preamble(b"GET / HTTP/1.1")


@pytest.mark.parametrize("size", range(len(pack_hello(THEIRS))))
def test_hello_cut_anywhere_is_refused(size: int) -> None:
    with pytest.raises(HandshakeFailed):
        read_hello(pack_hello(THEIRS)[:size], MINE)


FIRST_DIALLER = bytes.fromhex(
    "7079780100010001000000000000000b" + "61" * 32 + "0667757340766d06626f6240766d"
)  # fmt: skip
FIRST_ACCEPTOR = bytes.fromhex(
    "70797802000100010000000000000016" + "62" * 32 + "06626f6240766d00"
)  # fmt: skip
"""The hellos of gus@vm, which dials bob@vm, and of bob@vm, as the first protocol's nodes sent them."""


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        (FIRST_DIALLER, acceptor_hello(Incarnation("bob@vm", 22), b"b" * 32, hidden=False)),
        (FIRST_ACCEPTOR, dialler_hello(Incarnation("gus@vm", 11), "bob@vm", b"a" * 32, hidden=False)),
    ],
)
def test_node_of_the_first_protocol_is_refused_with_both_versions_and_what_to_do(
    theirs: bytes, mine: Hello
) -> None:
    with pytest.raises(HandshakeFailed) as refused:
        read_hello(theirs, mine)
    assert refused.value.reason == f"it speaks pyx protocol 1, this node {PROTOCOL_VERSION}"
    assert refused.value.hint == "the pyx there is the older one: install the other's release there"


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        (dialler_hello(Incarnation("gus@vm", 11), "bob@vm", b"a" * 32, hidden=False), FIRST_ACCEPTOR),
        (acceptor_hello(Incarnation("bob@vm", 22), b"b" * 32, hidden=False), FIRST_DIALLER),
    ],
)
def test_node_of_the_first_protocol_can_read_the_versions_in_this_hello(theirs: Hello, mine: bytes) -> None:
    """Its own check was this one; the sentence that it logs had no hint."""
    first = Hello(mine[3], 1, 1, 0, 11, mine[16:48], "it@vm", "")
    with pytest.raises(
        HandshakeFailed, match=f"speaks pyx protocol {PROTOCOL_VERSION}, this node 1"
    ) as refused:
        read_hello(pack_hello(theirs), first)
    assert refused.value.hint == "the pyx here is the older one: install the other's release here"
