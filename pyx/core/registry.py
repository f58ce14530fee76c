"""Registered names: one name a process, one process a name, this node only.  Not here: names of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.errors import RegistrationError

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord


class Registry:
    """The table of names; `ProcessRecord.name` is its other half and is written here alone."""

    __slots__ = ("_processes",)

    def __init__(self) -> None:
        self._processes: dict[str, ProcessRecord] = {}

    def find(self, name: str) -> ProcessRecord | None:
        """The process of that name."""
        return self._processes.get(name)

    def all(self) -> list[str]:
        """Every name in use, sorted."""
        return sorted(self._processes)

    def register(self, process: ProcessRecord, name: str) -> None:
        """Gives a live process a name.

        Raises:
            RegistrationError: the name is taken, or the process has one; the sentence says which.
        """
        holder = self._processes.get(name)
        if holder is not None:
            msg = f"cannot register {process.pid} as {name!r}: the name is taken by {holder.pid}"
            raise RegistrationError(msg)
        if process.name is not None:
            msg = f"cannot register {process.pid} as {name!r}: it is registered as {process.name!r} already"
            raise RegistrationError(msg)
        self._processes[name] = process
        process.name = name

    def unregister(self, name: str) -> None:
        """Takes a name away.

        Raises:
            RegistrationError: nobody has it.
        """
        process = self._processes.pop(name, None)
        if process is None:
            msg = f"cannot unregister {name!r}: no process has that name"
            raise RegistrationError(msg)
        process.name = None

    def release(self, process: ProcessRecord) -> None:
        """Frees the name of a process that ended; the process keeps it in its record, for the reports."""
        if process.name is not None:
            self._processes.pop(process.name, None)
