"""The prompt of a remote shell: inputs are typed and shown here, and run on another node."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.shell.evaluate import is_blank
from pyx.shell.helpers import clear_screen
from pyx.shell.loop import LOOK, Prompt, PromptLeft, node_name, prompt_for, remote_name, show_own_error
from pyx.shell.remote_connection import SILENT_SECONDS, RemoteConnection, RemoteLost
from pyx.shell.render import highlight

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.shell_process import ShellProcess
    from pyx.shell.frontend import Frontend


_LEAVING_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.01
_LOOK: Final = f"at the prompt of jobs(1) {LOOK}"


class RemoteShellLeft(NamedTuple):
    """Why the prompt of a remote shell was left.

    `reason` is `"exit"` (by `exit()` or Ctrl-D), `"lost"`, or the name of a command with `arguments`.
    """

    reason: str
    arguments: tuple[Any, ...] = ()


class RemoteShell:
    """One remote shell of this terminal.

    Args:
        node: full name of the node to attach to.
        frontend: faces the user.
        process: the asking shell's.
        new_job: returns the number of a new job of this terminal.
    """

    def __init__(
        self, node: str, frontend: Frontend, process: ShellProcess, new_job: Callable[[], int]
    ) -> None:
        self.connection = RemoteConnection(
            node, self._lost, self._job_ended, lambda text: self._show(text, "notice")
        )
        self.left_behind: dict[int, str] = {}
        """The evaluations that go on as jobs: number -> where they were."""
        self._frontend = frontend
        self._process = process
        self._new_job = new_job
        self._is_read = False
        self._has_read = False
        """True once the prompt has read the input that runs."""
        self._was_named = False

    @property
    def name(self) -> str:
        """The two nodes, as the prompt has them."""
        return remote_name(self.connection.node, node_name() or "this shell")

    def prompt(self) -> Prompt:
        """Returns the prompt as it is now."""
        return prompt_for(self.name, self.connection.next_statement)

    def run(self) -> RemoteShellLeft:
        """Reads inputs and shows what they come to, until the prompt is left."""
        while True:
            try:
                if (left := self._run_one()) is not None:
                    return left
            except KeyboardInterrupt:
                continue
            except EOFError:
                return RemoteShellLeft("exit")
            except RemoteLost as lost:
                self._process.finish_line()
                node = self.connection.node
                self._show(f"{node} is gone: {lost}\n", "error")
                return RemoteShellLeft("lost")
            except PromptLeft:
                raise
            except Exception as error:  # pyx's own
                look = _LOOK if self._has_read else None
                show_own_error(self._frontend.terminal, self._process, error, look)
                if not self._has_read:  # the next prompt would fail as well
                    self.connection.close()
                    return RemoteShellLeft("lost")

    def _run_one(self) -> RemoteShellLeft | None:
        """Reads one input, has it evaluated and shows what it comes to; returns why the prompt is left."""
        self._has_read = False
        source = self._read()
        self._has_read = True
        if is_blank(source):
            return None
        match self._evaluate(source):
            case "exit", _:
                return RemoteShellLeft("exit")
            case "command", (str() as command, list() as arguments):
                if command != "clear":
                    return RemoteShellLeft(command, tuple(arguments))
                clear_screen()
            case "left", (int() as job, str() as place):
                self.left_behind[job] = place
                self._show(f"job {job} goes on: {place}\n", "interrupt")
            case "value", str() as value if value:
                terminal = self._frontend.terminal
                self._show(highlight(value, terminal.theme) + "\n", "echo")
            case "error" | "interrupt" | "notice" as kind, str() as shown:
                # After "still running" the terminal has shown no other ^C.
                self._show(shown, "notice" if self._was_named else kind)
        return None

    def _read(self) -> str:
        self._is_read = True
        try:
            if self.connection.lost is not None:
                raise self.connection.lost
            return self._frontend.terminal.read(self.prompt)
        finally:
            self._is_read = False

    def _evaluate(self, source: str) -> tuple[str, Any]:
        self._was_named = False
        answer = self.connection.evaluate(
            source, self._frontend.terminal.width, self._still_runs, self._new_job
        )
        self._process.finish_line()
        return answer

    def _still_runs(self, place: str | None) -> None:
        if place is None:
            node = self.connection.node
            text = (
                f"{node} has not answered for {SILENT_SECONDS:g} s: it is frozen, or in C code\n"
                "Ctrl-C again gives the prompt back, and leaves the evaluation behind as a job\n"
            )
        else:
            text = (
                f"still running: {place}\n"
                "a call into a library or into C ends by itself; Ctrl-C again leaves it behind as a job\n"
            )
        self._show(text, "notice" if self._was_named else "interrupt")
        self._was_named = True

    def _lost(self, lost: RemoteLost) -> None:
        """Ends the prompt; called by the relay."""
        deadline = time.monotonic() + _LEAVING_SECONDS
        # The editor may be about to show its prompt; a line from a pipe cannot be ended.
        while self._is_read and not self._frontend.leave_prompt(lost) and time.monotonic() < deadline:
            time.sleep(_AGAIN_SECONDS)

    def _job_ended(self, job: int, kind: str, text: str) -> None:
        """Shows what a job came to; called by the relay."""
        place = self.left_behind.pop(job, None)
        if place is not None:
            end = "\n" if kind == "value" and text else ""
            self._show(f"job {job} has ended ({place})\n{text}{end}", "notice")

    def _show(self, text: str, what: str) -> None:
        self._frontend.terminal.show(text, what)
