"""A pasted session: its prompts are left out, and so are the lines that are not input.

Which lines those are is doctest's rule: an input is a line with a prompt and the lines with a continuation
prompt below it, and what is between two inputs is output.
"""

from __future__ import annotations

import re
from typing import Final

from pyx.shell.input_scanner import InputScanner

_OF_PYX: Final = r"\((?:[^\s()]+(?: via [^\s()]+)?\))?\d+\)?>"
_FIRST: Final = re.compile(rf"[ \t]*(?:>>>|In \[\d+\]:|pyx{_OF_PYX})(?: |$)")
_FURTHER: Final = re.compile(rf"[ \t]*(?:\.{{3}}|\.{{3,}}:|\.{{3}}{_OF_PYX})(?: |$)")


def without_prompts(text: str) -> str:
    """Returns the inputs of a session of Python, IPython or pyx; any other text is returned as it is.

    A text is a session if a line begins with a prompt, outside of a string: such a line is never Python.
    """
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if _FIRST.match(line)), None)
    if first is None or InputScanner("\n".join(lines[:first])).quote is not None:
        return text
    inputs: list[str] = []
    in_input = False
    for line in lines:
        found = _FIRST.match(line) or (_FURTHER.match(line) if in_input else None)
        in_input = found is not None
        if found is not None:
            inputs.append(line[found.end() :])
    return "\n".join(inputs).rstrip()
