"""`pyx replay`: the command line, the lines that it prints, and its exit code.

Exit codes: 0 all passed, 1 some failed, 2 a file that cannot be read or holds nothing to play, wrong usage,
or results that cannot be written; 130 SIGINT, 143 SIGTERM, 129 SIGHUP.  Skips change none of these.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from pyx.cli_parser import CommandParser
from pyx.errors import PyxError
from pyx.scenario.junit import write_junit
from pyx.scenario.merge import merge
from pyx.scenario.replay import FileResult, Replay, ReplayOptions, show_line
from pyx.scenario.scenario_files import find_files
from pyx.scenario.takeover import Takeover
from pyx.shell.before_prompt import users_settings_file
from pyx.shell.history import History, history_path
from pyx.shell.loop import LineTerminal
from pyx.shell.screen import Screen
from pyx.shell.standard_streams import OutputLost, complain, discard, warn
from pyx.shell.theme import theme_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from pyx.scenario.player import Player
    from pyx.shell.loop import Terminal

_DEFAULT: Final = "scenarios"

_EXAMPLES: Final = """\
examples:
  pyx replay                                    every *.pyxt below scenarios/
  pyx replay README.md -v                       its sessions, shown while they run
  pyx replay scenarios/shop.pyxt --repeat 50 --jitter
  pyx replay scenarios/shop.pyxt --update       rewrites the blocks that failed; read the diff
  pyx replay scenarios/shop.pyxt --stop-at 38 --shell server
  pyx replay --merge server.pyxt gus.pyxt > shop.pyxt

exit codes:
  0    all passed
  1    some failed
  2    a file cannot be read or holds nothing to play, the command line is wrong, or results cannot be written
  130, 143, 129    SIGINT, SIGTERM, SIGHUP
  Blocks of Markdown that hold a prompt and are not ```pyx count as skipped, which changes no exit code; so
  do sessions with $ iex where Elixir is not installed: the last line says why.

On a slow machine PYX_TIMEOUT_SCALE=3 makes every time-out three times as long.
"""


def main(argv: Sequence[str]) -> int:
    """Runs `pyx replay` with the words *argv*; returns the exit code.

    Raises:
        PyxError: the options contradict each other, or a file of results cannot be written.
        SystemExit: the command line is wrong, or a signal ended the replay.
    """
    args = replay_parser().parse_words(argv)
    try:
        with _leaving_at_signals():
            return _run(args)
    except OutputLost as lost:
        discard(sys.stdout)  # which Python flushes once more at its end
        if not lost.by_reader:
            complain(str(lost))
        return 2


def _write(text: str) -> None:
    """Writes a transcript to stdout, in UTF-8 like the files of scenarios, whatever the locale is."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputLost(error) from None


@contextlib.contextmanager
def _leaving_at_signals() -> Iterator[None]:
    """Has the first SIGTERM or SIGHUP raise SystemExit, so that nodes and sandboxes are removed."""

    def leave(number: int, _frame: FrameType | None) -> None:
        for one in caught:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    caught = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if threading.current_thread() is threading.main_thread()
        and signal.getsignal(number) is not signal.SIG_IGN  # as under `nohup`
    ]
    before = [signal.signal(number, leave) for number in caught]
    try:
        yield
    finally:
        for number, handler in zip(caught, before, strict=True):
            signal.signal(number, handler)


def _run(args: argparse.Namespace) -> int:
    if args.merge:
        if not args.paths:
            msg = "--merge needs the recordings to join: --merge A.pyxt B.pyxt"
            raise PyxError(msg)
        _write(merge(args.paths))
        return 0
    _check(args)
    files = [file for file in dict.fromkeys(find_files(args.paths or [_DEFAULT])) if args.k in file]
    if not files:
        msg = f"no scenario has {args.k!r} in its path (-k)"
        raise PyxError(msg)
    if args.stop_at is not None and len(files) > 1:
        msg = f"--stop-at needs one file, not {len(files)}"
        raise PyxError(msg)

    def take_over(player: Player) -> None:
        takeover = Takeover(player, args.shell)
        takeover.run(shell_terminal(takeover))

    options = ReplayOptions(
        repeat=args.repeat,
        jitter=args.jitter,
        seed=args.seed,
        update=args.update,
        stop_at=args.stop_at,
        show=show_line if args.v else None,
        take_over=take_over,
    )
    results: dict[str, FileResult] = {}

    def on_result(result: FileResult) -> None:
        results[result.path] = result
        _print_result(result, verbose=args.v)

    try:
        Replay(options).run(files, args.jobs, on_result)
    finally:
        if args.junit:
            write_junit(args.junit, [results.get(file) or _unplayed(file) for file in files])
    return _summary(list(results.values()))


def shell_terminal(takeover: Takeover) -> Terminal:
    """Returns the editor of `pyx` at a terminal that has one, plain lines elsewhere."""
    screen = Screen(sys.stdout)
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        return LineTerminal(_line_reader(screen), screen.write)
    from pyx.shell.prompt_settings import read_settings
    from pyx.shell.terminal import PersonTerminal

    _, settings = read_settings(None, users_settings_file(), warn)
    return PersonTerminal(
        screen,
        History(history_path(), show_line),
        takeover,
        stdout=sys.stdout,
        theme=theme_for(os.environ, settings.theme),
        editing_mode=settings.editing_mode,
    )


def _line_reader(screen: Screen) -> Callable[[str], str]:
    def read_line(prompt: str) -> str:
        screen.write(prompt)
        return sys.stdin.readline()

    return read_line


def replay_parser() -> CommandParser:
    """Returns the parser of the words behind `pyx replay`."""
    parser = CommandParser(
        prog="pyx replay",
        description="Plays recorded sessions again with real nodes, and compares their output.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("paths", metavar="PATH", nargs="*", help="*.pyxt, *.md, or directories (default: scenarios/)")
    add("-k", metavar="TEXT", default="", help="only files with TEXT in their path")
    add("-v", action="store_true", help="show the sessions while they run")
    add("--jobs", metavar="N", type=_positive, default=1, help="play N files at a time")
    add("--junit", metavar="FILE", help="write the results as JUnit's XML")
    add("--repeat", metavar="N", type=_positive, default=1, help="play each file N times, or until it fails")
    add("--jitter", action="store_true", help="delay messages between nodes at random, to find races")
    add("--seed", metavar="N", type=int, help="the seed of these delays, to repeat them")
    add("--update", action="store_true", help="rewrite the blocks that failed (refused where CI is set)")
    add("--stop-at", metavar="LINE", type=_positive, help="stop before that line, and open a shell of a node")
    add("--shell", metavar="NODE", help="the node of that shell (default: the last one that started)")
    add("--merge", action="store_true", help="join recordings by time, to stdout")
    return parser


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        msg = f"{text!r} is not a number from 1 on"
        raise argparse.ArgumentTypeError(msg)
    return number


def _check(args: argparse.Namespace) -> None:
    if args.update and os.environ.get("CI"):
        msg = "--update is refused where CI is set: a test must not rewrite itself there"
        raise PyxError(msg, hint="run it on your own machine, read the diff, commit it")
    if args.update and (args.repeat > 1 or args.jitter or args.stop_at):
        msg = "--update cannot be combined with --repeat, --jitter or --stop-at"
        raise PyxError(msg)


def _unplayed(path: str) -> FileResult:
    return FileResult(path, 0, 0.0, f"{path} was not played: the replay ended before\n", readable=False)


def _print_result(result: FileResult, *, verbose: bool) -> None:
    if verbose or (sys.stdout is not None and sys.stdout.isatty()):
        word = "skip" if not result.played else "ok  " if result.passed else "FAIL"
        more = ", updated" if result.updated else f", skipped: {result.not_here}" if result.not_here else ""
        show_line(f"{word} {result.path}  {result.steps} steps, {result.seconds:.2f} s{more}")
    if not result.passed:
        show_line(result.text)


def _summary(results: Sequence[FileResult]) -> int:
    failed = sum(1 for result in results if result.readable and not result.passed)
    broken = sum(1 for result in results if not result.readable)
    steps = sum(result.steps for result in results)
    unplayed = sum(1 for result in results if not result.played)
    parts = [f"{len(results) - failed - broken - unplayed} passed"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{broken} cannot be read"] if broken else []
    skipped = sum(result.skipped for result in results)
    parts += [f"{skipped} block{'s' if skipped > 1 else ''} skipped"] if skipped else []
    for reason in dict.fromkeys(result.not_here for result in results if result.not_here):
        files = [result for result in results if result.not_here == reason]
        whole = sum(1 for result in files if not result.played)
        parts += [f"{whole} skipped ({reason})"] if whole else []
        some = len(files) - whole
        parts += [f"sessions of {some} skipped ({reason})"] if some else []
    show_line(f"{', '.join(parts)}: {steps} steps, {sum(result.seconds for result in results):.1f} s")
    return 2 if broken else 1 if failed else 0
