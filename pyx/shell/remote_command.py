"""What an input of a remote shell asks of the shell where it was typed: `jobs`, `remsh`, `clear`.

The inputs of a remote shell run on another node; these functions raise there, and the asking shell acts.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn


class RemoteCommand(BaseException):
    """Ends an input that is to be carried out where it was typed: a function's name, and its arguments."""

    def __init__(self, name: str, *args: Any) -> None:
        super().__init__(f"{name}() is a helper of the prompt: type it on a line of its own")
        self.name = name
        self.arguments = args


def remsh(node: str) -> NoReturn:
    """Opens one more remote shell; the node of your terminal connects to *node*, not the node you look at."""
    raise RemoteCommand("remsh", node)


def jobs(number: int | None = None, action: str | None = None) -> NoReturn:
    """Lists the shells of your terminal and the evaluations that Ctrl-C left behind.

    `jobs(1)` goes to shell 1, `jobs(3, "interrupt")` interrupts evaluation 3.
    """
    raise RemoteCommand("jobs", number, action)


def clear() -> NoReturn:
    """Clears the screen."""
    raise RemoteCommand("clear")


REMOTE_COMMANDS: Final = (remsh, jobs, clear)
