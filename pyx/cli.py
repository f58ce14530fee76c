"""The command `pyx`: runs what its words ask for; a failure becomes one line and an exit code.

Exit codes: 0; 1 the user's code failed; 2 usage, an invalid name, an unsafe cookie or directory; 3 the name
is taken; 130 Ctrl-C; 143 SIGTERM; 129 SIGHUP; the one of SystemExit.  Modules are imported where they are
needed, so that `pyx --version` takes no time.
"""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING, Final

import pyx
from pyx.cli_checks import program_file, refusal
from pyx.errors import NameTaken, PyxError
from pyx.shell.standard_streams import OutputLost, complain, fill_closed, finish, sentence, write_out
from pyx.shell.start_collections import no_collections

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pyx.shell.frontend import Frontend
    from pyx.shell.shell_options import ShellOptions

_HELP: Final = frozenset({"-h", "--help"})

_NAMES_HELP: Final = """\
usage: pyx names [HOST]

List the nodes of a host: of this one those with --sname and --name, of another one those with --name
(as its EPMD knows them).
"""

_NEW_HELP: Final = """\
usage: pyx new NAME [--sup]

Make a project in the new directory NAME: a module, its test, a README.

  --sup  an application: a server below a supervisor, started with the prompt, and
         by `pyx --no-halt` as a service
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `pyx` and returns the exit code.

    Args:
        argv: the words behind `pyx`; None: those of the command line.
    """
    fill_closed()
    try:
        try:
            return _command(list(sys.argv[1:] if argv is None else argv), is_pyx=argv is None)
        finally:
            finish()
    except NameTaken as error:
        complain(str(error), error.hint)
        return 3
    except PyxError as error:
        complain(str(error), error.hint)
        return 2
    except OutputLost as error:
        if not error.by_reader:
            complain(str(error))
        return 1
    except OSError as error:  # not of the user's code: a limit, a full disk, a missing directory
        complain(sentence(error), "`ulimit -n` shows the limit" if error.errno == errno.EMFILE else None)
        return 1
    except KeyboardInterrupt:
        return 130


def _command(words: list[str], *, is_pyx: bool) -> int:
    """Runs one command line; *is_pyx* is False if another program calls `main`."""
    match words:
        case ["new", *names]:
            return _new(names)
        case ["names", *hosts]:
            return _names(hosts)
        case ["replay", *words]:
            from pyx.scenario.replay_cli import main as replay

            return replay(words)
        case ["doctor", *words]:
            from pyx.doctor.doctor_cli import examined

            text, code = examined(words)
            write_out(text)
            return code
        case ["completion", *words]:
            from pyx.completions.completion_cli import completion

            write_out(completion(words))
            return 0
        case ["-V" | "--version"]:
            write_out(f"pyx {pyx.__version__}\n")
            return 0
        case _:
            with no_collections(is_pyx=is_pyx):
                from pyx.cli_parser import parser

                asked = parser().parse_words(words)
            # As for Python: a file and its arguments follow "--"; behind -c and -m it is an argument itself.
            if asked.rest[:1] == ["--"] and not (asked.command or asked.module):
                del asked.rest[0]
            return _run(asked, is_pyx=is_pyx)


def _run(asked: argparse.Namespace, *, is_pyx: bool) -> int:
    refused = refusal(asked)
    if refused is not None:
        complain(*refused)
        return 2
    file = program_file(asked)
    if asked.cookie is not None:
        complain("warning: every user of this host can see --cookie with ps", "use --cookie-file F")
    with no_collections(is_pyx=is_pyx):
        from pyx.shell.app import run

    options = _options(asked, file)
    if asked.record is None:
        return run(options, _frontend(options))
    from pyx.scenario.record_file import recording

    with recording(asked.record, options, lambda problem: sys.stderr.write(f"warning: {problem}\n")) as made:
        recorder, written = made
        options = options._replace(recorder=recorder)
        code = run(options, _frontend(options))
    return code or (1 if written.failed else 0)


def _frontend(options: ShellOptions) -> Frontend:
    if options.driver is not None:
        from pyx.shell.driver import Driver

        return Driver(*options.driver)
    from pyx.shell.frontend import StandardFrontend

    return StandardFrontend(options)


def _options(asked: argparse.Namespace, file: str | None) -> ShellOptions:
    from pyx.options import OPTIONS, NodeOptions
    from pyx.shell.shell_options import ShellOptions

    node = None
    chosen = {option.name: getattr(asked, option.name) for option in OPTIONS if option.flag is not None}
    if (name := asked.sname if asked.name is None else asked.name) is not None:
        node = NodeOptions(name, long=asked.name is not None, **chosen)
    elif asked.remsh or asked.rpc_eval:
        from pyx.shell.hidden_name import hidden_options

        node = hidden_options(asked.remsh or asked.rpc_eval[0], **chosen)
    return ShellOptions(
        node=node,
        directory=asked.directory,
        code=asked.code,
        command=asked.command[0] if asked.command else None,
        file=file,
        module=asked.module[0] if asked.module else None,
        argv=_argv(asked),
        required=asked.required,
        stay=asked.stay or asked.remsh is not None,
        halt=not asked.no_halt,
        start=not asked.no_start,
        start_file=asked.start_file,
        runs_start_files=not asked.no_start_file,
        driver=asked.driver,
        remsh=asked.remsh,
        rpc_eval=tuple(asked.rpc_eval) if asked.rpc_eval else None,
    )


def _argv(asked: argparse.Namespace) -> list[str]:
    """Returns `sys.argv` of the program, as Python would make it."""
    if asked.command or asked.module:  # `-mMODULE` leaves its arguments to the rest of the line
        own = ["-c"] if asked.command else asked.module[:1]
        return [*own, *(asked.command or asked.module)[1:], *asked.rest]
    return asked.rest or ["-e" if asked.code else ""]


def _names(words: list[str]) -> int:
    """Lists the nodes of this host by its directory and its EPMD, or of another host by its EPMD."""
    import asyncio

    from pyx.net import epmd_client
    from pyx.net.directory import HostDirectory
    from pyx.net.tcp import Unreachable

    if not _HELP.isdisjoint(words):
        _write_help(_NAMES_HELP)
        return 0
    if len(words) > 1 or (words and words[0].startswith("-")):
        complain("names takes at most one host", "pyx names 10.0.0.5")
        return 2
    lines = []
    if not words:
        entries = HostDirectory.of_this_user().entries()
        lines = [f"{entry.name} (pid {entry.os_pid})" for entry in entries]
    try:
        found = asyncio.run(epmd_client.kinds(words[0] if words else epmd_client.HOME))
    except PyxError as error:
        if words:
            raise
        found = []
        if not isinstance(error, Unreachable):  # a host without a long-named node has no EPMD
            complain(f"warning: {error}")
    lines += [f"{name} at port {port}{' (Erlang)' * is_erlang}" for name, port, is_erlang in found]
    write_out("".join(f"{line}\n" for line in lines))
    return 0


def _write_help(text: str) -> None:
    from pyx.cli_parser import fitted_help

    write_out(fitted_help(text))


def _new(words: list[str]) -> int:
    from pyx.shell.new_project import NewProjectError, make_project

    if not _HELP.isdisjoint(words):
        _write_help(_NEW_HELP)
        return 0
    names = [word for word in words if word != "--sup"]
    if unknown := [word for word in names if word.startswith("-")]:
        complain(f"there is no option {unknown[0]}", "pyx new --help shows what there is")
        return 2
    if len(names) != 1:
        complain("new takes one name", "pyx new shop, or pyx new shop --sup")
        return 2
    try:
        made = make_project(names[0], supervised=len(names) < len(words))
    except NewProjectError as error:
        complain(str(error), error.hint)
        return 2
    name = made.name
    write_out(f"made {name}/\n\n  cd {name}\n  pyx --sname {name}\n  python -m pytest\n")
    return 0
