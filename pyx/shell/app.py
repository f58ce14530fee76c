"""From options to an exit code: puts node, project, evaluator and terminal together, and takes them apart.

Not here: the command line (`cli`), and what happens at the prompt (`loop`).
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import logging
import os
import platform
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TextIO

import pyx
from pyx.execution import interrupts, thread_state
from pyx.execution.outlet import Pace
from pyx.execution.slots import LockSlot
from pyx.node import Node
from pyx.process import Process
from pyx.runtime import rex, start_stop
from pyx.runtime.local_node import this_node
from pyx.runtime.shell_process import ShellProcess, shell_process
from pyx.shell import program_exit
from pyx.shell.evaluate import Evaluator, make_main
from pyx.shell.helpers import Helpers
from pyx.shell.loop import INTERRUPTED, LineTerminal, Shell, Terminal, exit_code, run_program
from pyx.shell.narrow_terminal import NARROW_COLUMNS, wrapped
from pyx.shell.program import decoded, folder_of, leave_out_own_folder, run_file
from pyx.shell.project import Project
from pyx.shell.record_hooks import RecordedInput, RecordedScreen, RecordedTerminal, witness_interrupts
from pyx.shell.screen import Screen, ScreenStream
from pyx.shell.standard_streams import OutputLost, complain, discard
from pyx.shell.termination import Termination
from pyx.shell.tty_stdin import TtyStdin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pyx.execution.outlet import Console
    from pyx.options import NodeOptions
    from pyx.shell.completion import Completion
    from pyx.shell.record_hooks import RecordHooks

SWITCH_SECONDS: Final = 0.0005
"""A busy prompt must not stop the node: at Python's 5 ms a round trip takes that long."""

NEW_OBJECTS: Final = 10_000
"""So many new objects start a collection, not Python's 700: a hundred thousand processes are spawned twice as
fast, and a collection of the young still takes milliseconds."""


@dataclass(frozen=True)
class ShellOptions:
    """What the command line asked for."""

    node: NodeOptions | None = None
    """None: the shell is a node without a name."""
    directory: str = "."
    code: list[str] = field(default_factory=list)
    file: str | None = None
    arguments: list[str] = field(default_factory=list)
    stay: bool = False
    halt: bool = True
    frames: tuple[int, int] | None = None
    """The descriptors on which a runner drives the shell (see `shell.frames`)."""
    witness: RecordHooks | None = None
    """Told what a person types and sees."""

    @property
    def has_program(self) -> bool:
        """True if something is to be run before (or instead of) a prompt."""
        return bool(self.code) or self.file is not None


def run(options: ShellOptions) -> int:
    """Runs a shell, or a program by script rules; returns the exit code.

    Raises:
        PyxError: the node could not be started as asked.
    """
    if options.frames is not None:
        from pyx.shell.driver import DrivenApp

        return DrivenApp(options).run()
    return App(options).run()


def collect_less_often() -> None:
    """Has the collector start after `NEW_OBJECTS`, unless it was told otherwise.  Not for embedded nodes."""
    young, *older = gc.get_threshold()
    if 0 < young < NEW_OBJECTS:
        gc.set_threshold(NEW_OBJECTS, *older)


class App:
    """One run of `pyx`."""

    def __init__(self, options: ShellOptions) -> None:
        self._options = options
        self._stdin: TextIO = sys.stdin  # which the user may close, or put another in its place
        self._stdout: TextIO = sys.stdout
        self._interactive = options.stay or (not options.has_program and options.halt and sys.stdin.isatty())
        self._person = self._interactive and sys.stdin.isatty() and self._stdout.isatty()
        self._screen = Screen(self._stdout, gone=self._output_was_lost)
        self._shared: Screen | RecordedScreen = self._screen
        """The screen for everything but the shell's own lines."""
        if options.witness is not None:
            self._shared = RecordedScreen(self._screen, options.witness)
        self._console: Console = self._shared
        self._terminal: Terminal = LineTerminal(
            self._read_line, self._screen.write, shows_keys=sys.stdin.isatty()
        )
        self._stands_still = False
        """A signal ended the run, and stdout takes nothing."""
        self._leaving = Termination(self._say_goodbye, self._screen.hurry)

    def run(self) -> int:
        """See `run`."""
        sys.setswitchinterval(SWITCH_SECONDS)
        collect_less_often()
        with (
            self._leaving.caught(interactive=self._interactive),
            self._streams(),
            contextlib.ExitStack() as stack,
        ):
            project = Project(self._options.directory, self._say, self._warn)
            leave_out_own_folder()
            project.install(folder_of(self._options.file))
            stack.callback(self._leave)
            process = stack.enter_context(self._shell_process())
            # Called after what the program registers, which may need the node, and before its own `stop`.
            atexit.register(self._take_apart, process, stack)
            stack.callback(atexit.unregister, self._take_apart)
            code = self._run_to_end(process, project)
        code = self._leaving.exit_code(code)
        if self._stands_still:  # and a thread with it, perhaps, which Python would wait for in its end
            sys.stderr.flush()
            os._exit(code)
        return code

    def _shell_process(self) -> AbstractContextManager[ShellProcess]:
        pace = Pace(self._screen.has_room, self._screen.settle)
        return shell_process(this_node(), self._console, rex.initial_call(run, 1), pace)

    def _run_to_end(self, process: ShellProcess, project: Project) -> int:
        """Runs all that was asked for, then what Python runs at its end; returns the exit code."""
        code = 0
        try:
            try:
                code = self._with_seat(process, project)
            except KeyboardInterrupt:  # of a service, which does nothing but wait
                code = INTERRUPTED
                self._screen.hurry()
            process.run(program_exit.join_threads)
        except KeyboardInterrupt:
            code = code or INTERRUPTED
        except SystemExit as leaving:  # a signal
            program_exit.leave_threads()
            code = exit_code(leaving.code)
        process.run(program_exit.call_exit_handlers)
        return code

    def _take_apart(self, process: ShellProcess, stack: contextlib.ExitStack) -> None:
        process.finish_line(newline=self._interactive)
        stack.close()

    def _leave(self) -> None:
        self._leaving.is_ending = True
        this_node().console = self._console  # of processes that go on, until the screen is closed
        Node.stop()

    def _with_seat(self, process: ShellProcess, project: Project) -> int:
        options = self._options
        if isinstance(self._shared, RecordedScreen):
            self._shared.shell = lambda: process.pid
        if options.node is not None:
            start_stop.start(this_node(), options.node)
        helpers = Helpers(project, lambda: self._terminal.width)
        lower = {**vars(builtins), **faces(), **helpers.names()}
        main = make_main(lower)
        evaluator = helpers.evaluator = Evaluator(
            main.__dict__,
            run_coroutine=process.run_coroutine,
            call=process.run,
            prepare=lambda tree: project.bind_names(tree, main.__dict__, lower),
        )
        sys.modules["__main__"] = main
        sys.breakpointhook = _breakpoint
        code = self._run_programs(evaluator)
        if code is None and self._interactive:
            helpers.at_prompt = True
            code = self._converse(evaluator, process, project)
        elif code is None and not options.halt:
            LockSlot().wait(None)  # SIGTERM and Ctrl-C end it
        if code == INTERRUPTED:
            self._screen.hurry()  # who pressed Ctrl-C does not wait for a reader that stands still
        process.finish_line(newline=self._interactive)
        return code or 0

    def _run_programs(self, evaluator: Evaluator) -> int | None:
        """The `-e` codes, then the file, else a piped program; the exit code once one fails or leaves."""
        options = self._options
        sys.argv = [options.file or ("-e" if options.code else ""), *options.arguments]
        for code in options.code:
            if (ended := run_program(evaluator, code, "<-e>")) is not None:
                return ended
        if options.file is not None and options.file != "-":
            return run_file(evaluator, options.file, faces())
        if options.file == "-" or not (options.has_program or self._interactive or not options.halt):
            with thread_state.interruptible():
                data = sys.stdin.buffer.read()
            return run_program(evaluator, decoded(data, "<stdin>"), "<stdin>")
        return None

    def _converse(self, evaluator: Evaluator, process: ShellProcess, project: Project) -> int:
        if self._person and os.environ.get("TERM") != "dumb":
            self._terminal = self._person_terminal(evaluator, project)
        if self._person and not self._options.has_program:
            banner = f"pyx {pyx.__version__} (Python {platform.python_version()}), h() for help\n"
            self._terminal.show(banner, "notice")
        if self._options.witness is not None:
            self._terminal = RecordedTerminal(self._terminal, self._options.witness)
            witness_interrupts(self._options.witness)
        return Shell(self._terminal, evaluator, Seat(process), node_name).run()

    def _person_terminal(self, evaluator: Evaluator, project: Project) -> Terminal:
        from pyx.shell.history import History, history_path
        from pyx.shell.terminal import PersonTerminal

        terminal = PersonTerminal(
            self._screen,
            History(history_path(), self._warn, cookies_in_force),
            completer(evaluator, project),
            stdout=self._stdout,
            colour=not os.environ.get("NO_COLOR"),
        )
        self._leaving.end_prompt = terminal.leave
        return terminal

    # ------------------------------------------------------------ lines of the shell itself

    def _say(self, text: str) -> None:
        if self._interactive:
            self._terminal.show(f"{text}\n", "notice")

    def _warn(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"warning: {text}\n")

    def _read_line(self, prompt: str) -> str:
        self._screen.fresh_line()
        self._screen.write(prompt)
        with thread_state.interruptible():
            line = self._stdin.readline()
        if self._stdin.isatty():
            if line:  # a Ctrl-D ends none
                self._screen.line_was_ended()
        else:
            self._screen.write(line)  # nobody typed it, so nothing has shown it: the output is a transcript
        return line

    # ------------------------------------------------------------ streams, logs, signals

    @contextlib.contextmanager
    def _streams(self) -> Iterator[None]:
        """For a person everything goes through the screen, stderr too, or it would hit a half-typed line."""
        stdin, stdout, stderr, ask = sys.stdin, sys.stdout, sys.stderr, builtins.input
        if self._interactive:
            sys.stdin = TtyStdin(stdin)
        sys.stdout = ScreenStream(self._shared, stdout)
        if self._person:
            sys.stderr = ScreenStream(self._shared, stderr)
        if self._options.witness is not None:
            builtins.input = RecordedInput(self._options.witness, ask, shows_prompt=self._person)
        handler = LogHandler(lambda: self._terminal.width)
        logging.getLogger("pyx").addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger("pyx").removeHandler(handler)
            if self._interactive:
                self._screen.fresh_line()
            self._stands_still = not self._screen.close()
            sys.stdin, sys.stdout, sys.stderr, builtins.input = stdin, stdout, stderr, ask

    def _output_was_lost(self, error: OSError | ValueError) -> None:
        """Called by the screen, once, by any thread.  Python's own last flush must not fail after it."""
        lost = OutputLost(error)
        discard(self._stdout)
        if not lost.by_reader:
            complain(str(lost))
        self._leaving.output_was_lost()

    def _say_goodbye(self) -> None:
        Node.stop()
        self._screen.close()


class Seat:
    """The shell's process, as the loop sees it."""

    def __init__(self, process: ShellProcess) -> None:
        self._process = process

    @property
    def is_alive(self) -> bool:
        """See `loop.Seat`."""
        return self._process.is_alive

    def renew(self) -> str:
        """See `loop.Seat`."""
        dead = self._process.renew()
        return f"** the shell process {dead} was killed; it is {self._process.pid} now"

    def finish_line(self) -> None:
        """See `loop.Seat`."""
        self._process.finish_line()

    def forget_interrupt(self) -> None:
        """See `loop.Seat`."""
        interrupts.forget_pending()


class LogHandler(logging.Handler):
    """pyx's own log, `[warning] text`, on whatever `sys.stderr` is by then.

    Where the program has set up a log of its own, a record is that log's: it is shown once.

    Args:
        columns: returns those of the terminal where it is shown.
    """

    def __init__(self, columns: Callable[[], int] = lambda: NARROW_COLUMNS) -> None:
        super().__init__(logging.WARNING)
        self._columns = columns

    def emit(self, record: logging.LogRecord) -> None:
        """Like any handler's."""
        if self._has_another(logging.getLogger(record.name)):
            return
        with contextlib.suppress(OSError, ValueError):
            line = f"[{record.levelname.lower()}] {record.getMessage()}\n"
            sys.stderr.write(wrapped(line, self._columns()))

    def _has_another(self, logger: logging.Logger | None) -> bool:
        """True if a handler beside this one receives what *logger* is told."""
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False


def _breakpoint(*args: Any, **kwargs: Any) -> Any:
    """`sys.breakpointhook` of a shell: Python's, unless nothing else than its debugger was asked for."""
    if args or kwargs or os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__(*args, **kwargs)  # noqa: T100 - the user has asked for it
    from pyx.shell.debugger import stop_in

    stop_in(sys._getframe(1))  # noqa: SLF001 - its caller, as `pdb.set_trace` takes it
    return None


def completer(evaluator: Evaluator, project: Project) -> Callable[[str, int], Completion]:
    """What gives the completions of an input: (text, cursor) -> what could stand there."""
    from pyx.shell.completion import Tables, complete

    tables = Tables(evaluator.names, evaluator.lower, project.module_names, _all_nodes, Process.registered)
    return lambda text, cursor: complete(text, cursor, tables)


def cookies_in_force() -> set[str]:
    """All texts that were a cookie of this node so far."""
    transport = this_node().transport
    return transport.cookies if transport is not None else set()


def node_name() -> str | None:
    """The name for the prompt, None without one."""
    return Node.self() if Node.is_alive() else None


def _all_nodes() -> list[str]:
    return Node.list("known", "this")


def faces() -> dict[str, Any]:
    """The names that a prompt has beside Python's own and the helpers."""
    return {name: getattr(pyx, name) for name in pyx.__all__}
