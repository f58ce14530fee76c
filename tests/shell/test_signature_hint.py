"""signature_hint.py: Which call is at the cursor, and its signature on one line."""

from __future__ import annotations

import threading

import pytest

from pyx.shell.call_signature import CallSignature
from pyx.shell.signature_hint import SignatureHint, call_at, fitted

SEND = CallSignature("send", ["dest", "message", "/", "*", "nosuspend=False"])


@pytest.mark.parametrize(
    ("before", "call"),
    [
        ("send(", ("send", 0, None)),
        ("send(a, ", ("send", 1, None)),
        ("send(a, nosuspend=", ("send", 1, "nosuspend")),
        ("send(a, nosuspend == 1", ("send", 1, None)),
        ("send(('x', 'y'", ("send", 0, None)),
        ("send([1, 2, ", ("send", 0, None)),
        ("send(f(x), {'a': g(", ("g", 0, None)),
        ("rpc.call(a", ("rpc.call", 0, None)),
        ("'{}'.format(", ("'{}'.format", 0, None)),
        ("print('a(", ("print", 0, None)),
    ],
)
def test_innermost_open_call_is_found(before: str, call: tuple[str, int, str | None]) -> None:
    assert call_at(before) == call


@pytest.mark.parametrize("before", ["", "x", "send()", "(1, ", "def f(", "class A(", "# f(", "if (", "'f("])
def test_other_text_has_no_call(before: str) -> None:
    assert call_at(before) is None


@pytest.mark.parametrize(
    ("active", "columns", "text"),
    [
        (0, 80, "send([dest], message, /, *, nosuspend=False)"),
        (None, 80, "send(dest, message, /, *, nosuspend=False)"),
        (4, 80, "send(dest, message, /, *, [nosuspend=False])"),
        (1, 26, "send(..., [message], /, ...)"),
        (0, 20, "send([dest], ...)"),
        (4, 28, "send(..., [nosuspend=False])"),
        (4, 10, "send(..., [nosuspend=False])"),
    ],
)
def test_signature_is_cut_around_the_active_parameter(active: int | None, columns: int, text: str) -> None:
    parts = fitted(SEND, active, columns)
    assert "".join(f"[{part.text}]" if part.is_active else part.text for part in parts) == text


def test_each_callee_is_asked_for_once_until_signatures_are_forgotten() -> None:
    asked: list[str] = []
    redrawn = threading.Semaphore(0)

    def ask(callee: str) -> CallSignature | None:
        asked.append(callee)
        return SEND if callee == "send" else None

    hint = SignatureHint(ask, redrawn.release)
    hint.parts("send(", 80)
    redrawn.acquire()
    assert [part.text for part in hint.parts("send(a", 80) if part.is_active] == ["dest"]
    assert hint.parts("f(", 80) == []
    redrawn.acquire()
    assert hint.parts("f(", 80) == []
    assert hint.parts("send", 80) == []
    assert hint.parts("send(" + "1," * 20_000, 80) == []
    assert asked == ["send", "f"]
    hint.forget()
    hint.parts("send(", 80)
    redrawn.acquire()
    assert asked == ["send", "f", "send"]
