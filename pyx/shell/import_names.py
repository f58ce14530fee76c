"""The names that an import statement may have at the cursor.  Nothing is imported.

A module that is not loaded is looked for as `import` does it, by its files alone: in `sys.path`, or in the
directories of its package.  Its names are those that its source binds at the top.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sys
from importlib.machinery import all_suffixes
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.execution.syntax_trees import syntax_tree
from pyx.introspection import module_dict
from pyx.shell.static_values import attribute_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BEGIN: Final = r"(?:^|[;:\n])\s*"
_MODULE: Final = re.compile(
    _BEGIN + r"(?:import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*,\s*)*|from\s+)(\.*)((?:\w+\.)*)(\w*)$"
)
_NAME: Final = re.compile(
    _BEGIN + r"from\s+(\.*)([\w.]*)\s+import\s+\(?\s*(?:\w+(?:\s+as\s+\w+)?\s*,\s*)*(\w*)$"
)
_WORD_IMPORT: Final = re.compile(_BEGIN + r"from\s+[\w.]+\s+(i\w*)$")
_MOST_BYTES: Final = 1 << 20


class ImportNames(NamedTuple):
    """The text from `start` to the cursor is the beginning of one of `names`."""

    start: int
    names: Iterable[str]


def import_names(before: str, package: str | None, top: Iterable[str]) -> ImportNames | None:
    """Returns the names that may stand at the end of *before*; None if it ends in no import statement.

    Args:
        before: the text up to the cursor.
        package: what a relative name is relative to; None: nothing.
        top: names of modules beside those that are loaded, and those of the standard library.
    """
    if found := _NAME.search(before):
        dots, module, _ = found.groups()
        full = _full_name(dots, module, package)
        names = [] if full is None else [*_names_in(full), *_submodules(full)]
        return ImportNames(found.start(3), names)
    if found := _WORD_IMPORT.search(before):
        return ImportNames(found.start(1), ["import"])
    if found := _MODULE.search(before):
        dots, parents, _ = found.groups()
        start = found.start(3)
        if not dots and not parents:
            loaded = {name.partition(".")[0] for name in list(sys.modules)}
            return ImportNames(start, [*loaded, *sys.stdlib_module_names, *top, *_listed(None)])
        full = _full_name(dots, parents.rstrip("."), package)
        return ImportNames(start, [] if full is None else _submodules(full))
    return None


def _full_name(dots: str, module: str, package: str | None) -> str | None:
    if not dots:
        return module
    if package is None:
        return None
    parts = package.split(".")
    parts = parts[: len(parts) - (len(dots) - 1)]
    return ".".join([*parts, module] if module else parts) or None


def _submodules(package: str) -> Iterator[str]:
    """Yields the modules in a package, also those of a module such as `os`, which has `os.path`."""
    beginning = f"{package}."
    for name in list(sys.modules):
        if name.startswith(beginning):
            yield name[len(beginning) :].partition(".")[0]
    yield from _listed(package)


def _names_in(module: str) -> Iterable[str]:
    loaded = sys.modules.get(module)
    if type(loaded) is ModuleType or module_dict(module) is not None:
        return attribute_names(loaded)
    source = _source_of(module)
    try:
        tree = syntax_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [name for node in tree.body for name in _bound(node)]


def _bound(node: ast.stmt) -> Iterator[str]:
    """Yields the names that a statement of a module's top level binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((each.asname or each.name).partition(".")[0] for each in names if each.name != "*")
        case ast.Assign(targets=targets):
            yield from (each.id for target in targets for each in ast.walk(target) if type(each) is ast.Name)
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.If() | ast.Try() | ast.With():
            for field in ("body", "orelse", "handlers", "finalbody"):
                for inner in getattr(node, field, ()):
                    yield from _bound(inner) if isinstance(inner, ast.stmt) else _bound_in(inner)


def _bound_in(handler: ast.ExceptHandler) -> Iterator[str]:
    for inner in handler.body:
        yield from _bound(inner)


def _source_of(module: str) -> bytes:
    parent, _, name = module.rpartition(".")
    for folder in _folders(parent or None):
        for path in (Path(folder, name, "__init__.py"), Path(folder, f"{name}.py")):
            with contextlib.suppress(OSError), path.open("rb") as file:
                return file.read(_MOST_BYTES)
    return b""


def _folders(package: str | None) -> list[str]:
    """Returns the directories in which the modules of a package are; for None the top-level ones."""
    if package is None:
        return [folder or "." for folder in list(sys.path) if type(folder) is str]
    loaded = module_dict(package)
    if loaded is not None:
        path: Any = loaded.get("__path__", ())
        return [folder for folder in path if type(folder) is str] if type(path) in _PATHS else []
    parent, _, name = package.rpartition(".")
    return [f"{folder}/{name}" for folder in _folders(parent or None)]


_PATHS: Final = (list, tuple)


def _listed(package: str | None) -> Iterator[str]:
    """Yields the modules that have files in the directories of a package."""
    suffixes = tuple(all_suffixes())
    for folder in _folders(package):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name.partition(".")[0]
                if not name.isidentifier() or name == "__init__":
                    continue
                is_module = entry.name.endswith(suffixes)
                if is_module or (entry.name == name and name != "__pycache__" and entry.is_dir()):
                    yield name
