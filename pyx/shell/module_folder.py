"""The modules that lie in a folder, by their file names: what a project offers, without importing any of it.

What cannot be looked at is not a module: a folder without permission, a link in a circle, a file that
vanishes meanwhile, a current directory that was deleted.  See `project` for importing and reloading.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

_NEVER: Final = frozenset({"setup", "conftest", "noxfile"})
"""Files that do something when imported, or belong to a tool."""


class ModuleFolder:
    """The folder *directory*, or its `src` where it has one."""

    def __init__(self, directory: str) -> None:
        given = absolute(directory)
        sources = given / "src"
        self.root = sources if os.path.isdir(sources) else given  # noqa: PTH112 - see `_is_file`

    @property
    def is_there(self) -> bool:
        """False where the current directory was deleted, and the folder with it."""
        return self.root.is_absolute()

    def modules(self) -> dict[str, Path]:
        """The file or package of each module."""
        found: dict[str, Path] = {}
        try:
            entries = list(os.scandir(self.root))
        except OSError:
            return found
        for entry in entries:
            name = entry.name.removesuffix(".py")
            if not _may_be_module(name):
                continue
            path = Path(entry.path)
            if _is_file(path if name != entry.name else path / "__init__.py"):
                found[name] = path
        return found

    def module(self, name: str) -> Path | None:
        """The file or package of the module *name*, looked up without a list of all."""
        if not _may_be_module(name):
            return None
        package, file = self.root / name, self.root / f"{name}.py"
        if _is_file(package / "__init__.py"):
            return package
        return file if _is_file(file) else None

    def origin_elsewhere(self, name: str) -> str | None:
        """Where a module *name* outside the folder comes from; None if there is none."""
        if name in sys.builtin_module_names:
            return "built-in"
        loaded = sys.modules.get(name)
        if loaded is not None:
            file = getattr(loaded, "__file__", None)
            return None if file is None or Path(file).is_relative_to(self.root) else str(file)
        others = [entry for entry in sys.path if entry and absolute(entry) != self.root]
        spec = PathFinder.find_spec(name, others)
        return spec.origin if spec is not None and spec.origin is not None else None


def names_elsewhere() -> set[str]:
    """The names of all modules that Python finds on `sys.path`, and some more; imports nothing."""
    names = {*sys.builtin_module_names, *sys.stdlib_module_names, *sys.modules}
    for entry in sys.path:
        with suppress(OSError):
            names.update(file.partition(".")[0] for file in os.listdir(entry))  # noqa: PTH208 - only names
    return names


def absolute(path: str) -> Path:
    """*path* from the root on; as it is where the current directory was deleted."""
    try:
        return Path(path).absolute()
    except OSError:
        return Path(path)


def _may_be_module(name: str) -> bool:
    return name.isidentifier() and name not in _NEVER and not name.startswith("__")


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path's own raises where the permission is missing
