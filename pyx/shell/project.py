"""The user's modules: found in the project directory, bound to their bare names, reloaded on request."""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import PyxError
from pyx.shell.module_folder import ModuleFolder, absolute, names_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable


class Project:
    """The modules of one directory.

    Args:
        directory: the project; its modules are in its `src`, if it has one.
        say: shows one line about an import.
        warn: shows one line about a module that another one hides.
    """

    installed: Project | None = None
    """The project of the `pyx` that this OS process is; None in a program that has started a node."""

    def __init__(self, directory: str, say: Callable[[str], None], warn: Callable[[str], None]) -> None:
        self._folder = ModuleFolder(directory)
        self.root = self._folder.root
        self._say = say
        self._warn = warn
        self._warned: set[str] = set()
        self._sources: dict[str, tuple[int, bytes]] = {}  # module -> its file's mtime in ns and digest

    def install(self, program_folder: str | None = None) -> None:
        """Puts the directory at the *end* of `sys.path`: its modules cannot hide an installed one.

        Args:
            program_folder: the folder of the file that runs; it comes first, as under Python, even if it is
                the project's.
        """
        Project.installed = self
        root = str(self.root)
        # `python -m pyx` has put the current directory in front
        sys.path[:] = [entry for entry in sys.path if entry and str(absolute(entry)) != root]
        if program_folder is not None:
            sys.path.insert(0, program_folder)
        if program_folder == root:
            return
        files = self._folder.modules()
        for name in sorted(files.keys() & names_elsewhere()):
            if files[name].suffix == ".py":
                self._warn_if_hidden(name, files[name])
        if self._folder.is_there:
            sys.path.append(root)

    def module_names(self) -> list[str]:
        """Returns the top-level modules and packages, by their file names; imports nothing."""
        return sorted(self._folder.modules())

    def bind_names(
        self,
        tree: ast.Module,
        names: dict[str, Any],
        lower: dict[str, Any],
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Imports the project's modules whose names *tree* reads and nothing binds; called before it runs.

        Args:
            tree: an input.
            names: its names.
            lower: the names below these.
            say: shows a line about an import at another prompt than the project's own.
        """
        self.note_sources()
        free, imported = free_names(tree)
        for name in imported:
            if (file := self._folder.module(name)) is not None:
                self._warn_if_hidden(name, file)
        # Looked up one by one first: listing a folder with a hundred thousand files takes a second.
        unbound = {
            name: self._folder.module(name) for name in free if name not in names and name not in lower
        }
        if not any(unbound.values()):
            return
        listed = self._folder.modules()  # a file system may not tell `A` from `a`, but the list does
        for name, file in unbound.items():
            if file is not None and name in listed and not self._warn_if_hidden(name, file):
                names[name] = importlib.import_module(name)
                (say or self._say)(f"imported {name}")
        self.note_sources()

    def reload(self, module: object) -> str:
        """Reloads a module, given itself or by name; returns lines about what changed, and what has not.

        Raises:
            TypeError: *module* is neither.
            PyxError: it is the program of this node, `pyx FILE`.
            BaseException: the error of the new code; the old code stays.
        """
        if isinstance(module, str):
            module = importlib.import_module(module)
        if not isinstance(module, ModuleType):
            msg = f"r() takes a module or its name, not {module!r}"
            raise TypeError(msg)
        name = module.__name__
        if name == "__main__":
            msg = "the program itself is not reloaded: restart it, or keep what changes in another module"
            raise PyxError(msg)
        before = dict(module.__dict__)
        _forget_bytecode(module)
        try:
            importlib.reload(module)
        except BaseException:
            for key in set(module.__dict__) - set(before):
                del module.__dict__[key]
            module.__dict__.update(before)
            raise
        self._remember(name, module)
        from pyx.shell.old_servers import servers_of_old_classes  # few starts reload anything

        changes = f"reloaded {name}: {_difference(name, before, module.__dict__)}"
        return "\n".join([changes, *servers_of_old_classes(module)])

    def recompile(self) -> list[str]:
        """Reloads the imported modules of the project whose files changed; returns a line for each."""
        self.note_sources()
        changed: list[ModuleType] = []
        for name, (mtime, digest) in list(self._sources.items()):
            module = sys.modules.get(name)
            now = _source_of(module, self.root) if module is not None else None
            if module is not None and now is not None and now[0] != mtime and _digest(now[1]) != digest:
                changed.append(module)
        return [self.reload(module) for module in changed]

    def note_sources(self) -> None:
        """Remembers the sources of all modules imported since the last call, by any code."""
        for name, module in list(sys.modules.items()):
            if name not in self._sources and isinstance(module, ModuleType):
                self._remember(name, module)

    def _remember(self, name: str, module: ModuleType) -> None:
        source = _source_of(module, self.root)
        if source is not None:
            self._sources[name] = (source[0], _digest(source[1]))

    def _warn_if_hidden(self, name: str, file: Path) -> bool:
        """Warns once, and returns True, if importing *name* finds another module than *file*."""
        other = self._folder.origin_elsewhere(name)
        if other is None:
            return False
        if name not in self._warned:
            self._warned.add(name)
            self._warn(f"{file.name} is hidden by the module {name} ({other}): rename it to use it")
        return True


def free_names(tree: ast.Module) -> tuple[list[str], list[str]]:
    """Returns the names that *tree* reads before it binds them, and the top-level modules it imports."""
    read, bound, imported = _names_in(tree)
    free = [name for name in read if name not in bound]
    before: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign):  # `pos = spawn(pos.ask)` reads the module, then hides it
            first, own, _ = _names_in(statement.value)
            free += [name for name in first if name in bound and name not in own | before]
        before |= _names_in(statement)[1]
    return list(dict.fromkeys(free)), imported


def _names_in(tree: ast.AST) -> tuple[list[str], set[str], list[str]]:
    """Returns the names that *tree* reads (in order), those that it binds, and the modules it imports."""
    read: dict[str, None] = {}
    bound: set[str] = set()
    imported: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read[name] = None
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case (
                ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name))
            ):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.Import(names=aliases):
                bound.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
                imported += [alias.name.partition(".")[0] for alias in aliases]
            case ast.ImportFrom(module=module, names=aliases, level=0):
                bound.update(alias.asname or alias.name for alias in aliases)
                imported.append((module or "").partition(".")[0])
            case _:
                pass
    return list(read), bound, imported


def _source_of(module: ModuleType, root: Path) -> tuple[int, Path] | None:
    """Returns the mtime and path of the file of a project's module; None for any other module.

    The program of `pyx FILE` is a module of its name, but runs once: it is not reloaded.
    """
    if module.__dict__.get("__name__") == "__main__":
        return None
    file = module.__dict__.get("__file__")
    if not isinstance(file, str) or not file.startswith(str(root) + os.sep) or not file.endswith(".py"):
        return None
    try:
        return Path(file).stat().st_mtime_ns, Path(file)
    except OSError:
        return None


def _forget_bytecode(module: ModuleType) -> None:
    # Python notices a changed source by its size and its time in whole seconds; an edit can be quicker.
    importlib.invalidate_caches()
    cached = getattr(module, "__cached__", None)
    if isinstance(cached, str):
        with suppress(OSError):
            Path(cached).unlink()


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""


# ---------------------------------------------------------------- what a reload changed


def _difference(name: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """Returns a line about what changed; removes from *after* what the file no longer defines."""
    changed: list[str] = []
    new: list[str] = []
    gone: list[str] = []
    for key, value in list(after.items()):
        if not _is_defined_in(name, value):
            continue
        if key not in before:
            new.append(key)
        elif before[key] is value:  # a `def` or `class` that runs again makes another object
            del after[key]
            gone.append(key)
        elif _fingerprint(before[key]) != _fingerprint(value):
            changed.append(key)
    parts = [
        f"{word} {', '.join(keys)}"
        for word, keys in (("changed", changed), ("new", new), ("gone", gone))
        if keys
    ]
    return "; ".join(parts) or "no function changed"


def _is_defined_in(module: str, value: object) -> bool:
    return isinstance(value, (FunctionType, type)) and value.__module__ == module


def _fingerprint(value: object) -> object:
    if isinstance(value, FunctionType):
        return (_code_fingerprint(value.__code__), repr(value.__defaults__), repr(value.__kwdefaults__))
    if isinstance(value, type):
        return [(key, _fingerprint(item)) for key, item in vars(value).items() if key not in _OF_ANY_CLASS]
    if isinstance(value, (staticmethod, classmethod)):
        return _fingerprint(value.__func__)
    return type(value) if callable(value) else repr(value)


_OF_ANY_CLASS: Final = frozenset({"__dict__", "__weakref__", "__module__", "__firstlineno__"})


def _code_fingerprint(code: CodeType) -> object:
    constants = [
        _code_fingerprint(constant) if isinstance(constant, CodeType) else repr(constant)
        for constant in code.co_consts
    ]
    return (code.co_code, code.co_names, code.co_varnames, constants)
