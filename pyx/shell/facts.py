"""Facts about a value, a process and this OS process, as the helpers `i` and `runtime_info` show them."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from pyx.errors import NoConnection
from pyx.nodes import Node
from pyx.primitives import self
from pyx.process import Process
from pyx.shell.documentation import name_of, public_members, signature

if TYPE_CHECKING:
    from pyx.terms import Pid


def about_process(pid: Pid) -> list[tuple[str, object]]:
    """Returns the rows about a process of any node."""
    where = pid.node or f"{Node.self()} (here)"
    try:
        facts = Process.info(pid)
    except NoConnection as error:
        return [("node", where), ("alive", f"unknown: {error}")]
    rows: list[tuple[str, object]] = [("node", where), ("alive", facts is not None)]
    if pid == self():
        rows.append(("role", "this shell"))
    return rows if facts is None else [*rows, *facts.items()]


def about_code(thing: ModuleType | FunctionType | type) -> list[tuple[str, object]]:
    """Returns the rows about a module, a function or a class."""
    rows: list[tuple[str, object]] = []
    try:
        rows.append(("file", inspect.getfile(thing)))
    except Exception:  # besides those of `inspect`, of a metaclass
        rows.append(("file", "built in"))
    if issubclass(type(thing), ModuleType):
        rows.append(("exports", ", ".join(key for key, _ in public_members(thing)) or "nothing"))
    else:
        rows.append(("signature", name_of(thing) + signature(thing)))
    return rows


def memory_bytes() -> int:
    """Returns the resident memory of this OS process, or where that is unknown the most it ever had."""
    try:
        statm = Path("/proc/self/statm").read_text(encoding="ascii")
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
