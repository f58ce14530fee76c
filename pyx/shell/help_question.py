"""`x?` and `x??` at the prompt: the documentation of a thing, and its source."""

from __future__ import annotations

import re
from typing import Final

from pyx.shell.input_scanner import InputScanner

_QUESTION: Final = re.compile(r"""\s*(\??\??)\s*([\w\[({'"][^\n]*?)\s*(\??\??)\s*""")

_DOTTED_NAME: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def help_call(source: str) -> str | None:
    """Returns the call of `h` that an input such as `shop.price?` stands for; None for any other input.

    A dotted name goes as text, which `h` looks up, and imports the module of.  The helper is called by the
    dict that holds it, as the user may have a variable `h`.
    """
    found = _QUESTION.fullmatch(source)
    if found is None:
        return None
    before, thing, after = found.groups()
    if bool(before) == bool(after):
        return None
    asks_source = ", source=True" if len(before or after) == 2 else ""
    if _DOTTED_NAME.fullmatch(thing):
        return f"__builtins__['h']('{thing}'{asks_source})"
    scan = InputScanner(thing)
    if scan.quote is not None or scan.comment or scan.open or scan.primary_at(len(thing)) != 0:
        return None
    return f"__builtins__['h']({thing}{asks_source})"
