"""The signature of the call at the cursor, on one line; the parameter that is being given stands out."""

from __future__ import annotations

import contextlib
import re
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import PyxError
from pyx.shell.input_scanner import InputScanner

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.shell.call_signature import CallSignature

_DEFINES: Final = re.compile(r"\b(?:def|class)\s+$")
_KEYWORD: Final = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")
_LONGEST_TEXT: Final = 20_000
"""Longer inputs were pasted; each key would read them again."""
_LEFT_OUT: Final = "..."


class CallAt(NamedTuple):
    """The call at the cursor: what is called, the number of the argument, its keyword if it has one."""

    callee: str
    argument: int
    keyword: str | None


class HintPart(NamedTuple):
    """A part of a hint; `is_active` for the parameter that is being given."""

    text: str
    is_active: bool = False


def call_at(before: str) -> CallAt | None:
    """Returns the innermost call that is open at the end of *before*; None if there is none."""
    scan = InputScanner(before)
    if scan.comment:
        return None
    for bracket in reversed(scan.open):
        if bracket.callee and not _DEFINES.search(before[: bracket.at - len(bracket.callee)]):
            keyword = _KEYWORD.match(before, bracket.argument_at)
            return CallAt(bracket.callee, bracket.argument, keyword and keyword.group(1))
    return None


def fitted(signature: CallSignature, active: int | None, columns: int) -> list[HintPart]:
    """Returns the signature as parts that fit into *columns*; parameters before the active one go first."""
    texts = signature.parameters
    first, last = 0, len(texts)
    while _width(signature, first, last) > columns and first < (active or 0):
        first += 1
    while _width(signature, first, last) > columns and last > (active or 0) + 1:
        last -= 1
    parts = [HintPart(f"{signature.name}({_LEFT_OUT + ', ' if first else ''}")]
    for at in range(first, last):
        parts.append(HintPart(texts[at], at == active))
        if at + 1 < last:
            parts.append(HintPart(", "))
    return [*parts, HintPart(f", {_LEFT_OUT})" if last < len(texts) else ")")]


def _width(signature: CallSignature, first: int, last: int) -> int:
    shown = [*[_LEFT_OUT] * bool(first), *signature.parameters[first:last]]
    shown += [_LEFT_OUT] * (last < len(signature.parameters))
    return len(f"{signature.name}({', '.join(shown)})")


class SignatureHint:
    """The hint of one terminal.

    Args:
        ask: returns the signature of a callee; called on a thread, as another node may have to answer.
        redraw: shows the prompt anew; called by that thread.
    """

    def __init__(self, ask: Callable[[str], CallSignature | None], redraw: Callable[[], object]) -> None:
        self._ask = ask
        self._redraw = redraw
        self._known: dict[str, CallSignature | None] = {}
        self._asked: str | None = None

    def forget(self) -> None:
        """Forgets the signatures, as a statement may have changed them."""
        self._known = {}

    def parts(self, before: str, columns: int) -> list[HintPart]:
        """Returns the hint for the text up to the cursor; nothing while the signature is not known."""
        if "(" not in before or len(before) > _LONGEST_TEXT:
            return []
        call = call_at(before)
        if call is None:
            return []
        if call.callee not in self._known:
            self._begin_to_ask(call.callee)
        signature = self._known.get(call.callee)
        if signature is None:
            return []
        return fitted(signature, signature.active(call.argument, call.keyword), columns)

    def _begin_to_ask(self, callee: str) -> None:
        if self._asked is None:
            self._asked = callee
            asking = threading.Thread(target=self._find_out, args=(callee, self._known), daemon=True)
            try:
                asking.start()
            except RuntimeError:  # the system has no thread left, and a prompt goes without a hint
                self._asked = None

    def _find_out(self, callee: str, known: dict[str, CallSignature | None]) -> None:
        known[callee] = None
        try:
            with contextlib.suppress(PyxError):  # the node there is lost, or this one stopped
                known[callee] = self._ask(callee)
        finally:
            self._asked = None
            self._redraw()
