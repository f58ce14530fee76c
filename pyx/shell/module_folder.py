"""The modules of a folder, by their file names; none is imported.

An entry that cannot be read is not a module: a folder without permission, a circular link, a file that
vanishes meanwhile, a deleted current directory.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

_NEVER: Final = frozenset({"setup", "conftest", "noxfile"})
"""Files that have side effects when they are imported, or belong to a tool."""


class ModuleFolder:
    """The folder *directory*, or its `src` if it has one."""

    def __init__(self, directory: str) -> None:
        given = absolute(directory)
        sources = given / "src"
        self.root = sources if os.path.isdir(sources) else given  # noqa: PTH112 - see `_is_file`

    @property
    def is_there(self) -> bool:
        """False if the current directory was deleted, and the folder with it."""
        return self.root.is_absolute()

    def modules(self) -> dict[str, Path]:
        """Returns module name -> file or package."""
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
        """Returns the file or package of the module *name*; reads no list of the folder."""
        if not _may_be_module(name):
            return None
        package, file = self.root / name, self.root / f"{name}.py"
        if _is_file(package / "__init__.py"):
            return package
        return file if _is_file(file) else None

    def origin_elsewhere(self, name: str) -> str | None:
        """Returns the origin of a module *name* outside the folder; None if there is none."""
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
    """Returns the names of all modules (and other files) on `sys.path`; imports nothing."""
    names = {*sys.builtin_module_names, *sys.stdlib_module_names, *sys.modules}
    for entry in sys.path:
        with suppress(OSError):
            names.update(file.partition(".")[0] for file in os.listdir(entry))  # noqa: PTH208 - only names
    return names


def absolute(path: str) -> Path:
    """Returns the absolute path; *path* unchanged if the current directory was deleted."""
    try:
        return Path(path).absolute()
    except OSError:
        return Path(path)


def _may_be_module(name: str) -> bool:
    return name.isidentifier() and name not in _NEVER and not name.startswith("__")


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path's own raises if a permission is missing
