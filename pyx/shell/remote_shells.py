"""The remote shells of one terminal and its jobs: `remsh(node)` and `jobs()` at the prompt, `--remsh`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.nodes import Node
from pyx.runtime import start_stop
from pyx.runtime.local_node import this_node
from pyx.shell.evaluate import error_text
from pyx.shell.hidden_name import hidden_options
from pyx.shell.loop import node_name
from pyx.shell.remote_shell import RemoteShell

if TYPE_CHECKING:
    from pyx.runtime.shell_process import ShellProcess
    from pyx.shell.frontend import Frontend
    from pyx.shell.remote_shell import RemoteShellLeft
    from pyx.shell.switched_completion import SwitchedCompletion

_LOCAL: Final = 1
"""The job number of the terminal's own shell."""


class RemoteShells:
    """The remote shells of one terminal, by their job numbers.

    Args:
        frontend: faces the user.
        process: the terminal's own shell.
        completion: of the terminal.
    """

    def __init__(self, frontend: Frontend, process: ShellProcess, completion: SwitchedCompletion) -> None:
        self._frontend = frontend
        self._process = process
        self._completion = completion
        self._numbers = itertools.count(_LOCAL + 1)
        self._shells: dict[int, RemoteShell] = {}
        self._opened_in: dict[int, int] = {}
        """The job in which `remsh` was typed for another one."""
        self._gave_name = False
        """True while this node has a name for its remote shells only."""

    def attach(self, node: str) -> str:
        """Opens a remote shell on *node*; reads its inputs, and those of the shells switched to from it.

        Returns:
            Why the last one was left: `"exit"`, `"lost"` or `"jobs"`.

        Raises:
            NodeNameInvalid, NoConnection, RpcRefused: it could not be opened.
        """
        try:
            return self._run(self._open(node, _LOCAL))
        finally:
            self._give_name_back()

    def jobs(self, number: int | None, action: str | None) -> None:
        """See `Helpers.jobs`."""
        if (to := self._job(number, action, _LOCAL)) != _LOCAL:
            self._run(to)
            self._give_name_back()

    def _open(self, node: str, here: int) -> int:
        full = this_node().full_name(node)
        if not Node.is_alive():
            start_stop.start(this_node(), hidden_options(node))
            self._gave_name = True
        shell = RemoteShell(full, self._frontend, self._process, lambda: next(self._numbers))
        shell.connection.open()
        number = next(self._numbers)
        self._shells[number] = shell
        self._opened_in[number] = here
        return number

    def _give_name_back(self) -> None:
        if self._gave_name and not self._shells:
            self._gave_name = False
            Node.stop()

    def _run(self, number: int) -> str:
        """Reads the inputs of one remote shell after another, until none or the local one is wanted."""
        while True:
            left = self._left(number)
            if left.reason == "exit":
                self._shells.pop(number).connection.close()
                number = self._opener(number)
                if number == _LOCAL:
                    return left.reason
                continue
            if left.reason == "lost":
                del self._shells[number]
                return left.reason
            try:
                number = self._after(number, left)
            except (PyxError, ValueError, TypeError) as error:
                self._frontend.terminal.show(error_text(error.with_traceback(None)), "error")
            if number == _LOCAL:
                return left.reason

    def _opener(self, number: int) -> int:
        """Returns the job to which leaving *number* leads back: where it was opened, if that still is."""
        while number != _LOCAL:
            number = self._opened_in[number]
            if number in self._shells:
                break
        return number

    def _left(self, number: int) -> RemoteShellLeft:
        shell = self._shells[number]
        self._completion.remote = shell.connection
        try:
            return shell.run()
        finally:
            self._completion.remote = None

    def _after(self, number: int, left: RemoteShellLeft) -> int:
        """Returns the job to go on with after a command."""
        if left.reason == "remsh":
            return self._open(left.arguments[0], number)
        asked, action = left.arguments
        return self._job(asked, action, number)

    def _job(self, number: int | None, action: str | None, here: int) -> int:
        """Carries out `jobs(number, action)` typed in job *here*; returns the job to go on with."""
        if number is None:
            self._show_all(here)
            return here
        owner = next((shell for shell in self._shells.values() if number in shell.left_behind), None)
        if action == "interrupt" and owner is not None:
            owner.connection.interrupt_job(number)
            return here
        if action is not None:
            msg = f'jobs({number}, {action!r}): only an evaluation that was left behind takes "interrupt"'
            raise ValueError(msg)
        if owner is not None:
            msg = f'job {number} is an evaluation that was left behind: jobs({number}, "interrupt")'
            raise ValueError(msg)
        if number != _LOCAL and number not in self._shells:
            msg = f"there is no job {number}; jobs() lists them"
            raise ValueError(msg)
        return number

    def _show_all(self, here: int) -> None:
        rows = [(_LOCAL, node_name() or "this shell")]
        for number, shell in self._shells.items():
            rows.append((number, shell.name))
            rows += [(job, f"{shell.connection.node}: {place}") for job, place in shell.left_behind.items()]
        text = "".join(
            f"{'*' if number == here else ' '} {number}  {what}\n" for number, what in sorted(rows)
        )
        self._frontend.terminal.show(text, "notice")
