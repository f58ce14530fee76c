"""`via`: names of processes that a registry keeps, as OTP's `{via, Module, Term}`; how servers get names.

GenServer.start_link(Stock, name=via(Registry, ("shop", "stock")))
send(via(Registry, ("shop", "stock")), "hello")
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeAlias

from pyx.errors import RegistrationError
from pyx.process import Process
from pyx.runtime.via_names import Via

if TYPE_CHECKING:
    from pyx.runtime.via_names import NameRegistry
    from pyx.terms import Pid

__all__ = ["ProcessName", "Via", "claim_name", "release_name", "resolved", "via"]

ProcessName: TypeAlias = "str | Via"
"""What a server may be named by at its start."""


def via(module: NameRegistry, term: Any) -> Via:
    """Returns the name *term* of a registry, for every place that takes the name of a process.

    Args:
        module: the registry, as `Registry` or `PartitionSupervisor`: a class or module with the functions
            `whereis_name`, `register_name` and `unregister_name`.
        term: the name in that registry; of `Registry` it is `(registry, key)` or `(registry, key, value)`.

    Raises:
        TypeError: *module* lacks `whereis_name`.
    """
    if not callable(getattr(module, "whereis_name", None)):
        msg = f"via takes a registry, which has whereis_name() and register_name(), not {module!r}"
        raise TypeError(msg)
    return Via(module, term)


def resolved(dest: Any) -> Any:
    """Returns the pid that a `Via` names now, None if it names none; any other destination unchanged."""
    return dest.whereis() if type(dest) is Via else dest


def destination_of_cast(server: Any) -> Any:
    """Returns what a cast is sent to: of a `Via` the pid; None if it names none, or its registry fails.

    A cast says nothing of its server, so nothing of the registry either, as in Elixir.
    """
    if type(server) is not Via:
        return server
    try:
        return server.whereis()
    except Exception:  # also of a registry of the user's
        return None


def claim_name(name: ProcessName, pid: Pid) -> Pid | None:
    """Gives a process of this node its name; returns None, or the process that has that name already.

    Args:
        name: a registered name, or a `Via`.
        pid: of the process; its name is freed when it ends.

    Raises:
        RegistrationError: *pid* is not alive or has another name, or the name is empty or too long.
        ValueError: the registry of a `Via` does not exist.
    """
    if type(name) is Via:
        return name.module.register_name(name.term, pid)
    assert isinstance(name, str)
    try:
        Process.register(pid, name)
    except RegistrationError:
        holder = Process.whereis(name)
        if holder is None or holder == pid:
            raise
        return holder
    return None


def release_name(name: ProcessName) -> None:
    """Frees a name; nothing if no process has it."""
    if type(name) is Via:
        name.module.unregister_name(name.term)
        return
    assert isinstance(name, str)
    with contextlib.suppress(RegistrationError):
        Process.unregister(name)
