"""`c("file.py")`: a file becomes a module of its name, wherever it is, and can be reloaded by `r`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import PyxError
from pyx.shell.directories import expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import ModuleType


class LoadedFiles:
    """The files that `c` has loaded, as the importer asks for them after all other places."""

    def __init__(self) -> None:
        self._files: Final[dict[str, Path]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Returns the specification of a module that was loaded by `c`; the importer's protocol."""
        del path, target
        file = self._files.get(name)
        return importlib.util.spec_from_file_location(name, file) if file is not None else None

    def load(self, given: str, reload: Callable[[ModuleType], str], say: Callable[[str], None]) -> ModuleType:
        """Loads a file, or reloads it, and returns its module.

        Args:
            given: the path of a `.py` file.
            reload: reloads a module, and returns what changed.
            say: shows a line.

        Raises:
            PyxError: there is no such file, its name is that of another module, or it calls exit().
            BaseException: the error of the code; there is no new module then.
        """
        file = expanded(given).absolute()
        name = file.stem
        if file.suffix != ".py" or not name.isidentifier():
            raise PyxError(
                f"{given or repr(given)} cannot be a module: that is a file such as shop.py, "
                "whose name is a name of Python"
            )
        if not file.is_file():
            raise PyxError(f"there is no file {file}")
        there = sys.modules.get(name)
        if there is not None:
            its_file = there.__dict__.get("__file__")
            if type(its_file) is not str or not file.samefile(its_file):
                raise PyxError(
                    f"there is a module {name} already, of {its_file or 'Python itself'}",
                    hint=f"rename {file.name}",
                )
            say(reload(there))
            return there
        if self not in sys.meta_path:
            sys.meta_path.append(self)
        self._files[name] = file
        importlib.invalidate_caches()
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or not file.samefile(spec.origin):
            del self._files[name]
            where = spec.origin if spec is not None else "nowhere"
            raise PyxError(f"a module {name} would be imported from {where}", hint=f"rename {file.name}")
        try:
            module = importlib.import_module(name)
        except SystemExit:  # of a script: it would end the shell
            raise PyxError(
                f"{file} calls exit(), so it is not loaded",
                hint='put what a script runs below `if __name__ == "__main__":`',
            ) from None
        say(f"loaded {name} from {file}")
        return module


loaded_files: Final = LoadedFiles()
"""Those of this operating-system process."""
