"""The process that owns the space of a registry or a scope: the space ends with it.

The kernel keeps and drops the entries, so the process has nothing to fail at, and is linked to no holder.  A
supervisor may start it, as a child that answers what every server and every supervisor is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pyx.execution.context import require
from pyx.otp.genserver import GenServer
from pyx.otp.handler_results import Reply, Stop
from pyx.otp.protocol import undefined_value
from pyx.runtime.local_node import node_of, this_node

if TYPE_CHECKING:
    from pyx.core.spaces import SpaceUse
    from pyx.otp.protocol import From


class SpaceOwner(GenServer):
    """A server without requests of its own, and a supervisor without children."""

    __behaviour__: ClassVar[str] = "Space"

    async def init(self, space: str, unique: bool, replicated: bool, use: SpaceUse) -> Stop | None:
        """Opens the space."""
        self._space = space
        self._settings = f"{'unique' if unique else 'duplicate'} keys"
        runner = require("a registry")
        with node_of(runner).kernel_call as kernel:
            is_open = kernel.keys.open_space(
                space, owner=runner.process, unique=unique, replicated=replicated, use=use
            )
        return None if is_open else Stop("already_started")

    def handle_call(self, request: Any, frm: From) -> Any:  # noqa: ARG002 - OTP's callback
        """Answers what `Supervisor.tree` and `which_children` ask each supervisor of a tree."""
        match request:
            case "which_children":
                return []
            case "tree":
                return self._settings, []
        return Reply(undefined_value(["which_children"]))

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `Sys.get_state` shows."""
        with this_node().kernel_call as kernel:
            return {"keys": self._settings, "entries": kernel.tables.spaces[self._space].size}
