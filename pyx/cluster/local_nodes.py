"""`local`: the nodes of this user on this host, by their runtime directory; `--seed local:`.

Differs from libcluster's LocalEpmd: that finds the nodes of all users of the host, and of all their projects.
"""

from __future__ import annotations

import asyncio
import fnmatch
import re
from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.polling import pause
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names, seconds_of, text_of
from pyx.net.directory import HostDirectory
from pyx.terms import host_of, is_long

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_ASKERS: Final = re.compile(r"rem-[0-9a-f]{6}")
"""First names of nodes that only ask (`--remsh`, `--rpc-eval`): they join no mesh."""

_LOOK_SECONDS: Final = 1.0
"""Seconds between two looks; each reads a few files of one directory."""


class NodesOfThisUser:
    """Finds short names; see `Strategy`.

    Settings: `pattern`, of first names, as of a file (`"shop-*"`); `interval`.
    """

    seed_setting: Final = "pattern"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "pattern", "interval")
        self._pattern = text_of(config, "pattern", "shop-*", default="*") if config.get("pattern") else "*"
        self._interval = seconds_of(config, default=_LOOK_SECONDS)
        if is_long(host_of(here)):
            msg = f"it finds nodes with short names (--sname), and {here} has a long one"
            raise ValueError(msg)

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields the running nodes, this one included."""
        directory = HostDirectory.of_this_user()
        while True:
            await asyncio.to_thread(directory.look)
            entries = await asyncio.to_thread(directory.entries)
            firsts = ((entry.name, entry.name.partition("@")[0]) for entry in entries)
            yield Sighting(
                frozenset(
                    name
                    for name, first in firsts
                    if fnmatch.fnmatchcase(first, self._pattern) and not _ASKERS.fullmatch(first)
                )
            )
            await pause(self._interval)
