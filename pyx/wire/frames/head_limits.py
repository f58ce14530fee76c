"""The longest heads of frames, and a signal's fields shortened to fit them.

A peer closes the connection to a node that sends a longer head, so one long string of a user would cost all
processes their connection.  `sender_check` is the receiver's side.
"""

from __future__ import annotations

from typing import Any, Final

from pyx.signals import LONGEST_TEXT, MOST_NODES, Answer, Crashed, Nodes, Payload, Print, Signal
from pyx.terms import LONGEST_WORD, MAX_NODE_NAME_BYTES
from pyx.wire.codec import encode
from pyx.wire.frames.fragments import HEAD_BYTES

SHORT_HEAD_BYTES: Final = 8 * 1024
"""The longest head of a signal without output or a list of nodes: a few pids, words and numbers."""

LONGEST_HEADS: Final[dict[type, int]] = {
    Print: HEAD_BYTES,
    Crashed: HEAD_BYTES,
    Nodes: MOST_NODES * (MAX_NODE_NAME_BYTES + 5) + 64,
}
"""The longest heads of the other signals."""

LONGEST_SENTENCE: Final = 1000
"""Characters of the reason why a message could not be read."""


class HeadTooLong(Exception):
    """A signal cannot be sent, because its head would be longer than a peer accepts."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"its head is {size} bytes long; the limit is {limit}")


def shortened(signal: Signal) -> list[Any]:
    """Returns the fields of a signal, each short enough to be sent.

    A name longer than any process has stays longer than any, and so finds no process.  A long exit reason
    arrives whole, as a payload.
    """
    fields: list[Any] = list(signal)
    for index, (field, value) in enumerate(zip(signal._fields, fields, strict=True)):
        if type(value) is str:
            fields[index] = _shortened_text(signal, field, value)
        elif field == "names":
            fields[index] = value[:MOST_NODES]
    return fields


def _shortened_text(signal: Signal, field: str, text: str) -> str | Payload:
    match field:
        case "to" | "target":
            return text[: LONGEST_WORD + 1]
        case "text":
            return text[:LONGEST_TEXT]
        case "why":
            return text[:LONGEST_SENTENCE]
    if len(text) <= LONGEST_WORD:
        return text
    if field == "reason" or (field == "payload" and type(signal) is Answer and signal.outcome == "exit"):
        return Payload(encode(text, what="reason"))
    return text[:LONGEST_WORD]
