"""error_words.py: Descriptions of exceptions for use in a sentence."""

from __future__ import annotations

import errno
import socket

import pytest

from pyx.net.error_words import connection_broke, in_words, system_text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (OSError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.5', 4369)"), "Connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (OSError("timed out"), "timed out"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_exception_is_described_in_words(error: Exception, words: str) -> None:
    assert in_words(error) == words


def test_broken_connection_is_a_sentence_with_its_cause() -> None:
    error = OSError(errno.ECONNRESET, "Connection reset by peer")
    assert connection_broke(error) == "the connection broke (Connection reset by peer)"
    assert connection_broke(OSError("it hung up")) == "the connection broke (it hung up)"


def test_system_text_has_neither_number_nor_file() -> None:
    assert system_text(OSError(errno.ENOENT, "No such file", "shop.py")) == "No such file"
    assert system_text(OSError("it hung up")) == "it hung up"
    assert system_text(ValueError("embedded null byte")) == "embedded null byte"
