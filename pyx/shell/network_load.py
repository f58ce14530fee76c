"""`nl(module)`: the source of a module, as it is here, on all connected nodes; IEx's helper of that name."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pyx import rpc
from pyx.errors import PyxError
from pyx.nodes import Node
from pyx.printable import filter_foreign
from pyx.runtime import arrived_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOAD_SECONDS = 30.0


def network_load(module: object, answer: Callable[[str], str]) -> Iterator[str]:
    """Loads a module on all nodes that are connected, after a question; yields a line for each node.

    Args:
        module: a module, or its name.
        answer: shows a question and returns what was typed.

    Raises:
        TypeError: it is neither.
        PyxError: it has no file of source.
    """
    if isinstance(module, str):
        module = importlib.import_module(module)
    if not isinstance(module, ModuleType):
        msg = f"nl() takes a module or its name, not {module!r}"
        raise TypeError(msg)
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py") or hasattr(module, "__path__"):
        msg = f"{module.__name__} is not a file of source"
        raise PyxError(msg, hint="nl() loads one module; a package is installed on each node")
    nodes = Node.list()
    if not nodes:
        yield "no nodes are connected"
        return
    text = Path(file).read_text(encoding="utf-8")
    name, count = module.__name__, len(text.splitlines())
    if answer(f"load {name} ({count} lines) on {', '.join(nodes)}? [y/N] ").strip().lower() not in {
        "y",
        "yes",
    }:
        return
    shown = f"<{Path(file).name} of {Node.self()}>"
    results, silent = rpc.within(_LOAD_SECONDS).multicall(nodes, arrived_modules.load, name, text, shown)
    answered = (node for node in nodes if node not in silent)
    for node, result in zip(answered, results, strict=True):
        said = f"{result} {name}" if isinstance(result, str) else str(result)
        yield f"{node}: {filter_foreign(said)}"
    for node in silent:
        yield f"{node}: no answer"
