"""`hosts`: a file with a host or a node on each line, read again and again; `--seed hosts:FILE`.

A line is a node (`gus@10.0.0.5`), or a host, on which the node has this node's first name.  `#` begins a
comment.  The lines of Erlang's `.hosts.erlang`, which libcluster's ErlangHosts reads, are understood too:
`'host.example'.`
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.polling import pause
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names, seconds_of, text_of
from pyx.errors import PyxError
from pyx.net.error_words import system_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping


class HostsFile:
    """Finds the nodes of its setting `file`; see `Strategy`."""

    seed_setting: Final = "file"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "file", "interval")
        self._file = _expanded(text_of(config, "file", "/etc/pyx/hosts"))
        self._interval = seconds_of(config)
        self._first = here.partition("@")[0]

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields what the file says; raises PyxError where it cannot be read."""
        while True:
            try:
                text = await asyncio.to_thread(self._file.read_text, encoding="utf-8")
            except (OSError, UnicodeError) as error:
                msg = f"cannot read {self._file}: {system_text(error)}"
                raise PyxError(msg) from error
            yield Sighting(frozenset(nodes_in(text, self._first)))
            await pause(self._interval)


def _expanded(file: str) -> Path:
    """Returns a path, with the home directory for `~`: a shell leaves that as it is behind `hosts:`.

    Raises:
        ValueError: there is no such home directory.
    """
    try:
        return Path(file).expanduser()
    except RuntimeError:
        msg = f"file is {file!r}, and there is no such home directory"
        raise ValueError(msg) from None


def nodes_in(text: str, first: str) -> Iterator[str]:
    """Yields the nodes of a file of hosts; *first* is the first name of those that are given by a host."""
    for line in text.splitlines():
        word = line.partition("#")[0].strip().removesuffix(".").strip("'\"")
        if word:
            yield word if "@" in word else f"{first}@{word}"
