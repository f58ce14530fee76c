"""The refusals of supervisors: of child specifications that are wrong, and of requests about a child.

`reason` is OTP's word, as an Elixir node would get it behind `:error`.
"""

from __future__ import annotations

from typing import Any

from pyx.errors import PyxError


class ChildSpecInvalid(PyxError, ValueError):
    """A child specification cannot be used.  Attribute: `reason`, as OTP's supervisor names it."""

    def __init__(self, message: str, reason: Any, *, hint: str | None = None) -> None:
        self.reason = reason
        super().__init__(message, hint=hint)


class ChildError(PyxError):
    """A supervisor refused a request about one child.  Attributes: `child` (its id, or pid), `reason`."""

    reason: str = "error"
    problem = "was refused"

    def __init__(self, child: Any, *, hint: str | None = None) -> None:
        self.child = child
        super().__init__(f"the child {child!r} {self.problem}", hint=hint or self.hint)


class ChildNotFound(ChildError, LookupError):
    """The supervisor has no such child."""

    reason = "not_found"
    problem = "is not among those of this supervisor"


class ChildRunning(ChildError):
    """The child runs, so it can be neither deleted nor started anew."""

    reason = "running"
    problem = "is running"
    hint = "Supervisor.terminate_child(supervisor, id) first"


class ChildRestarting(ChildError):
    """The child is about to be started again, so it can be neither deleted nor restarted."""

    reason = "restarting"
    problem = "is being restarted"
    hint = "Supervisor.terminate_child(supervisor, id) first"


class ChildAlreadyPresent(ChildError):
    """A child of that id is there, and was stopped, or has ended."""

    reason = "already_present"
    problem = "is there already, and does not run"
    hint = "Supervisor.restart_child(supervisor, id), or Supervisor.delete_child(supervisor, id) first"


class TooManyChildren(ChildError):
    """A dynamic supervisor has `max_children` children; those that are being restarted count."""

    reason = "max_children"
    problem = "would be one more than max_children allows"


REFUSALS = {
    refusal.reason: refusal
    for refusal in (ChildNotFound, ChildRunning, ChildRestarting, ChildAlreadyPresent, TooManyChildren)
}
"""The refusals, by OTP's word, for a client that has got the word."""
