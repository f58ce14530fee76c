"""`edit(x)`: the source of a thing in $VISUAL or $EDITOR, at its line; what was changed is reloaded."""

from __future__ import annotations

import inspect
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.errors import PyxError
from pyx.shell.directories import expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

_PLUS_LINE: Final = frozenset({
    "ed", "ex", "vi", "vim", "nvim", "view", "gvim", "nano", "pico", "emacs", "emacsclient", "mg", "ne",
    "jed", "joe", "micro", "kak", "mcedit",
})  # fmt: skip
"""Editors that are told the line by `+12 FILE`."""
_GO_TO: Final = frozenset(["code", "code-insiders", "codium", "cursor", "windsurf"])
"""Editors that are told the line by `-g FILE:12`."""
_WITH_COLON: Final = frozenset(["subl", "hx", "helix", "zed"])
"""Editors that are told the line by `FILE:12`."""
_RETURN_AT_ONCE: Final = _GO_TO | {"subl", "zed"}
"""Editors that wait for the end of the editing only with `--wait`."""


class SourcePlace(NamedTuple):
    """A file, a line from 1 on, and the module that the file is, if it is loaded."""

    file: str
    line: int
    module: str | None


def place_of(thing: Any) -> SourcePlace:
    """Returns where a module, a class or a function is written.

    Raises:
        PyxError: it has no file: it was typed, or is built in.
    """
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", repr(thing))
    thing = inspect.unwrap(thing) if callable(thing) and not isinstance(thing, type) else thing
    if not isinstance(thing, (ModuleType, type)) and not hasattr(thing, "__code__"):
        thing = getattr(thing, "__func__", getattr(thing, "func", None)) or type(thing)
    module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
    try:
        file = inspect.getsourcefile(thing)
    except TypeError:
        raise PyxError(f"{name} has no source in Python: it is built in") from None
    if file is None or not Path(file).is_file():
        raise PyxError(f"{name} was typed at a prompt: it is in no file", hint="put it into a module")
    try:
        line = 1 if isinstance(thing, ModuleType) else max(inspect.getsourcelines(thing)[1], 1)
    except OSError:  # the file was changed since, and has no such line
        line = 1
    return SourcePlace(str(Path(file).absolute()), line, module)


def place_in_file(text: str) -> SourcePlace | None:
    """Returns the place that `"shop.py"` or `"shop.py:12"` names; None if there is no such file."""
    name, colon, number = text.rpartition(":")
    line = int(number) if colon and number.isdecimal() else 1
    path = expanded(name if colon and number.isdecimal() else text).absolute()
    if not path.is_file():
        return None
    loaded = (
        key
        for key, module in [*sys.modules.items()]
        if type(module) is ModuleType and module.__dict__.get("__file__") == str(path)
    )
    return SourcePlace(str(path), max(line, 1), next(loaded, None))


def editor_command(place: SourcePlace, environment: Mapping[str, str]) -> list[str]:
    """Returns the words of the command that opens the editor at a place.

    Raises:
        PyxError: neither $VISUAL nor $EDITOR is set, or they hold no command.
    """
    variable = "VISUAL" if environment.get("VISUAL") else "EDITOR"
    try:
        words = shlex.split(environment.get(variable, ""))
    except ValueError:
        raise PyxError(f"${variable} is not a command: {environment[variable]}") from None
    if not words:
        raise PyxError(
            f"no editor is chosen to open {place.file} line {place.line}",
            hint="set VISUAL or EDITOR, for example EDITOR=nano, and start the shell again",
        )
    editor = Path(words[0]).name
    if editor in _RETURN_AT_ONCE and not {"--wait", "-w"} & {*words}:
        words.append("--wait")
    if editor in _PLUS_LINE:
        return [*words, f"+{place.line}", place.file]
    if editor in _GO_TO:
        return [*words, "-g", f"{place.file}:{place.line}"]
    return [*words, f"{place.file}:{place.line}" if editor in _WITH_COLON else place.file]


def edit(
    place: SourcePlace,
    reload: Callable[[str], str],
    say: Callable[[str], None],
    lend_terminal: Callable[[], AbstractContextManager[None]],
) -> None:
    """Opens the editor, waits for its end, and reloads the module if its file has changed.

    The editor is in the process group of the shell, as a command of a shell script would be: Ctrl-Z stops
    both, and Ctrl-C is the editor's alone.

    Args:
        place: what is edited.
        reload: reloads a module by its name, and returns what changed.
        say: shows a line.
        lend_terminal: keeps the output of processes back inside.

    Raises:
        PyxError: there is no editor, no terminal for it, or no file.
        BaseException: the error of the changed code; the old code stays.
    """
    command = editor_command(place, os.environ)
    if not (
        threading.current_thread() is threading.main_thread()
        and sys.__stdin__ is not None
        and sys.__stdin__.isatty()
    ):
        raise PyxError(f"edit() needs the terminal of a prompt; it would open {place.file} line {place.line}")
    before = _content(place.file)
    sys.stdout.flush()
    try:
        with lend_terminal():
            code = _run(command)
    except OSError as error:
        raise PyxError(f"cannot run the editor {command[0]}: {error.strerror}") from None
    if code:
        say(f"{Path(command[0]).name} ended with exit code {code}")
    if _content(place.file) == before:
        say(f"{place.file} is unchanged")
    elif place.module == "__main__":
        say(f"{place.file} has changed; it is the program itself, which is not reloaded")
    elif place.module not in sys.modules:
        say(f"{place.file} has changed")
    else:
        say(reload(place.module))


def _run(command: list[str]) -> int:
    """Runs a command on the terminal, without heed to the Ctrl-C that is meant for it; returns its code."""
    # A handler, and not SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own editor
    finally:
        signal.signal(signal.SIGINT, before)


def _content(file: str) -> bytes | None:
    try:
        return Path(file).read_bytes()
    except OSError:
        return None
