"""What is wrong with a command line whose words are known: missing files, options that exclude others."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Literal, NamedTuple

from pyx.shell.standard_streams import sentence

if TYPE_CHECKING:
    import argparse


class Refusal(NamedTuple):
    """Why a command line is refused, and what to do."""

    problem: str
    hint: str | None = None


def refusal(asked: argparse.Namespace) -> Refusal | None:
    """Returns the first thing that is wrong with what was *asked*; None if all can be tried."""
    return _of_programs(asked) or _of_nodes(asked) or _of_prompts(asked)


def program_file(asked: argparse.Namespace) -> str | None:
    """Returns the path of the program that runs, `-` for stdin; of a directory that of its `__main__.py`."""
    file: str | None = asked.rest[0] if asked.rest and not asked.command and not asked.module else None
    if file is not None and os.path.isdir(file):  # noqa: PTH112 - raises nothing if a permission is missing
        return os.path.join(file, "__main__.py")  # noqa: PTH118 - as Python does; a word, shown as typed
    return file


def _of_programs(asked: argparse.Namespace) -> Refusal | None:
    if asked.command == [] or asked.module == []:
        return Refusal("-c needs the code to run" if asked.command == [] else "-m needs the name of a module")
    if asked.command and asked.module:
        return Refusal("-c and -m cannot be combined: each takes the rest of the line")
    for required in asked.required:
        if (trouble := _trouble(required, "file")) is not None:
            from pyx.foreign_options import instead_of

            return Refusal(f"-r: {trouble}", instead_of(f"-r{required}"))  # `-remsh` is read as `-r emsh`
    file = program_file(asked)
    if file is not None and file != "-" and (trouble := _trouble(file, "file")) is not None:
        from pyx.cli_parser import COMMANDS
        from pyx.foreign_options import instead_of_command

        folder = asked.rest[0]
        if file == folder or os.path.lexists(file):
            return Refusal(trouble, instead_of_command(file, COMMANDS))
        return Refusal(
            f"{folder} is a directory without a __main__.py",
            f"pyx -S {folder} is a prompt with the modules there",
        )
    # The current directory may be unreadable or gone: then nothing is there by bare name.
    if asked.directory != "." and (trouble := _trouble(asked.directory, "directory")) is not None:
        return Refusal(f"-S: {trouble}")
    return None


def _of_nodes(asked: argparse.Namespace) -> Refusal | None:
    if asked.sname is not None and asked.name is not None:
        return Refusal("--sname and --name cannot be combined: they are for this host and for other hosts")
    unnamed = asked.sname is None and asked.name is None and not _other_node(asked)
    if unnamed and (asked.hidden or asked.cookie is not None or asked.cookie_file is not None or asked.seeds):
        return Refusal("--hidden, --cookie, --cookie-file and --seed need a named node", "add --sname NAME")
    if unnamed and asked.beam:
        return Refusal("--beam needs a named node", "add --sname NAME")
    if asked.name is None and (asked.listen is not None or asked.port) and not _is_for_long_name(asked):
        return Refusal("--listen and --port need a long name", "use --name NAME@ADDRESS")
    if (asked.beam_insecure or asked.beam_cookie_file is not None) and not asked.beam:
        return Refusal("--beam-insecure and --beam-cookie-file are about Erlang nodes", "add --beam")
    if asked.beam and asked.name is not None and not asked.beam_insecure:
        return Refusal(
            "--beam with --name: all that Erlang nodes say would cross the network in clear",
            "--beam-insecure says that you want that; with --sname it stays on this host",
        )
    return None


def _of_prompts(asked: argparse.Namespace) -> Refusal | None:
    has_code = bool(asked.code or asked.command or asked.module) or program_file(asked) is not None
    has_program = has_code or bool(asked.required)
    other = _other_node(asked)
    if other and (has_program or asked.no_halt):
        option = "--remsh" if asked.remsh else "--rpc-eval"
        return Refusal(
            f"{option} cannot be combined with -c, -e, -m, -r, FILE or --no-halt: "
            "the code runs on another node"
        )
    if asked.remsh and asked.rpc_eval:
        return Refusal("--remsh and --rpc-eval cannot be combined: the one shows a prompt, the other a value")
    if asked.start_file is not None:
        if asked.no_start_file:
            return Refusal("--start-file and --no-start-file cannot be combined")
        if has_code or asked.no_halt or other or asked.record is not None:
            return Refusal(
                "--start-file is for a prompt of this node: it cannot be combined with -c, -e, -m, FILE, "
                "--no-halt, --record, --remsh or --rpc-eval",
            )
        if (trouble := _trouble(asked.start_file, "file")) is not None:
            return Refusal(f"--start-file: {trouble}")
    if asked.record is not None and (has_program or asked.stay or asked.no_halt):
        return Refusal(
            "--record cannot be combined with -c, -e, -i, -m, -r, FILE or --no-halt: it records typed input"
        )
    if asked.record is not None and not sys.stdin.isatty():
        return Refusal("--record needs a terminal: it records typed input, and stdin is not a terminal")
    return None


def _other_node(asked: argparse.Namespace) -> str | None:
    """Returns the node that is only asked or attached to."""
    found: str | None = asked.remsh or (asked.rpc_eval[0] if asked.rpc_eval else None)
    return found


def _is_for_long_name(asked: argparse.Namespace) -> bool:
    """Returns True where a long name is made, to ask a node that has one."""
    other = _other_node(asked)
    if not other or asked.sname is not None:
        return False
    from pyx.shell.hidden_name import is_long

    return is_long(other)


def _trouble(path: str, kind: Literal["file", "directory"]) -> str | None:
    """Returns why *path* cannot be used as that, or None if it can; a pipe or a device is a file too."""
    try:
        is_directory = stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - the same
    except FileNotFoundError:
        return f"there is no {kind} {path}"
    except (OSError, ValueError) as error:
        return sentence(error)
    if is_directory is not (kind == "directory"):
        return f"{path} is a directory" if is_directory else f"{path} is not a directory"
    return None if os.access(path, os.R_OK) else f"Permission denied: {path}"
