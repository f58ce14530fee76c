"""Registered names of processes: one name per process, one process per name, this node only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.atoms import Atom
from pyx.errors import RegistrationError
from pyx.terms import LONGEST_WORD

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord
    from pyx.core.tables import Tables
    from pyx.terms import Pid


class Registry:
    """The part of the kernel that alone changes `Tables.names` and `ProcessRecord.name`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._names = tables.names

    def register(self, pid: Pid, name: str) -> None:
        """Registers a live process of this node under *name*.

        Raises:
            RegistrationError: the sentence names the rule.
        """
        if type(name) is Atom:
            name = str(name)
        if type(name) is not str or not name:
            msg = f"cannot register {pid} as {name!r}: a name is a str that is not empty"
            raise RegistrationError(msg)
        if len(name) > LONGEST_WORD:
            msg = f"cannot register {pid}: a name has at most {LONGEST_WORD} characters, not {len(name)}"
            raise RegistrationError(msg)
        process = self._tables.find(pid)
        if process is None:
            is_ours = self._tables.is_here(pid.node)
            problem = "it is not alive" if is_ours else "it is not a process of this node"
            msg = f"cannot register {pid} as {name!r}: {problem}"
            raise RegistrationError(msg)
        holder = self._names.get(name)
        if holder is not None:
            msg = f"cannot register {pid} as {name!r}: the name is taken by {holder.pid}"
            raise RegistrationError(msg)
        if process.name is not None:
            msg = f"cannot register {pid} as {name!r}: it is registered as {process.name!r} already"
            raise RegistrationError(msg)
        self._names[name] = process
        process.name = name

    def unregister(self, name: str) -> None:
        """Takes a name from its process.

        Raises:
            RegistrationError: no process has it.
        """
        process = self._names.pop(name, None)
        if process is None:
            msg = f"cannot unregister {name!r}: no process has that name"
            raise RegistrationError(msg)
        process.name = None

    def whereis(self, name: str) -> Pid | None:
        """Returns the pid registered under *name*; None when there is none."""
        process = self._names.get(name)
        return process.pid if process is not None else None

    def registered(self) -> list[str]:
        """Returns all names in use, sorted."""
        return sorted(self._names)

    def release(self, process: ProcessRecord) -> None:
        """Frees the name of a process that ended; its record keeps it, for reports."""
        if process.name is not None:
            self._names.pop(process.name, None)
