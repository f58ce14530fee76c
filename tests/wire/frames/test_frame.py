"""frame.py: Frames are cut from a stream, for any cut of the stream itself."""

from __future__ import annotations

import pytest

from pyx.errors import FrameTooBig
from pyx.wire.frames.frame import LENGTH, FrameReader

LARGE = b"L" * 200_000
BODIES = [b"", b"a", b"bc" * 40, b"", LARGE, b"after", LARGE + b"!", LARGE, b"last"]


def framed(*bodies: bytes) -> bytes:
    return b"".join(LENGTH.pack(len(body)) + body for body in bodies)


def read(reader: FrameReader, *pieces: bytes) -> list[bytes]:
    found: list[bytes] = []
    for piece in pieces:
        reader.receive_data(piece)
        found += (bytes(frame) for frame in reader.frames())
    return found


def test_many_frames_are_read_at_once() -> None:
    assert read(FrameReader(1 << 20), framed(*BODIES)) == BODIES


def test_small_frames_are_read_from_any_cut() -> None:
    stream = framed(b"one", b"", b"three")
    for cut in range(len(stream) + 1):
        assert read(FrameReader(100), stream[:cut], stream[cut:]) == [b"one", b"", b"three"]


@pytest.mark.parametrize("size", [1, 3, 1000, 65_536, 200_003])
def test_frames_are_the_same_for_pieces_of_any_size(size: int) -> None:
    stream = framed(*BODIES) if size > 3 else framed(b"x" * 500, b"", b"y" * 70)
    expected = BODIES if size > 3 else [b"x" * 500, b"", b"y" * 70]
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert read(FrameReader(1 << 20), *pieces) == expected


def test_received_bytes_may_be_overwritten() -> None:
    reader = FrameReader(1 << 20)
    buffer = bytearray(framed(b"kept", b"half")[:10])
    reader.receive_data(memoryview(buffer))
    buffer[:] = b"\xff" * len(buffer)
    assert reader.frames() == [b"kept"]
    reader.receive_data(framed(b"kept", b"half")[10:])
    assert reader.frames() == [b"half"]


def test_frame_at_the_limit_is_accepted() -> None:
    assert read(FrameReader(4), framed(b"four")) == [b"four"]


def test_length_over_the_limit_is_refused_before_its_body_comes() -> None:
    reader = FrameReader(4)
    reader.receive_data(LENGTH.pack(5))
    with pytest.raises(FrameTooBig, match="a frame of 5 bytes is over the limit of 4") as caught:
        reader.frames()
    assert (caught.value.size, caught.value.limit) == (5, 4)


def test_length_over_the_limit_is_refused_behind_valid_frames() -> None:
    reader = FrameReader(100_000)
    reader.receive_data(framed(b"good") + LENGTH.pack(2**32 - 1))
    with pytest.raises(FrameTooBig):
        reader.frames()


def test_announced_frame_takes_no_memory_before_it_comes() -> None:
    reader = FrameReader(2**32 - 1)
    reader.receive_data(LENGTH.pack(2**32 - 1) + b"only this")
    assert reader.frames() == []
    assert len(reader.unread) == 4 + len(b"only this")
