"""What pyx has instead of words that it does not know: slips, and options of python, iex, IPython, ptpython.

Imported for a wrong command line alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.close_words import close_word

if TYPE_CHECKING:
    from collections.abc import Iterable

_INTERPRETER: Final = "it is an option of Python: `python {} -m pyx ...`"
_LOG: Final = "the log is Python's: `logging` in your program sets it up"
_PATHS: Final = "`-S DIR` finds the modules of DIR; PYTHONPATH holds for all of Python"
_ERLANG: Final = "there is no Erlang machine here; `pyx --help` shows the options of a node"
_SETTINGS: Final = "~/.config/pyx/config.toml has the settings of the prompt"
_THEME: Final = "`theme` in ~/.config/pyx/config.toml; NO_COLOR=1 shows no colours"
_DEBUGGER: Final = "`breakpoint()` stops anywhere; after an error `import pdb; pdb.pm()`"
_BANNER: Final = "the banner is one line, and is shown on a terminal alone"

_INSTEAD: Final = {
    **dict.fromkeys(("-b", "-B", "-E", "-I", "-O", "-OO", "-P", "-s", "-u", "-W", "-X", "-x"), _INTERPRETER),
    "-d": _INTERPRETER,
    "-v": "-V shows the version",
    "-q": _BANNER,
    # iex and elixir
    "--dbg": _DEBUGGER,
    "--no-pry": _DEBUGGER,
    "--dot-iex": "--start-file FILE runs a file before the first prompt",
    "--eval": "-e CODE runs code",
    "--require": "-r FILE loads a file before the prompt",
    "-pr": "-r FILE loads a file before the prompt (repeatable)",
    "-pa": _PATHS,
    "-pz": _PATHS,
    "--app": "`[tool.pyx] application` in pyproject.toml names what is started",
    "--short-version": "--version shows the version",
    "--logger-otp-reports": _LOG,
    "--logger-sasl-reports": _LOG,
    "--color": _THEME,
    "--no-color": _THEME,
    **dict.fromkeys(
        ("--erl", "--werl", "--boot", "--boot-var", "--erl-config", "--vm-args", "--pipe-to"), _ERLANG
    ),
    "-sname": "--sname NAME, with two dashes",
    "-name": "--name NAME@HOST, with two dashes",
    "-setcookie": "--cookie-file F",
    "-remsh": "--remsh NODE, with two dashes",
    "-noshell": "--no-halt runs a program, or the project's application, without a prompt",
    "-detached": "--no-halt runs a service; a supervisor such as systemd keeps it in the background",
    # IPython and ptpython
    "--no-banner": _BANNER,
    "--quick": "--no-start-file runs no start file",
    "--no-startup": "--no-start-file runs no start file",
    **dict.fromkeys(("--profile", "--config", "--config-file"), _SETTINGS),
    "--dark-bg": _THEME,
    "--light-bg": _THEME,
    "--ext": "`preload` in ~/.config/pyx/config.toml imports modules before the prompt",
    "--vi": "`editing-mode` in ~/.config/pyx/config.toml",
    "--pdb": _DEBUGGER,
    "--colors": _THEME,
    "--logfile": "--record FILE records the session",
    "--logappend": "--record FILE records the session",
    "--matplotlib": "`matplotlib.pyplot.ion()` at the prompt",
    "--pylab": "`matplotlib.pyplot.ion()` at the prompt",
    "--asyncio": "`await` works at the prompt without an option",
    "--interactive": "-i shows a prompt after CODE or FILE",
    "--history-file": "PYX_HISTORY=FILE is the file of the history",
}

_COMMANDS: Final = {
    "help": "pyx --help",
    "version": "pyx --version",
    "attach": "pyx --remsh NODE",
    "remsh": "pyx --remsh NODE",
    "eval": "pyx -e CODE",
    "run": "pyx FILE",
    "test": "pyx replay",
    "init": "pyx new NAME",
    "nodes": "pyx names",
    "ps": "pyx names",
}


def instead_of_command(word: str, commands: Iterable[str]) -> str | None:
    """Returns a question about the one of *commands* that *word*, which is not a file, is meant for."""
    own = close_word(word, commands) if word.isalpha() else None
    meant = _COMMANDS.get(word) or (None if own is None else f"pyx {own}")
    return None if meant is None else f"did you mean {meant}?"


def instead_of(word: str) -> str | None:
    """Returns what pyx has instead of the option *word* of another shell; None if nothing is known of it."""
    flag = word.partition("=")[0]
    if flag not in _INSTEAD and word[:1] == "-" and word[:2] in {"-W", "-X"}:
        flag = word[:2]  # the value may follow without a blank
    found = _INSTEAD.get(flag)
    return None if found is None else found.replace("{}", word)
