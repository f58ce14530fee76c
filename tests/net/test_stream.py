"""stream.py: The four methods of a stream without TLS."""

from __future__ import annotations

import socket

import pytest

from pyx.net.stream import BUFFER_BYTES, PlainStream


def test_plain_stream_sends_receives_and_ends() -> None:
    one, two = socket.socketpair()
    left, right = PlainStream(one), PlainStream(two)
    buffer = memoryview(bytearray(10))
    with pytest.raises(BlockingIOError):
        right.receive_into(buffer)
    assert left.send(b"hello") == 5
    assert right.receive_into(buffer) == 5
    assert bytes(buffer[:5]) == b"hello"
    left.end_writing()
    assert right.receive_into(buffer) == 0
    assert right.send(b"still valid") == 11
    right.close()
    left.close()
    left.end_writing()  # a broken connection is reported by the reader


def test_plain_stream_never_blocks_on_a_full_socket() -> None:
    one, two = socket.socketpair()
    left = PlainStream(one)
    taken = left.send(bytes(10 * BUFFER_BYTES))
    assert 0 < taken < 10 * BUFFER_BYTES
    with pytest.raises(BlockingIOError):
        left.send(bytes(10 * BUFFER_BYTES))
    left.close()
    two.close()


def test_both_kernel_buffers_have_the_same_size() -> None:
    assert BUFFER_BYTES == 256 * 1024
    one, two = socket.socketpair()
    before = buffers(one)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # the system may round the size
        two.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    stream = PlainStream(one)
    assert before != buffers(one) == buffers(two)
    stream.close()
    two.close()


def buffers(connection: socket.socket) -> list[int]:
    options = (socket.SO_SNDBUF, socket.SO_RCVBUF)
    return [connection.getsockopt(socket.SOL_SOCKET, option) for option in options]
