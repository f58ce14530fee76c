"""Functions of other nodes that arrived as source: compiled, with the values that came with them.

`travelling_functions.py` is the other end.  Whether a peer may send one is decided before, by the policy that
decides about its calls (`core/policy.py`): the source is code of the peer's choice.
"""

from __future__ import annotations

import builtins
import linecache
import sys
from collections import OrderedDict
from functools import lru_cache
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from pyx.runtime import rpc_functions
from pyx.runtime.function_source import FunctionSource

if TYPE_CHECKING:
    from types import CodeType

FILES_KEPT: Final = 256
"""The number of sources that tracebacks can show: of those that arrived last."""

_files: OrderedDict[str, None] = OrderedDict()


def unpacked(parts: tuple[Any, ...], node: str) -> FunctionType:
    """Returns the function that arrived as *parts*.

    Args:
        parts: as `travelling_functions.packed` returns them.
        node: the full name of the node that sent them, for tracebacks; "" for this one.

    Raises:
        SyntaxError: the source is not one of this version of Python.
        UndefinedFunction: it uses a module, or a name of one, that this node lacks.
        Exception: the import of a module that it uses failed.
    """
    functions, namespaces, cells = parts
    made_namespaces = [{"__name__": name, "__builtins__": builtins} for name, _ in namespaces]
    made_cells = [CellType() for _ in cells]
    made = []
    for (name, qualname, namespace, free, defaults, by_name), source in functions:
        del defaults, by_name
        text, file, line, column, futures, names = source
        code = _compiled(FunctionSource(text, _file_name(file, node), line, column, futures, tuple(names)))
        closure = tuple(made_cells[number] for number in free)
        function = FunctionType(code, made_namespaces[namespace], name, None, closure)
        function.__qualname__ = qualname
        function.__module__ = namespaces[namespace][0]
        made.append(function)

    def value(packed: tuple[Any, ...]) -> Any:
        match packed:
            case ("data", data):
                return data
            case ("function", int(index)):
                return made[index]
            case ("name", str(module), str(name)):
                return rpc_functions.find(module, name)
            case ("module", str(module)):
                return rpc_functions.find_module(module)
        msg = f"malformed value of a function: {packed!r}"
        raise ValueError(msg)

    for function, ((_, _, _, _, defaults, by_name), _) in zip(made, functions, strict=True):
        function.__defaults__ = tuple(map(value, defaults)) or None
        function.__kwdefaults__ = {key: value(each) for key, each in by_name.items()} or None
    for names, (_, packed) in zip(made_namespaces, namespaces, strict=True):
        names.update({name: value(each) for name, each in packed.items()})
    for cell, each in zip(made_cells, cells, strict=True):
        if each is not None:
            cell.cell_contents = value(each)
    return made[0]


def _file_name(file: str, node: str) -> str:
    """Returns the name of the source in tracebacks: `<pyx 3 of gus@vm>`."""
    if not node:
        return file
    return f"<{file.removeprefix('<').removesuffix('>')} of {node}>"


@lru_cache(maxsize=FILES_KEPT)
def _compiled(source: FunctionSource) -> CodeType:
    """Compiles a source, and keeps its lines for tracebacks."""
    try:
        code = source.compiled()
    except SyntaxError as error:
        version = sys.version.split()[0]
        msg = f"this node runs Python {version}, which cannot compile {source.file}: {error.msg}"
        raise SyntaxError(msg) from None
    if source.file.startswith("<") and " of " in source.file:
        keep_lines(source.file, source.text, source.line, source.column)
    return code


def keep_lines(file: str, text: str, line: int = 1, column: int = 0) -> None:
    """Keeps a text that begins at *line* and *column* of a file which is not here, for tracebacks."""
    known = linecache.cache.get(file)
    lines = list(known[2]) if known is not None and len(known) == 4 else []
    first, *others = f"{text}\n".splitlines(keepends=True)
    mine = [" " * column + first, *others]
    lines += ["\n"] * (line - 1 + len(mine) - len(lines))
    lines[line - 1 : line - 1 + len(mine)] = mine
    linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
    _files[file] = None
    _files.move_to_end(file)
    while len(_files) > FILES_KEPT:
        linecache.cache.pop(_files.popitem(last=False)[0], None)
