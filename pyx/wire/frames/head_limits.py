"""A signal cut to what a peer takes: what is too long for its head is shortened, or goes as a payload.

A peer ends the session with a node that says more, so one long word of a user's would cost all processes
their connection.  See `sender_check.py` for what a peer takes, and `writer.py` for the bytes.
"""

from __future__ import annotations

from typing import Any, Final

from pyx.signals import LONGEST_TEXT, MOST_NODES, Answer, Payload, Signal
from pyx.terms import LONGEST_WORD
from pyx.wire.codec import encode

LONGEST_SENTENCE: Final = 1000
"""Characters of a reason why a message could not be read."""


def fitted(signal: Signal) -> list[Any]:
    """The fields of a signal, each short enough to travel.

    A name longer than any process has stays longer than any, and so finds none.  A long exit reason arrives
    whole, as a payload.
    """
    fields: list[Any] = list(signal)
    for index, (field, value) in enumerate(zip(signal._fields, fields, strict=True)):
        if type(value) is str:
            fields[index] = _fitted_text(signal, field, value)
        elif field == "names":
            fields[index] = value[:MOST_NODES]
    return fields


def _fitted_text(signal: Signal, field: str, text: str) -> str | Payload:
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
