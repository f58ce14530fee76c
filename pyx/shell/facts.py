"""Facts about a value, a process and this OS process, as the helpers `i` and `runtime_info` show them."""

from __future__ import annotations

import inspect
import os
import sys
import threading
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeAlias

import pyx
from pyx.errors import NoConnection
from pyx.nodes import Node
from pyx.primitives import self
from pyx.process import Process
from pyx.shell.documentation import home_of, name_of, public_members, signature, summary
from pyx.shell.render import render
from pyx.terms import Pid, Ref

Rows: TypeAlias = list[tuple[str, object]]
"""Names of facts, and their values."""


def table(rows: Rows) -> str:
    """Returns a line for each fact; a str is shown as it is, another value as the prompt shows it."""
    width = max(len(name) for name, _ in rows)
    texts = [(name, value if isinstance(value, str) else render(value)) for name, value in rows]
    indent = "\n".ljust(width + 3)
    return "\n".join(f"{name:<{width}}  " + text.replace("\n", indent) for name, text in texts)


def about_value(thing: Any, columns: int) -> Rows:
    """Returns the rows about any value; about a process, where it is a pid."""
    rows: Rows = []
    kind = type(thing)  # not `isinstance`, which asks the `__class__` of a value
    if kind is Pid:
        rows = about_process(thing)
    else:
        rows.append(("type", f"{home_of(kind)}.{name_of(kind)}".removeprefix("builtins.")))
        if kind is Ref:
            rows.append(("node", thing.node or "this node"))
        if issubclass(kind, (str, bytes, list, tuple, dict, set, frozenset)):
            rows.append(("length", len(thing)))
        if issubclass(kind, (ModuleType, FunctionType, type)):
            rows += about_code(thing)
        if callable(thing) or issubclass(kind, ModuleType):
            about = summary(thing)
            rows += [("about", about)] if about else []
    return [("value", render(thing, width=max(columns - 24, 40))), *rows]


def about_node(uptime: float) -> Rows:
    """Returns the rows about this node, whose shell has run for *uptime* seconds."""
    lag = Node.info()["loop_lag"]
    return [
        ("pyx", pyx.__version__),
        ("Python", f"{sys.version.partition(' ')[0]} ({sys.executable})"),
        ("node", Node.self()),
        ("os pid", os.getpid()),
        ("uptime", f"{uptime:.0f} s"),
        ("memory", f"{memory_bytes() / 1e6:.1f} MB"),
        ("loop lag", f"{lag * 1e3:.1f} ms at worst in the last minute" if lag is not None else "unnamed"),
        ("threads", threading.active_count()),
        ("processes", len(Process.list())),
        ("registered", ", ".join(Process.registered()) or "none"),
        ("nodes", ", ".join(Node.list()) or "none"),
    ]


def about_process(pid: Pid) -> Rows:
    """Returns the rows about a process of any node."""
    where = pid.node or f"{Node.self()} (here)"
    try:
        facts = Process.info(pid)
    except NoConnection as error:
        return [("node", where), ("alive", f"unknown: {error}")]
    rows: Rows = [("node", where), ("alive", facts is not None)]
    if pid == self():
        rows.append(("role", "this shell"))
    return rows if facts is None else [*rows, *facts.items()]


def about_code(thing: ModuleType | FunctionType | type) -> Rows:
    """Returns the rows about a module, a function or a class."""
    rows: Rows = []
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
