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
    "receive do": "receive(*patterns)",
}
"""What to write for a line, by its beginning."""

KEYWORD_ATTRIBUTES: Final = {
    "Task.async": "Task.async_",
    "Task.await": "Task.await_",
    "Task.yield": "Task.yield_",
    "rpc.yield": "rpc.async_call",
}
"""What to write for a function of OTP whose name is a keyword of Python."""

_BEGINNING: Final = re.compile(r"%?(%\w+)|!|break!|receive do\b")
_CALL: Final = re.compile(
    r"(?:(c|cd|ls)|(IO\.puts|IO\.inspect)|edit|exports|h|i|nl|pid|r|ref|remsh|v|exit|node|send|spawn\w*"
    r"|(?:Node|Process|GenServer|Supervisor|DynamicSupervisor|Task|Agent|Registry|Sys|rpc|pg)\.[a-z]\w*)"
    r" +(?=\S)"
)
"""A call without parentheses; the first group's argument is a path."""
_ALIVE: Final = re.compile(r"\b(Process|Node)\.alive\?")
_FUNCTION: Final = re.compile(r"(?<![\w.])fn\b(?! *\()[^\"']*->")
_QUOTES: Final = "'\""
_ATOM: Final = re.compile(r":([a-z]\w*)(\.)?")
_ATOM_ARGUMENT: Final = re.compile(r"(^|[\s(,\[{]):([a-z]\w*)\b(?!\.)")


def meant_by_syntax(text: str, offset: int | None) -> str | None:
    """Returns what to write instead of a line, in Python; None if it is not known.

    Args:
        text: the line that Python refuses.
        offset: the column of the error, from 1; what is not a beginning of a line is looked for there.
    """
    if (beginning := _BEGINNING.match(text)) is not None:
        return STATEMENTS.get(beginning[1] or beginning[0])
    if (asked := _ALIVE.search(text)) is not None:
        return f"{asked[1]}.is_alive"
    if _FUNCTION.search(text) is not None:
        return "lambda x: ..., for fn x -> ... end"
    at = (offset or 1) - 1
    for name, instead in KEYWORD_ATTRIBUTES.items():
        if text.startswith(name, at - name.index(".") - 1):
            return instead
    if text.startswith("%{", at):
        return "{'key': value}, as maps are dicts"
    return _meant_by_call(text, at) or _meant_by_atom(text, at)


def _meant_by_call(text: str, at: int) -> str | None:
    """Returns a call with the parentheses that it lacks."""
    call = _CALL.match(text)
    if call is None or (call.end() != at and call[1] is None):
        return None
    argument = text[call.end() :].strip()
    if call[1] is not None:
        if argument[0] in "(=":
            return None
        return f"{call[1]}({argument if argument[0] in _QUOTES else repr(argument)})"
    name = "print" if call[2] is not None else call[0].rstrip()
    argument = _ATOM_ARGUMENT.sub(r"\1'\2'", argument)
    return f"{name}({argument})"


def _meant_by_atom(text: str, at: int) -> str | None:
    before = text[:at].rstrip()
    atom = _ATOM.match(text, at)
    if atom is None or before[-1:] not in {"", "(", ",", "[", "=", "{"}:
        return None
    return atom[1] if atom[2] else f"'{atom[1]}', as atoms are strings"
