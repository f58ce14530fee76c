"""The parts of the kernel that know spaces, made at their first use: few nodes have a key or a group.

Their modules are no part of a start.  Nothing is imported under the kernel's lock, so they are loaded before
a kernel call can need them: see `kernel.load_late_parts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyx.core.groups import Groups
    from pyx.core.keys import Keys
    from pyx.core.routing import Router
    from pyx.core.tables import Tables


class SpaceParts:
    """Keys and groups."""

    keys: Keys
    groups: Groups

    def __init__(self, tables: Tables, router: Router) -> None:
        self._tables = tables
        self._router = router

    if not TYPE_CHECKING:  # for mypy, any attribute would be one of these

        def __getattr__(self, name: str) -> Keys | Groups:
            """Makes a part when it is asked for first."""
            if name == "keys":
                from pyx.core.keys import Keys

                self.keys = Keys(self._tables, self._router)
                return self.keys
            if name == "groups":
                from pyx.core.groups import Groups

                self.groups = Groups(self._tables, self._router, self.keys)
                return self.groups
            raise AttributeError(name)
