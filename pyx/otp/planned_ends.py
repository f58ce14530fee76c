"""Which ends of processes are planned: no report, and no restart of a transient child, follows from them."""

from __future__ import annotations

from typing import Any


def is_planned(reason: Any) -> bool:
    """Returns True for the reasons of OTP's planned ends: `"normal"`, `"shutdown"` and `("shutdown", x)`."""
    if type(reason) is tuple:
        word = reason[0] if len(reason) == 2 else None
        return isinstance(word, str) and word == "shutdown"  # another kind may refuse to be compared
    return isinstance(reason, str) and reason in {"normal", "shutdown"}
