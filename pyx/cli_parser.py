"""The options of the command `pyx`, and their help; those of a node come from `options.py`."""

from __future__ import annotations

import argparse
import functools
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

import pyx
from pyx.options import OPTIONS, shown
from pyx.shell.standard_streams import complain, write_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyx.options import Option

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "new": ("NAME [--sup]", "make a project in the new directory NAME (--sup: with a supervisor)"),
    "replay": ("[PATH...]", "run recorded sessions again and compare their output"),
    "names": ("[HOST]", "list the nodes of a host"),
    "doctor": ("[NODE]", "look at what a node needs here, or at the way to NODE"),
    "completion": ("SHELL", "complete all this in bash, zsh or fish"),
}
"""By name: the words behind each command, and what it does."""

_EXAMPLES: Final = """\
exit codes:
  0 success, 1 your code failed, 2 usage, 3 the name is taken, 130 Ctrl-C, 143 SIGTERM,
  129 SIGHUP, N after exit(N)

examples:
  pyx --sname gus                         a shell that is the node gus on this host
  pyx --name gus@10.0.0.5                 a node that nodes of other hosts can reach, over TLS
  pyx --sname server -S product_stock     a shell that finds the modules of ./product_stock
  pyx --sname batch -e 'print(rpc.call("server", "os", "getpid"))'
  pyx --sname billing --no-halt app.py    a service that is a node
  pyx --sname shop --no-halt              a service that is the project's application
  pyx --remsh billing                     a prompt inside that service; exit() leaves it running
  pyx --rpc-eval billing 'len(app.stock)'  the value of one expression
  pyx new shop && cd shop && pyx --sname shop
  pyx replay scenarios/                   run recorded sessions again and compare their output
"""

_Row: TypeAlias = tuple[str, str, dict[str, Any]]
"""An option: its flag, its help, and what else argparse is told."""

_LIST: Final[dict[str, Any]] = {"action": "append", "default": []}
_SWITCH: Final[dict[str, Any]] = {"action": "store_true"}
_REST: Final[dict[str, Any]] = {"nargs": argparse.REMAINDER}

_OTHER_NODE: Final[tuple[_Row, ...]] = (
    (
        "--remsh",
        "show a prompt whose code runs on NODE (a hidden name is made if none is given)",
        {"metavar": "NODE"},
    ),
    (
        "--rpc-eval",
        "evaluate EXPR on NODE, print its value and exit",
        {"nargs": 2, "metavar": ("NODE", "EXPR")},
    ),
)

_CODE: Final[tuple[_Row, ...]] = (
    (
        "-S",
        "project directory: the bare name of one of its modules imports the module (default: .)",
        {"dest": "directory", "metavar": "DIR", "default": "."},
    ),
    ("-e", "run CODE and exit (repeatable)", {"dest": "code", "metavar": "CODE", **_LIST}),
    (
        "-c",
        "run CODE with these arguments and exit, as Python does",
        {"dest": "command", "metavar": "CODE [args]", **_REST},
    ),
    (
        "-m",
        "run a module as a program, as Python does",
        {"dest": "module", "metavar": "MODULE [args]", **_REST},
    ),
    (
        "-r",
        "load FILE as a module before the prompt or the program (repeatable)",
        {"dest": "required", "metavar": "FILE", **_LIST},
    ),
    ("-i", "show a prompt after CODE or FILE", {"dest": "stay", **_SWITCH}),
    (
        "--no-halt",
        "keep running after CODE or FILE, or as the project's application, until SIGTERM",
        _SWITCH,
    ),
    (
        "--no-start",
        "leave DIR's pyproject.toml unread: start no application, and look for no cluster",
        _SWITCH,
    ),
    ("--start-file", "run FILE before the first prompt, in place of the start files", {"metavar": "FILE"}),
    ("--no-start-file", "run neither ~/.config/pyx/start.py nor DIR/.pyx.py", _SWITCH),
)


def fitted_help(text: str) -> str:
    """Returns a help text whose lines are broken at blanks where the terminal is narrower."""
    import shutil  # as argparse does, for a help text alone

    from pyx.shell.wrapping import wrapped_item

    columns = shutil.get_terminal_size().columns
    return "\n".join(wrapped_item([line], columns) for line in text.split("\n"))


class CommandParser(argparse.ArgumentParser):
    """The parser of the command line: a word that it does not know is one line, which names what pyx has."""

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Returns what *words* ask for; leaves by SystemExit where they ask for nothing that pyx has."""
        asked, unknown = self.parse_known_args(words)
        if unknown:
            from pyx.foreign_options import instead_of

            hint = instead_of(unknown[0]) or self._close_to(unknown[0])
            self._refuse(f"there is no option {unknown[0]}", hint)
        return asked

    def _close_to(self, word: str) -> str | None:
        """Returns a question about the option that *word* is like."""
        from pyx.close_words import close_word  # for a wrong command line alone

        options = [one for one in self._option_string_actions if one.startswith("--") and one != "--driver"]
        meant = close_word(word.partition("=")[0], options)
        return None if meant is None else f"did you mean {meant}? {self.prog} --help shows the options"

    def format_help(self) -> str:
        """See `argparse.ArgumentParser`, which leaves the lines of an epilog as they are."""
        return fitted_help(super().format_help())

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser`."""
        self._refuse(message)

    def _refuse(self, message: str, hint: str | None = None) -> NoReturn:
        complain(message, hint or f"{self.prog} --help shows the options")
        raise SystemExit(2)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Writes as argparse does, but raises OutputLost where the text cannot be written."""
        write_out(message, file or sys.stderr)


def parser() -> CommandParser:
    """Returns the parser of the command line."""
    words = CommandParser(
        prog="pyx",
        usage=f"pyx [options] [FILE [args]] | pyx {'|'.join(COMMANDS)} ...",
        description="The node shell for Python: processes, mailboxes and a mesh of nodes, at a prompt.",
        epilog=_EXAMPLES,
        # With a width, as each option is laid out once to check it: asking the terminal for its own loads
        # modules that a node without a prompt does not need (3 ms, 1 MB).
        formatter_class=functools.partial(argparse.RawDescriptionHelpFormatter, width=80),
        allow_abbrev=False,
    )
    words.add_argument(
        "rest",
        metavar="FILE [args]",
        nargs=argparse.REMAINDER,
        help="a program: a file, a directory or a zip file with a __main__.py, or - for stdin",
    )
    words.add_argument("-V", "--version", action="version", version=f"pyx {pyx.__version__}")
    words.add_argument("--record", metavar="FILE", help="record the session in a new FILE, for `pyx replay`")
    words.add_argument_group("commands", _list_of_commands())
    node = words.add_argument_group("the node")
    node.add_argument("--sname", metavar="NAME[@HOST]", help="node name, reached from this host")
    node.add_argument("--name", metavar="NAME@HOST", help="long node name, reached from other hosts over TLS")
    for option in OPTIONS:
        if option.flag is not None:
            _add_option(node, option)
    for title, rows in (("another node", _OTHER_NODE), ("code", _CODE)):
        group = words.add_argument_group(title)
        for flag, about, settings in rows:
            group.add_argument(flag, help=about, **settings)
    words.add_argument("--driver", metavar="IN,OUT", type=_descriptors, help=argparse.SUPPRESS)
    words.formatter_class = argparse.RawDescriptionHelpFormatter  # help has the width of the terminal
    return words


def _list_of_commands() -> str:
    usages = {f"pyx {name} {words}": about for name, (words, about) in COMMANDS.items()}
    width = max(map(len, usages))
    lines = [f"{usage:<{width}}  {about}" for usage, about in usages.items()]
    return "\n".join([*lines, "(--help after one of them shows more)"])


def _add_option(group: argparse._ArgumentGroup, option: Option) -> None:
    """Adds the flag of one option of the node."""
    assert option.flag is not None
    if not option.takes_value:
        group.add_argument(option.flag, dest=option.name, action="store_true", help=option.help)
        return

    def parse(word: str) -> Any:
        try:
            return option.parse(word)
        except ValueError as error:  # argparse shows the text of its own error alone
            raise argparse.ArgumentTypeError(str(error)) from None

    group.add_argument(
        option.flag,
        dest=option.name,
        metavar=option.value,
        type=parse,
        choices=option.choices,
        action="append" if option.is_repeatable else "store",
        default=[] if option.is_repeatable else option.default,
        help=option.help + _detail(option),
    )


def _detail(option: Option) -> str:
    if option.is_repeatable:
        return " (repeatable)"
    return f" (default: {shown(option.default)})" if option.default else ""


def _descriptors(text: str) -> tuple[int, int]:
    """Returns the descriptors of a runner; see `shell/driver.py`."""
    incoming, outgoing = text.split(",")
    return int(incoming), int(outgoing)
