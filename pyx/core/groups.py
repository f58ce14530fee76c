"""What the processes of all visible nodes hold in replicated spaces.

A session between visible nodes begins, in both directions, with the *holdings* of each: what its processes
hold, in pieces.  Once the last piece has come, all of it is seen at once, and then `nodeup` is delivered.
What changes later follows in the queue of the peer, before anything that its process sends after it.  With
the session all of it goes, before the exits and downs that follow from the loss, and before `nodedown`.  So
each side owns its own entries, and nothing is merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.core.effects import Released
from pyx.core.spaces import PeerHoldings
from pyx.errors import ProtocolError
from pyx.signals import Discover, Holdings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyx.core.keys import Keys
    from pyx.core.peers import Peer
    from pyx.core.presence_diffs import PresenceDiffs
    from pyx.core.processes import ProcessRecord
    from pyx.core.routing import Router
    from pyx.core.spaces import Space
    from pyx.core.tables import Tables
    from pyx.signals import Held, Let, Signal
    from pyx.terms import Ref

PIECE: Final = 512
"""Entries of one piece of the holdings: mostly some 15 KiB, which its reader applies in a millisecond.

[measured, CPU time, 100,000 entries: 35 ms in the kernel call that sends them, 110 ms to write, 340 ms to
read, 83 ms in kernel calls of their receiver, none longer than 10 ms; 10,000 entries: a tenth of that]
"""


class Groups:
    """The part of the kernel that alone changes the holdings of peers; reads them and those of this node."""

    def __init__(self, tables: Tables, router: Router, diffs: PresenceDiffs, keys: Keys) -> None:
        self._tables = tables
        self._router = router
        self._diffs = diffs
        self._keys = keys

    # ------------------------------------------------------------ reading

    def members(self, space: Space, key: bytes) -> list[Held]:
        """Returns the entries of a key on all nodes, those of this node first."""
        found = [entry.held for entry in space.living(key)]
        if space.replicated:
            for peer in self._tables.peers.values():
                if peer.is_ready and peer.holdings is not None:
                    found += peer.holdings.of(space.name, key)
        return found

    def keys(self, space: Space) -> list[bytes]:
        """Returns the keys that a process of any node holds."""
        keys = dict.fromkeys(space.keys())
        if space.replicated:
            for peer in self._tables.peers.values():
                if peer.is_ready and peer.holdings is not None:
                    keys.update(dict.fromkeys(peer.holdings.spaces.get(space.name, ())))
        return list(keys)

    def watch(self, process: ProcessRecord, space: Space, key: bytes) -> tuple[Ref, list[Held]]:
        """Has a process told of the changes of a key from now on; returns the present entries too."""
        return self._keys.watch(process, space, key), self.members(space, key)

    def watch_all(self, process: ProcessRecord, space: Space) -> tuple[Ref, dict[bytes, list[Held]]]:
        """`watch` for all keys of a space."""
        ref = self._keys.watch(process, space, None)
        return ref, {key: self.members(space, key) for key in self.keys(space)}

    # ------------------------------------------------------------ a session begins

    @staticmethod
    def session_began(peer: Peer) -> None:
        """Gives a peer, whose session has come up, a table of what its processes hold."""
        peer.holdings = PeerHoldings()

    def send_holdings(self, peer: Peer) -> None:
        """Puts what processes here hold before all that waits for a peer, whose session has come up."""
        held = [
            entry.held for space in self._tables.spaces.values() if space.replicated for entry in space.all()
        ]
        pieces: list[Signal] = [
            Holdings(tuple(held[start : start + PIECE]), is_last=False)
            for start in range(0, len(held), PIECE)
        ]
        pieces.append(Holdings((), is_last=True))
        peer.out.put_first(pieces)

    def holdings_received(self, peer: Peer, holdings: Holdings) -> None:
        """Receives a piece of what a peer's processes hold.

        Raises:
            ProtocolError: the last piece has come before.
        """
        if peer.is_ready:
            raise ProtocolError("the holdings of a session have come twice")
        for held in holdings.entries:
            if _holdings(peer).add(held) is not None:
                msg = f"the entry {held.number} of the holdings came twice"
                raise ProtocolError(msg)

    def announce(self, peer: Peer) -> None:
        """Tells the watchers here of all that the processes of a peer hold, now that it is seen."""
        self._tell_all(peer, "join")
        self._diffs.peer_is_here(peer)

    # ------------------------------------------------------------ Erlang nodes

    def introduce(self, peer: Peer) -> None:
        """Puts the spaces here, and what processes hold in them, into the queue of an Erlang node."""
        self.discover(peer)
        for space in self._tables.spaces.values():
            if space.replicated:
                for entry in space.all():
                    self._router.enqueue(peer, entry.held)

    def discover(self, peer: Peer) -> None:
        """Asks an Erlang node for the spaces here, again and again: it does not say when it starts one."""
        for space in self._tables.spaces.values():
            if space.replicated:
                self._router.enqueue(peer, Discover(space.name))

    # ------------------------------------------------------------ while it stands

    def held_received(self, peer: Peer, held: Held) -> None:
        """Receives an entry of a peer's process, or a new value of one.

        Raises:
            ProtocolError: the number is that of another entry.
        """
        replaced = _holdings(peer).add(held)
        kind = "join" if replaced is None else "update"
        self._tell(peer, kind, held.space, {held.key: (held,)}, replaced)

    def let_received(self, peer: Peer, let: Let) -> None:
        """Receives that a peer's process has given up entries; numbers that it does not have are ignored."""
        left: dict[str, dict[bytes, list[Held]]] = {}
        for number in let.numbers:
            held = _holdings(peer).remove(let.frm, number)
            if held is not None:
                left.setdefault(held.space, {}).setdefault(held.key, []).append(held)
        for name, changes in left.items():
            self._tell(peer, "leave", name, changes)

    def _tell(
        self,
        peer: Peer,
        kind: str,
        name: str,
        changes: Mapping[bytes, Sequence[Held]],
        replaced: Held | None = None,
    ) -> None:
        """Tells the watchers here of a step of a peer; of one that is not ready they know nothing."""
        space = self._tables.spaces.get(name)
        if space is not None and space.replicated and peer.is_ready:
            self._keys.tell(space, kind, changes, replaced=replaced)

    # ------------------------------------------------------------ its end

    def peer_lost(self, peer: Peer) -> None:
        """Takes away all that the processes of a peer held, and tells the watchers; its state is "gone"."""
        if peer.is_ready:
            self._tell_all(peer, "leave")
            self._diffs.peer_lost(peer)
        peer.is_ready = False
        holdings = _holdings(peer)
        if holdings:
            self._tables.effects.append(Released(holdings.take()))

    def _tell_all(self, peer: Peer, kind: str) -> None:
        """Tells the watchers of all that a peer's processes hold: one batch for each space."""
        for name, keys in _holdings(peer).spaces.items():
            space = self._tables.spaces.get(name)
            if space is not None and space.watches:
                watched = keys if None in space.watches else [key for key in space.watches if key in keys]
                changes = {key: tuple(keys[key].values()) for key in watched}
                if space.replicated and peer.is_ready:
                    self._keys.tell_watchers(space, kind, changes)


def _holdings(peer: Peer) -> PeerHoldings:
    """Returns what a peer's processes hold; of one that has been up, and shares its holdings."""
    assert peer.holdings is not None
    return peer.holdings
