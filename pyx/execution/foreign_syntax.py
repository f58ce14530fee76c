"""What the user may have meant by a line that IPython, IEx or Elixir reads, and Python refuses."""

from __future__ import annotations

import re
from typing import Final

STATEMENTS: Final = {
    "%timeit": "tc(function, ...)",
    "%time": "tc(function, ...)",
    "%autoreload": "recompile()",
    "%run": "c('FILE.py')",
    "%load": "c('FILE.py')",
    "%debug": "import pdb; pdb.pm()",
    "%edit": "edit(thing)",
    "%ls": "ls()",
    "%cd": "cd('DIR')",
    "%pwd": "pwd()",
    "!": "import subprocess; subprocess.run('COMMAND', shell=True)",
    "break!": "breakpoint()",
}
"""What to write for a line, by its beginning."""

_BEGINNING: Final = re.compile(r"%?(%\w+)|!|break!")
_HELPER: Final = re.compile(r"(c|cd|edit|exports|h|i|nl|pid|r|ref|remsh|v) +(?=\S)")
_ATOM: Final = re.compile(r":([a-z]\w*)(\.)?")


def meant_by_syntax(text: str, offset: int | None) -> str | None:
    """Returns what to write instead of a line, in Python; None if it is not known.

    Args:
        text: the line that Python refuses.
        offset: the column of the error, from 1; an atom and the argument of a helper are looked for there.
    """
    if (beginning := _BEGINNING.match(text)) is not None:
        return STATEMENTS.get(beginning[1] or beginning[0])
    at = (offset or 1) - 1
    helper = _HELPER.match(text)
    if helper is not None and helper.end() == at:
        return f"{helper[1]}({text[at:].strip()})"
    before = text[:at].rstrip()
    atom = _ATOM.match(text, at)
    if atom is None or before[-1:] not in {"", "(", ",", "[", "=", "{"}:
        return None
    return atom[1] if atom[2] else f"'{atom[1]}', as atoms are strings"
