"""Which servers still run the class of a module as it was before a reload."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from pyx.runtime.local_node import this_node
from pyx.signals import Payload

if TYPE_CHECKING:
    from types import ModuleType

_INIT: Final = ".init"
"""What follows the class in the initial call of a server."""

_MOST_NAMED: Final = 5


def servers_of_old_classes(module: ModuleType) -> list[str]:
    """Returns a line for each class of a module that was just reloaded and has servers on this node.

    All of them were started before, so each is of the old class.
    """
    if "pyx.otp.genserver" not in sys.modules:
        return []
    with this_node().kernel_call as kernel:
        processes = kernel.tables.processes.all()
    servers: dict[str, list[str]] = {}
    for process in processes:
        call = process.initial_call
        if isinstance(call, Payload) or call[0] != module.__name__:
            continue
        if call[1].endswith(_INIT):
            servers.setdefault(call[1].removesuffix(_INIT), []).append(process.name or str(process.pid))
    return [_line(cls, names) for cls, names in servers.items()]


def _line(cls: str, names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        shown += f" and {len(names) - _MOST_NAMED} more"
    run = "server still runs" if len(names) == 1 else "servers still run"
    return f"{len(names)} {run} the old {cls}: {shown} (Sys.change_code(server) gives it the new one)"
