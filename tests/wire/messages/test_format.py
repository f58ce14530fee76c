"""format.py: Assumptions of the codec about tags, and about the msgpack that carries them."""

from __future__ import annotations

import msgpack
import pytest

from pyx.wire.messages import format
from pyx.wire.messages.decode import TAG_READERS, check_depth

EXT_LEADS = {0xC7, 0xC8, 0xC9, *range(0xD4, 0xD9)}


def test_every_kind_has_a_tag_reader() -> None:
    kinds = {value for name, value in vars(format).items() if name.isupper() and type(value) is int} - {
        format.MAX_DEPTH
    }
    assert kinds == set(TAG_READERS) == {reader.kind for reader in TAG_READERS.values()}


def test_tag_is_three_bytes_of_which_one_could_lead_an_ext() -> None:
    for kind in TAG_READERS:
        data = msgpack.packb(format.tag(kind))
        assert data == bytes((0xD4, kind, 0))
        assert not EXT_LEADS & set(data[1:])


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\0"])
def test_unpackers_stack_holds_as_many_containers_as_the_depth_check_counts_on(opening: bytes) -> None:
    check_depth(opening * 256 + b"\x01")
    with pytest.raises(msgpack.StackError):
        check_depth(opening * 257 + b"\x01")
    with pytest.raises(msgpack.StackError):
        check_depth(opening * 256 + b"\x90")
