"""hello.py: Hellos are packed and read; `test_machine.py` has the malformed ones."""

from __future__ import annotations

import pytest

from pyx.errors import HandshakeFailed
from pyx.wire.handshake.hello import ACCEPTOR, DIALLER, HIDDEN, Hello, has_preamble, pack_hello, read_hello

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
