"""The parts of the kernel that know spaces, made at their first use: few nodes have keys, groups or topics.

A start does not load their modules.  Nothing is imported under the kernel's lock, so they are loaded before
a kernel call can need them: see `kernel.load_late_parts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyx.core.broadcasts import Broadcasts
    from pyx.core.groups import Groups
    from pyx.core.keys import Keys
    from pyx.core.presence_diffs import PresenceDiffs
    from pyx.core.routing import Router
    from pyx.core.tables import Tables

SPACE_PARTS: Final = frozenset({"broadcasts", "presence_diffs", "keys", "groups"})
"""The names of the parts."""


class SpaceParts:
    """Keys and groups, broadcasts and the diffs of presences."""

    broadcasts: Broadcasts
    presence_diffs: PresenceDiffs
    keys: Keys
    groups: Groups

    def __init__(self, tables: Tables, router: Router) -> None:
        self._tables = tables
        self._router = router

    if not TYPE_CHECKING:  # for mypy, any attribute would be one of these

        def __getattr__(self, name: str) -> object:
            """Makes all parts when one of them is asked for first."""
            if name not in SPACE_PARTS:
                raise AttributeError(name)
            from pyx.core.broadcasts import Broadcasts
            from pyx.core.groups import Groups
            from pyx.core.keys import Keys
            from pyx.core.presence_diffs import PresenceDiffs

            self.broadcasts = Broadcasts(self._tables, self._router)
            self.presence_diffs = PresenceDiffs(self._tables, self.broadcasts)
            self.keys = Keys(self._tables, self._router, self.presence_diffs)
            self.groups = Groups(self._tables, self._router, self.presence_diffs, self.keys)
            return self.__dict__[name]
