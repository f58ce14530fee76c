"""Names that a registry of the user's choice resolves: OTP's `{via, Module, Term}`.

See `otp/via.py` for how servers take and free such names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pyx.terms import Pid


class NameRegistry(Protocol):
    """What keeps names of processes: a class or a module with these functions, as for OTP's `via`."""

    def whereis_name(self, term: Any, /) -> Pid | None:
        """Returns the process that *term* names now; None if it names none."""

    def register_name(self, term: Any, pid: Pid, /) -> Pid | None:
        """Gives the name to *pid*; returns None, or the process that has it already."""

    def unregister_name(self, term: Any, /) -> None:
        """Frees the name."""


@dataclass(frozen=True, slots=True, repr=False)
class Via:
    """A name of a process in a registry: `module` is the registry's class or module, `term` the name there.

    Every function of pyx that takes a registered name takes a `Via` too.  It is looked up at each use.
    """

    module: NameRegistry
    term: Any

    def __repr__(self) -> str:
        module = getattr(self.module, "__name__", None) or repr(self.module)
        return f"via({module}, {self.term!r})"

    def whereis(self) -> Pid | None:
        """Returns the process that has this name now; None if there is none."""
        return self.module.whereis_name(self.term)
