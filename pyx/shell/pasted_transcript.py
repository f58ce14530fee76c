"""A pasted session: its prompts are left out, and so are the lines that are not input.

Which lines those are is doctest's rule: an input is a line with a prompt and the lines with a continuation
prompt below it, and what is between two inputs is output.
"""

from __future__ import annotations

import re
from typing import Final

from pyx.shell.input_scanner import InputScanner

_OF_PYX: Final = r"\((?:[^\s()]+(?: via [^\s()]+)?\))?\d+\)?>"
_PROMPTS: Final = tuple(
    (re.compile(rf"[ \t]*(?:{first})(?: |$)"), re.compile(rf"[ \t]*(?:{further})(?: |$)"))
    for first, further in (
        (">>>", r"\.{3}"),
        (r"In \[\d+\]:", r"\.{3,}:"),
        (rf"pyx{_OF_PYX}", rf"\.{{3}}{_OF_PYX}"),
        (rf"iex{_OF_PYX}", rf"\.{{3}}{_OF_PYX}"),
    )
)
"""Of each shell: the prompt of an input, and of its further lines."""


def without_prompts(text: str) -> str:
    """Returns the inputs of a session of Python, IPython, pyx or IEx; other text is returned as it is.

    A text is a session if a line begins with a prompt, outside of a string: such a line is never Python.  All
    prompts of a session are of one shell; those of another one are output.
    """
    lines = text.split("\n")
    begins = ((at, shell) for at, line in enumerate(lines) for shell in _PROMPTS if shell[0].match(line))
    at, (first, further) = next(begins, (0, _PROMPTS[0]))
    if first.match(lines[at]) is None or InputScanner("\n".join(lines[:at])).quote is not None:
        return text
    inputs: list[str] = []
    in_input = False
    for line in lines:
        found = first.match(line) or (further.match(line) if in_input else None)
        in_input = found is not None
        if found is not None:
            inputs.append(line[found.end() :])
    return "\n".join(inputs).rstrip()
