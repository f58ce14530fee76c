"""What a program comes from: a file, a zip file, a module of `-m`, and what `-r` loads before it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipimport import ZipImportError, zipimporter

from pyx import errors
from pyx.execution import thread_state
from pyx.execution.tracebacks import user_frames
from pyx.shell.evaluate import StatementRaised, error_text
from pyx.shell.program import decoded, exit_code, run_source, show_uncaught

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec

    from pyx.shell.evaluate import Evaluator
    from pyx.shell.project import Project


def folder_of(file: str | None, *, runs_module: bool = False) -> str | None:
    """Returns what comes first on `sys.path` for a program; None for a pipe, and where Python puts nothing.

    Args:
        file: the path of the program: its folder comes first, and a zip file itself.
        runs_module: True for `-m`: the current directory comes first.
    """
    if sys.flags.safe_path:
        return None
    if runs_module:
        return os.getcwd()  # noqa: PTH109 - a str
    if file is None or not os.path.isfile(file):  # noqa: PTH113 - raises nothing if a permission is missing
        return None
    return file if archive(file) is not None else os.path.dirname(os.path.realpath(file))  # noqa: PTH120 - as Python makes it


def archive(file: str) -> zipimporter | None:
    """Returns the importer of a program that is a zip file; None if *file* is anything else."""
    if file.endswith(".py") or not os.path.isfile(file):  # noqa: PTH113 - the same; a pipe is not read here
        return None
    try:
        return zipimporter(file)
    except ZipImportError:
        return None


def run_file(evaluator: Evaluator, file: str, public: Mapping[str, Any]) -> int | None:
    """Runs a program's *file*, which may be a zip file; see `run_program`.

    Args:
        evaluator: runs it.
        file: its path.
        public: names that become globals of the program if it reads them and does not define them.

    Returns:
        None if it ended without an error or SystemExit, else the exit code.

    Raises:
        PyxError: the file is not text, or has no `__main__`.
    """
    from importlib.machinery import SourceFileLoader

    path = os.path.join(os.getcwd(), file)  # noqa: PTH109, PTH118 - as Python makes it: `..` stays
    if (packed := archive(file)) is not None:
        try:
            source = packed.get_source("__main__")
        except ZipImportError:
            source = None
        if source is None:
            msg = f"{file} is a zip file without a __main__.py"
            raise errors.PyxError(msg)
        path = os.path.join(path, "__main__.py")  # noqa: PTH118 - a str
        return run_source(evaluator, source, path, public, __loader__=packed, __package__="")
    with thread_state.interruptible():  # a pipe may wait for its writer
        data = Path(file).read_bytes()
    source = decoded(data, file)
    _make_importable(Path(path).stem)
    return run_source(evaluator, source, path, public, __loader__=SourceFileLoader("__main__", path))


def run_module(evaluator: Evaluator, name: str, public: Mapping[str, Any]) -> int | None:
    """Runs the module *name* as the program, of a package its `__main__`, as `python -m` does.

    Raises:
        PyxError: there is no such module, or it has no source.
    """
    from importlib.util import find_spec

    def find() -> ModuleSpec | None:
        spec = find_spec(name)  # imports the packages that it is in
        if spec is None or spec.submodule_search_locations is None:
            return spec
        return find_spec(f"{name}.__main__")

    try:
        spec = evaluator.call(find)
    except (ModuleNotFoundError, ValueError) as error:
        if isinstance(error, ModuleNotFoundError) and not f"{name}.__main__".startswith(f"{error.name}."):
            return show_uncaught(evaluator, StatementRaised(error, error_text(error)))
        spec = None
    except SystemExit as leaving:
        return exit_code(leaving.code)
    except BaseException as error:  # a package runs user code
        return show_uncaught(evaluator, StatementRaised(error, error_text(error)))
    source = getattr(spec.loader, "get_source", lambda _: None)(spec.name) if spec is not None else None
    if spec is None or source is None or spec.origin is None:
        is_found = name in sys.modules or (spec is not None)
        problem = f"the module {name} has no source to run" if is_found else f"there is no module {name}"
        raise errors.PyxError(problem)
    sys.argv[0] = spec.origin
    if not spec.name.endswith(".__main__"):
        _make_importable(spec.name)
    names = {"__loader__": spec.loader, "__spec__": spec, "__package__": spec.parent}
    return run_source(evaluator, source, spec.origin, public, **names)


def require(evaluator: Evaluator, file: str, project: Project, say: Callable[[str], None]) -> int | None:
    """Loads *file* as `c(file)` at a prompt does, and binds its module's name for what follows (`-r`).

    Differs from IEx: there the modules have the names that the file gives them.

    Args:
        evaluator: of the programs and of the prompt.
        file: its path.
        project: reloads the module if it is loaded already.
        say: shows a line.

    Returns:
        None if it ended without an error or SystemExit, else the exit code.

    Raises:
        PyxError: a module cannot have that name, or another one has it.
    """
    from pyx.shell.loaded_files import loaded_files

    try:
        module = evaluator.call(loaded_files.load, file, project.reload, say)
    except SystemExit as leaving:
        return exit_code(leaving.code)
    except BaseException as error:  # the border to user code: it may raise anything
        is_of_user = user_frames(error.__traceback__, keep_library=False) is not None
        if isinstance(error, errors.PyxError) and not is_of_user:
            raise
        return show_uncaught(evaluator, StatementRaised(error, error_text(error)))
    evaluator.names[module.__name__] = module
    return None


def _make_importable(name: str) -> None:
    """Makes the program the module of its stem, or of `-m`, too: other nodes call its functions by that name.

    It is one module under two names, never a second copy.  A name that a module of the standard library has,
    or that is loaded already, stays that module's.  Differs from `python FILE`: there `import` of the
    program's own file runs it a second time.
    """
    package, _, stem = name.rpartition(".")
    if not stem.isidentifier() or name.partition(".")[0] in sys.stdlib_module_names or name in sys.modules:
        return
    main = sys.modules[name] = sys.modules["__main__"]
    if package:
        setattr(sys.modules[package], stem, main)
