"""Reply, NoReply, Stop, Continue and Ignore, as type checkers see them: `Never`, which fits any other type.

So the annotation of a handler is the type of its reply, and of its client function, whatever else it returns:

    @handle.call
    def take(self, name: str) -> int:
        if name not in self.items:
            return Stop("normal", reply=0)
        return self.items.pop(name)

In a function that is annotated `-> None`, mypy allows no `return` with a value: `raise Stop("normal")` there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Never

    NoReply: Never
    Ignore: Never

    def Reply(  # noqa: N802 - a class, at run time
        value: Any = None, *, timeout: float | None = None, then: Any = ...
    ) -> Never:
        """See `handler_results.Reply`."""

    def Stop(reason: Any = "normal", *, reply: Any = ...) -> Never:  # noqa: N802 - the same
        """See `handler_results.Stop`."""

    def Continue(then: Any) -> Never:  # noqa: N802 - the same
        """See `handler_results.Continue`."""
else:
    from pyx.otp.handler_results import Continue, Ignore, NoReply, Reply, Stop

__all__ = ["Continue", "Ignore", "NoReply", "Reply", "Stop"]
