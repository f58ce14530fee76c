"""Groups of processes that two nodes share by the messages of OTP's `pg`: one connection's part of them.

A scope of Erlang is a process on each node.  These tell each other of themselves (`discover`), of the members
of their node (`sync`), and of changes (`join`, `leave`); each monitors the others.  Here a scope is a space
of the kernel, and a pid without a process speaks for it; the peer's members become `Held` and `Let`.

`pg` learns of visible nodes alone by itself, so this node repeats its `discover` until it is answered.  A str
and an atom of the same text are one group here: the value of an entry tells how its group is called there.

One side of a connection writes while another thread reads: each changes its own half, and looks at single
attributes of the other.  Follows OTP 25's pg.erl; 28 says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.atoms import Atom, as_texts
from pyx.errors import DecodeError, EncodeError
from pyx.signals import LONGEST_KEY_BYTES, Held, Let, Payload, Ping, Signal
from pyx.terms import LONGEST_WORD, Pid, Ref
from pyx.wire.beam import control as op
from pyx.wire.beam.term_writer import encode_term
from pyx.wire.codec import decode, encode_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyx.terms import Incarnation
    from pyx.wire.beam.exchanges import Exchanges
    from pyx.wire.beam.term import ErlangTerm

SPACE: Final = "pg "
"""Begins the names of the spaces that are scopes; `otp/named_spaces.py` makes them."""

SYNC: Final = -1
"""In the place of the number of a control message: the members here are to be told to a scope."""

SYNC_BYTES: Final = 32 * 1024
"""How long a `sync` may be: it leaves whole, and what does not fit follows as `join`."""

_NO_VALUE: Final = Payload(b"")


class ScopeMessage(NamedTuple):
    """A message from a scope here to one there: by its pid, or by its name."""

    frm: Pid
    to: Pid | str
    term: bytes


class _Scope:
    """One scope of the two nodes."""

    def __init__(self, name: str, pid: Pid) -> None:
        self.name: Final = name
        self.pid: Final = pid
        """Speaks for the scope here."""
        self.own: Final[dict[int, tuple[bytes, bytes]]] = {}
        """By the numbers of entries here: group and member, as terms.  Changed by the writer alone."""
        self.theirs: Pid | None = None
        """The scope there, once it has answered.  Changed by the reader alone."""
        self.told: Pid | None = None
        """The scope there that knows the members here.  Changed by the writer alone."""
        self.members: Final[dict[bytes, dict[Pid, list[int]]]] = {}
        """By key and pid: the numbers of entries there.  Changed by the reader alone."""


class GroupScopes:
    """The scopes of both nodes of one connection.

    Args:
        here: this node.
        there: the peer.
        exchanges: the open requests of the connection.
    """

    def __init__(self, here: Incarnation, there: Incarnation, exchanges: Exchanges) -> None:
        self._here = here
        self._there = there
        self._exchanges = exchanges
        self._by_name: dict[str, _Scope] = {}
        self._by_pid: dict[Pid, _Scope] = {}
        self._monitors: dict[Ref, tuple[_Scope, Pid]] = {}
        self._last_number = 0
        self._lead: Final = {word: encode_term(Atom(word), here) for word in ("discover", "join", "leave")}
        sync = b"h\x03" + encode_term(Atom("sync"), here)
        self._sync: Final = b"h\x02" + encode_term(Atom("$gen_cast"), here) + sync

    def is_scope(self, address: Pid | str) -> bool:
        """Whether a scope here has that pid or name."""
        return address in (self._by_pid if type(address) is Pid else self._by_name)

    # ------------------------------------------------------------ out

    def discover(self, space: str) -> ScopeMessage | None:
        """What asks for a scope there; None if it has answered, or cannot be there."""
        if not space.startswith(SPACE):
            return None
        scope = self._scope(space[len(SPACE) :])
        if scope is None or scope.theirs is not None:
            return None
        term = b"h\x02" + self._lead["discover"] + encode_term(scope.pid, self._here)
        return ScopeMessage(scope.pid, scope.name, term)

    def held(self, held: Held) -> ScopeMessage | None:
        """What tells the scope there of a new member here, if that knows the others."""
        scope = self._scope(held.space[len(SPACE) :]) if held.space.startswith(SPACE) else None
        if scope is None or held.number in scope.own:
            return None
        try:
            group = encode_term(
                decode(held.value if held.value.data else Payload(held.key), self._here), self._here
            )
        except EncodeError:
            return None  # Erlang has no such value
        member = encode_term(held.frm, self._here)
        scope.own[held.number] = group, member
        return self._join(scope, group, member)

    def let(self, let: Let) -> list[ScopeMessage]:
        """What tells the scopes there that a process here has left groups."""
        messages: list[ScopeMessage] = []
        for scope in self._by_name.values():
            left = [scope.own.pop(number)[0] for number in let.numbers if number in scope.own]
            if left and scope.told is not None:
                term = b"h\x04" + self._lead["leave"] + encode_term(scope.pid, self._here)
                term += encode_term(let.frm, self._here) + _list(left)
                messages.append(ScopeMessage(scope.pid, scope.told, term))
        return messages

    def sync(self, name: str) -> list[ScopeMessage]:
        """What tells a scope there of all members here."""
        scope = self._by_name[name]
        if scope.theirs is None:
            return []
        scope.told = scope.theirs
        groups: dict[bytes, list[bytes]] = {}
        size = 0
        more: list[ScopeMessage] = []
        for group, member in scope.own.values():
            size += len(group) + len(member)
            if size < SYNC_BYTES:
                groups.setdefault(group, []).append(member)
            else:
                more += filter(None, [self._join(scope, group, member)])
        term = self._sync + encode_term(scope.pid, self._here)
        term += _list([b"h\x02" + group + _list(members) for group, members in groups.items()])
        return [ScopeMessage(scope.pid, scope.told, term), *more]

    def _join(self, scope: _Scope, group: bytes, member: bytes) -> ScopeMessage | None:
        if scope.told is None:
            return None
        term = b"h\x04" + self._lead["join"] + encode_term(scope.pid, self._here) + group + member
        return ScopeMessage(scope.pid, scope.told, term)

    def _scope(self, name: str) -> _Scope | None:
        scope = self._by_name.get(name)
        if scope is None and len(name) <= LONGEST_WORD:
            pid = Pid(0, len(self._by_name) + 1)
            scope = self._by_pid[pid] = self._by_name[name] = _Scope(name, pid)
        return scope

    # ------------------------------------------------------------ in

    def receive(self, address: Pid | str, message: ErlangTerm) -> list[Signal] | None:
        """The signals of a message to a scope here; None if it is not one of `pg`'s, which means nothing."""
        scope = self._by_name[address] if type(address) is str else self._by_pid[address]  # type: ignore[index]
        try:
            value = message.decode(self._here)
        except DecodeError:
            return None
        match value:
            case (Atom("discover"), Pid() as peer) | (Atom("discover"), Pid() as peer, _):
                asked = self._exchanges.echo((SYNC, scope.name), None)
                return [*self._met(scope, peer), Ping(asked)] if self._is_theirs(peer) else []
            case (Atom("$gen_cast"), (Atom("sync"), Pid() as peer, list() as groups)):
                return (
                    [*self._met(scope, peer), *self._synced(scope, groups)] if self._is_theirs(peer) else []
                )
            case (Atom("join"), Pid() as peer, group, pids):
                return list(self._joined(scope, group, _pids(pids))) if peer == scope.theirs else []
            case (Atom("leave"), Pid() as peer, pids, list() as groups):
                return list(self._left(scope, _pids(pids), groups)) if peer == scope.theirs else []
        return None

    def ended(self, ref: Ref) -> list[Signal] | None:
        """The signals of the end of a scope there; None if *ref* is that of another monitor."""
        monitored = self._monitors.pop(ref, None)
        if monitored is None:
            return None
        scope, peer = monitored
        if scope.theirs != peer:
            return []
        scope.theirs = None
        return list(self._forgotten(scope))

    def _met(self, scope: _Scope, peer: Pid) -> Iterator[Signal]:
        """Notes the scope there, and monitors it."""
        if scope.theirs == peer:
            return
        yield from self._forgotten(scope)
        scope.theirs = peer
        ref = self._exchanges.scope_monitor()
        self._monitors[ref] = scope, peer
        yield Ping(self._exchanges.echo((op.MONITOR_P, scope.pid, peer, ref), None))

    def _synced(self, scope: _Scope, groups: list[Any]) -> Iterator[Signal]:
        """Makes the members those of a `sync`, by what differs."""
        wanted: dict[bytes, dict[Pid, int]] = {}
        for each in groups:
            match each:
                case (group, list() as pids) if (key := _key(group)) is not None:
                    counts = wanted.setdefault(key, {})
                    for pid in pids:
                        counts[pid] = counts.get(pid, 0) + 1
        for key, members in list(scope.members.items()):
            for pid, numbers in list(members.items()):
                for _ in range(len(numbers) - wanted.get(key, {}).get(pid, 0)):
                    yield from self._removed(scope, key, pid)
        for key, counts in wanted.items():
            for pid, count in counts.items():
                present = len(scope.members.get(key, {}).get(pid, ()))
                yield from self._added(scope, key, [pid] * (count - present))

    def _joined(self, scope: _Scope, group: Any, pids: list[Any]) -> Iterator[Signal]:
        key = _key(group)
        if key is not None:
            yield from self._added(scope, key, pids)

    def _left(self, scope: _Scope, pids: list[Any], groups: list[Any]) -> Iterator[Signal]:
        for group in groups:
            key = _key(group)
            if key is not None:
                for pid in pids:
                    yield from self._removed(scope, key, pid)

    def _added(self, scope: _Scope, key: bytes, pids: Iterable[Any]) -> Iterator[Signal]:
        for pid in pids:
            if self._is_theirs(pid):
                self._last_number += 1
                scope.members.setdefault(key, {}).setdefault(pid, []).append(self._last_number)
                yield Held(pid, self._last_number, SPACE + scope.name, key, _NO_VALUE)

    def _removed(self, scope: _Scope, key: bytes, pid: Any) -> Iterator[Signal]:
        members = scope.members.get(key)
        if members is None or type(pid) is not Pid or pid not in members:
            return
        numbers = members[pid]
        yield Let(pid, (numbers.pop(),))
        if not numbers:
            del members[pid]
            if not members:
                del scope.members[key]

    def _forgotten(self, scope: _Scope) -> Iterator[Signal]:
        for members in scope.members.values():
            for pid, numbers in members.items():
                yield Let(pid, tuple(numbers))
        scope.members.clear()

    def _is_theirs(self, value: Any) -> bool:
        """Whether a value is a process of the peer as it runs now."""
        return type(value) is Pid and value.incarnation == self._there


def _pids(value: Any) -> list[Any]:
    return value if type(value) is list else [value]


def _key(group: Any) -> bytes | None:
    """The key of a group; None for a group that cannot be one: a list, a map, a long text."""
    try:
        return encode_key(as_texts(group), what="group", max_bytes=LONGEST_KEY_BYTES)
    except (TypeError, EncodeError):
        return None


def _list(terms: list[bytes]) -> bytes:
    return b"l" + len(terms).to_bytes(4) + b"".join(terms) + b"j" if terms else b"j"
