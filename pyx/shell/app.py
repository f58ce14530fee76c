"""One run of `pyx`, from options to an exit code: puts node, project, evaluator and prompt together."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import functools
import gc
import sys
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.execution import thread_state
from pyx.execution.slots import LockSlot
from pyx.nodes import Node
from pyx.runtime import breakpoints, rpc_functions, start_stop
from pyx.runtime.local_node import this_node
from pyx.runtime.shell_process import ShellProcess, shell_process
from pyx.shell import program_exit
from pyx.shell.before_prompt import prepare_prompt, settings_for
from pyx.shell.evaluate import Evaluator, error_text, make_main
from pyx.shell.helpers import Helpers
from pyx.shell.interception import interception
from pyx.shell.loop import Shell
from pyx.shell.program import INTERRUPTED, Uncaught, decoded, exit_code, leave_out_own_folder, run_program
from pyx.shell.project import Project
from pyx.shell.prompt_names import public_names
from pyx.shell.standard_streams import warn
from pyx.shell.start_collections import has_frozen
from pyx.shell.termination import Termination
from pyx.shell.tty import as_utf8

if TYPE_CHECKING:
    from pyx.options import NodeOptions
    from pyx.otp.application import RunningApplication
    from pyx.shell.frontend import Frontend
    from pyx.shell.remote_shells import RemoteShells
    from pyx.shell.shell_options import ShellOptions
    from pyx.shell.switched_completion import SwitchedCompletion

SWITCH_SECONDS: Final = 0.0005
"""The interpreter's switch interval: at Python's 5 ms a busy prompt makes each round trip take that long."""

NEW_OBJECTS: Final = 10_000
"""New objects that start a garbage collection, not Python's 700 (2,000 from 3.13 on): a collection of the
young generation still takes milliseconds [measured 4 ms, of the middle one 22 ms]."""

MIDDLE_COLLECTIONS: Final = 30
"""Collections of the middle generation before one of all objects, not Python's 10: 100,000 processes are
spawned without one, which would stop the node for half a second [measured 380 ms; collections take 20 % of
the time of all these spawns, not 31 %].  Without meaning on Python 3.14, which collects old objects in small
steps."""


def run(options: ShellOptions, frontend: Frontend) -> int:
    """Runs a shell, or a program by script rules; returns the exit code.

    Raises:
        PyxError: the node could not be started as asked.
    """
    return App(options, frontend).run()


def collect_less_often() -> None:
    """Raises the collector's thresholds to the two above, unless it is off or the first was raised before.

    Not for embedded nodes.  See `start_collections.py` for the collections of the start.
    """
    young, middle, old = gc.get_threshold()
    if 0 < young < NEW_OBJECTS:
        gc.set_threshold(NEW_OBJECTS, middle, max(old, MIDDLE_COLLECTIONS))


class App:
    """One run of `pyx`.

    Args:
        options: of the command line.
        frontend: faces the user.
    """

    def __init__(self, options: ShellOptions, frontend: Frontend) -> None:
        self._options = options
        self._frontend = frontend
        self._termination = Termination(self._say_goodbye, frontend.hurry)
        self._termination.end_prompt = frontend.end_prompt
        frontend.on_output_lost = self._termination.output_was_lost
        self._project_table, self._settings = settings_for(options, is_interactive=frontend.is_interactive)

    def run(self) -> int:
        """See the function `run`."""
        sys.setswitchinterval(self._settings.switch_interval or SWITCH_SECONDS)
        collect_less_often()
        frontend = self._frontend
        frontend.use(self._settings)
        with (
            self._termination.caught(interactive=frontend.is_interactive),
            frontend.streams(),
            contextlib.ExitStack() as stack,
        ):
            project = Project(self._options.directory, self._say, warn)
            leave_out_own_folder()
            project.install(self._program_folder())
            stack.callback(self._leave)
            called = rpc_functions.initial_call(run, 2)
            process = stack.enter_context(shell_process(this_node(), frontend.console, called, frontend.pace))
            # Called after what the program registers, which may need the node, and before its own `stop`.
            atexit.register(self._shut_down, process, stack)
            stack.callback(atexit.unregister, self._shut_down)
            code = self._run_to_end(process, project)
            if has_frozen():
                gc.unfreeze()  # Python's last collections run the finalizers of what the program left
        code = self._termination.exit_code(code)
        frontend.ended(code, by_signal=self._termination.was_signalled)
        return code

    def _program_folder(self) -> str | None:
        options = self._options
        if options.file is None and options.module is None:
            return None
        from pyx.shell.program_files import folder_of  # a start of a prompt loads none of that

        return folder_of(options.file, runs_module=options.module is not None)

    def _run_to_end(self, process: ShellProcess, project: Project) -> int:
        """Runs all that was asked for, then what Python runs at its end; returns the exit code."""
        code = 0
        try:
            try:
                code = self._run_all(process, project)
            except KeyboardInterrupt:  # in a service, which does nothing but wait
                code = INTERRUPTED
                self._frontend.hurry()
            _stop_applications()
            process.run(program_exit.join_threads)
        except KeyboardInterrupt:
            code = code or INTERRUPTED
        except SystemExit as leaving:  # a signal
            program_exit.leave_threads()
            code = exit_code(leaving.code)
            with contextlib.suppress(KeyboardInterrupt):
                _stop_applications()
        process.run(program_exit.call_exit_handlers)
        return code

    def _shut_down(self, process: ShellProcess, stack: contextlib.ExitStack) -> None:
        process.finish_line(newline=self._frontend.is_interactive)
        stack.close()

    def _leave(self) -> None:
        self._termination.is_ending = True
        # Processes that run on print there until the screen is closed.
        this_node().output.console = self._frontend.console
        Node.stop()

    def _say_goodbye(self) -> None:
        Node.stop()
        self._frontend.close()

    def _say(self, text: str) -> None:
        if self._frontend.is_interactive:
            self._frontend.terminal.show(f"{text}\n", "notice")

    # ------------------------------------------------------------ while the shell's process runs

    def _run_all(self, process: ShellProcess, project: Project) -> int:
        """Starts the node, runs the programs, then the prompt or a service's wait; returns the exit code."""
        options, frontend = self._options, self._frontend
        if options.node is not None:
            start_stop.start(this_node(), self._with_declared_cluster(options.node))
        helpers = Helpers(project, lambda: frontend.terminal.width)
        helpers.lend_terminal = frontend.lent_terminal
        lower = {**vars(builtins), **public_names(), **helpers.names()}
        main = make_main(lower)
        evaluator = helpers.evaluator = Evaluator(
            main.__dict__,
            run_coroutine=process.run_coroutine,
            call=process.run,
            prepare=lambda tree: project.bind_names(tree, main.__dict__, lower),
        )
        sys.modules["__main__"] = main
        breakpoints.install()
        interception.settle = functools.partial(process.finish_line, newline=False)
        if options.rpc_eval is not None:
            from pyx.shell.remote_eval import rpc_eval

            columns = frontend.terminal.width if sys.stdout.isatty() else None
            return rpc_eval(*options.rpc_eval, columns)
        for file in options.required:
            from pyx.shell.program_files import require

            if (code := require(evaluator, file, project, self._say)) is not None:
                return code
        declared = self._declared_application() if frontend.is_interactive or not options.halt else None
        application: RunningApplication | None = None
        code = None
        if declared is not None:
            from pyx.shell.project_application import start_application

            started = start_application(declared, process)
            application, code = (None, started) if isinstance(started, int) else (started, None)
        else:
            code = self._run_programs(evaluator)
            if options.stay and isinstance(code, Uncaught):
                code = None
        if code is None and frontend.is_interactive:
            helpers.at_prompt = True
            from pyx.shell.local_completion import LocalCompletion
            from pyx.shell.switched_completion import SwitchedCompletion

            completion = SwitchedCompletion(LocalCompletion(evaluator, project))
            frontend.start_prompt(evaluator, process, completion)
            prepare_prompt(options, self._settings, evaluator, frontend.terminal, process)
            helpers.remote_shells = functools.cache(lambda: self._remote_shells(process, completion))
            if options.remsh is not None:
                code = self._attach(helpers.remote_shells(), options.remsh)
            if code is None:
                is_read = options.driver is not None or options.recorder is not None
                code = Shell(frontend.terminal, evaluator, process, has_fixed_prompt=is_read).run()
        elif code is None and not options.halt:
            if application is None:
                LockSlot().wait(None)  # SIGTERM and Ctrl-C end it
            else:
                from pyx.shell.project_application import serve

                code = serve(application)
        if code == INTERRUPTED:
            frontend.hurry()  # after Ctrl-C nothing waits for a blocked reader
        process.finish_line(newline=frontend.is_interactive)
        return code or 0

    def _with_declared_cluster(self, node: NodeOptions) -> NodeOptions:
        """Returns the options of the node, with what the project says about its cluster."""
        if self._project_table is None:
            return node
        from pyx.shell.declared_cluster import with_declared_cluster

        return with_declared_cluster(node, self._project_table)

    def _declared_application(self) -> str | None:
        """Returns the application of the project, if it is to be started."""
        if self._project_table is None or not self._options.starts_application:
            return None
        from pyx.shell.declared_application import declared_application

        return declared_application(self._project_table)

    def _remote_shells(self, process: ShellProcess, completion: SwitchedCompletion) -> RemoteShells:
        from pyx.shell.remote_shells import RemoteShells

        return RemoteShells(self._frontend, process, completion)

    def _attach(self, shells: RemoteShells, node: str) -> int | None:
        """Runs the remote shell of `--remsh`; returns the exit code, None where the own prompt follows."""
        try:
            return 0 if shells.attach(node) == "exit" else None
        except PyxError as error:
            self._frontend.terminal.show(error_text(error.with_traceback(None)), "error")
            return 1

    def _run_programs(self, evaluator: Evaluator) -> int | None:
        """Runs `-e`, `-c`, the program, or a piped one; returns the exit code if one fails or exits."""
        options = self._options
        sys.argv = [*options.argv]
        for code in options.code:
            if (ended := run_program(evaluator, as_utf8(code), "<-e>")) is not None:
                return ended
        if options.command is not None:
            ended = run_program(evaluator, as_utf8(options.command), "<-c>")
            if ended is not None:
                return ended
        if options.module is not None or options.file not in {None, "-"}:
            from pyx.shell.program_files import run_file, run_module

            if options.module is not None:
                return run_module(evaluator, options.module, public_names())
            return run_file(evaluator, options.file or "", public_names())
        is_piped = not (options.has_program or self._frontend.is_interactive or not options.halt)
        if options.file == "-" or is_piped:
            with thread_state.interruptible():
                data = sys.stdin.buffer.read()
            return run_program(evaluator, decoded(data, "<stdin>"), "<stdin>")
        return None


def _stop_applications() -> None:
    """Stops what `Application.start` has started, if anything has."""
    if "pyx.otp.application" in sys.modules:
        from pyx.shell.project_application import stop_applications

        stop_applications()
