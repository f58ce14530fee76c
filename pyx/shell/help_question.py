"""`x?` and `x??` at the prompt: the documentation of a thing, and its source."""

from __future__ import annotations

import re
from typing import Final

from pyx.shell.input_scanner import InputScanner

_QUESTION: Final = re.compile(r"\s*(\??\??)\s*([^\W\d][^\n]*?|)\s*(\??\??)\s*")


def help_call(source: str) -> str | None:
    """Returns the call of `h` that an input such as `shop.price?` stands for; None for any other input.

    The helper is called by the dict that holds it, as the user may have a variable `h`.
    """
    found = _QUESTION.fullmatch(source)
    if found is None:
        return None
    before, thing, after = found.groups()
    if bool(before) == bool(after):
        return None
    scan = InputScanner(thing)
    if scan.quote is not None or scan.comment or scan.open or scan.primary_at(len(thing)) != 0:
        return None
    asks_source = ", source=True" if len(before or after) == 2 else ""
    return f"__builtins__['h']({thing}{asks_source})" if thing else None
