"""The protocol of EPMD, the Erlang port mapper daemon, which knows the port of each node on a host.

`net/epmd_client.py` is the client; `net/epmd_server.py` the server for hosts without an `epmd`.

    request         u16 length of what follows, then
      register        120 | u16 port | u8 type | u8 protocol | u16 highest | u16 lowest
                          | u16 length | name | u16 length | extra
      look up         122 | name
      list            110
      leave           107

    answer          no length; EPMD closes the connection after it, except after a registration
      registered      118 | u8 result | u32 creation        to nodes of version 6 of distribution
                      121 | u8 result | u16 creation        to older nodes
      looked up       119 | 0 | u16 port | ...              as in a registration, from the port on
                      119 | 1                               the name is not registered
      listed          u32 port of EPMD | a line of text for each: name gus at port 34567
      left            "OK", or "NO" while there are names

All numbers are big endian.  A name is the part before the @, in UTF-8.  It stays registered for as long as
its connection is open, and any further byte on that connection ends it.

Follows OTP (erl_dist_protocol, and `epmd` of OTP 25 byte for byte).
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.errors import ProtocolError
from pyx.terms import MAX_NODE_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PORT: Final = 4369
MAX_REQUEST_BYTES: Final = 1022
"""The longest request that `epmd` accepts: its buffer of 1 KiB less the length."""

_REGISTER, _LOOK_UP, _LIST, _LEAVE = 120, 122, 110, 107
_REGISTERED, _REGISTERED_BEFORE_6, _LOOKED_UP = 118, 121, 119
_FIXED: Final = Struct(">HBBHH")
_NORMAL, _HIDDEN = 77, 72  # 'M' and 'H'
_TCP: Final = 0
_VERSION: Final = 6
_HIGHEST_PORT: Final = 65535
_LINE: Final = re.compile(rb"name ([^\s]+) at port (\d{1,5})")
_PYX: Final = b"pyx\x01"
"""Leads the extra bytes of a pyx node; the port of pyx's own dialect follows.  Other nodes have none."""
_NO_CREATION: Final = 99
"""What `epmd` writes in place of a creation when it refuses a registration."""


class NodeEntry(NamedTuple):
    """A node as EPMD knows it.

    `highest` and `lowest` are the versions of OTP's distribution protocol that it speaks; `extra` are bytes
    for nodes that look it up.
    """

    name: str
    port: int
    hidden: bool = False
    highest: int = _VERSION
    lowest: int = _VERSION
    extra: bytes = b""

    @property
    def is_pyx(self) -> bool:
        """True for a node that speaks pyx's own dialect, False for an Erlang node."""
        return self.extra[: len(_PYX)] == _PYX and len(self.extra) == len(_PYX) + 2

    @property
    def port_of_pyx(self) -> int:
        """The port on which it speaks pyx's own dialect over TLS; 0 if it does so on its host alone."""
        return int.from_bytes(self.extra[len(_PYX) :])


def extra_of_pyx(port: int) -> bytes:
    """Returns the extra bytes of a node that speaks pyx's own dialect on that port; 0: on its host alone."""
    return _PYX + port.to_bytes(2)


class Registered(NamedTuple):
    """The answer to a registration.  `creation` increases with every registration."""

    accepted: bool
    creation: int


class Register(NamedTuple):
    """ALIVE2_REQ: registers a node under its name."""

    entry: NodeEntry


class LookUp(NamedTuple):
    """PORT_PLEASE2_REQ: asks for the port of a name."""

    name: str


class ListNames(NamedTuple):
    """NAMES_REQ: asks for all registered names."""


class Leave(NamedTuple):
    """KILL_REQ: asks EPMD to exit."""


Request: TypeAlias = Register | LookUp | ListNames | Leave


# ---------------------------------------------------------------- client side


def register_request(entry: NodeEntry) -> bytes:
    """Returns the request that registers a node under its name."""
    return _request(bytes((_REGISTER,)) + _body(entry))


def look_up_request(name: str) -> bytes:
    """Returns the request for the port of *name* (the part before the @)."""
    return _request(bytes((_LOOK_UP,)) + name.encode())


LIST_REQUEST: Final = b"\0\1" + bytes((_LIST,))
LEAVE_REQUEST: Final = b"\0\1" + bytes((_LEAVE,))


def read_registered(data: bytes) -> Registered | None:
    """Reads the answer to `register_request`; None while bytes are missing.

    Raises:
        ProtocolError: *data* is not such an answer.
    """
    if (data and data[0] not in {_REGISTERED, _REGISTERED_BEFORE_6}) or (len(data) > 1 and data[1] > 1):
        raise _malformed(data)
    size = 6 if data[:1] == bytes((_REGISTERED,)) else 4
    if len(data) < size:
        return None
    return Registered(accepted=not data[1], creation=int.from_bytes(data[2:size]))


def read_looked_up(data: bytes) -> NodeEntry | None:
    """Reads the whole answer to `look_up_request`; None: the name is not registered.

    Raises:
        ProtocolError: *data* is not such an answer.
    """
    if len(data) < 2 or data[0] != _LOOKED_UP:
        raise _malformed(data)
    return None if data[1] else _entry(data[2:])


def read_listed(data: bytes) -> list[tuple[str, int]]:
    """Reads the whole answer to `LIST_REQUEST`: names and ports, sorted, without invalid lines.

    Any program of that host may have registered any bytes: a name that is not printable, or longer than a
    node name may be, is invalid.

    Raises:
        ProtocolError: *data* is not such an answer.
    """
    if len(data) < 4 or int.from_bytes(data[:4]) > _HIGHEST_PORT:
        raise _malformed(data)
    found = (_LINE.fullmatch(line) for line in data[4:].split(b"\n"))
    listed = ((match[1].decode("utf-8", "replace"), int(match[2])) for match in found if match)
    return sorted(
        (name, port)
        for name, port in listed
        if name.isprintable() and len(name) <= MAX_NODE_NAME_BYTES and port <= _HIGHEST_PORT
    )


# ---------------------------------------------------------------- server side


class RequestReader:
    """Reads the one request of a connection: call `receive_data`, then `request`."""

    def __init__(self) -> None:
        self._unread = b""

    def receive_data(self, data: bytes) -> None:
        """Takes bytes from the connection; bytes after a whole request are ignored."""
        self._unread = (self._unread + data)[: 2 + MAX_REQUEST_BYTES]

    def request(self) -> Request | None:
        """Returns the request; None while bytes are missing.

        Raises:
            ProtocolError: the bytes are not a request; `epmd` then closes the connection without an answer.
        """
        unread = self._unread
        length = int.from_bytes(unread[:2])
        if len(unread) >= 2 and not 0 < length <= MAX_REQUEST_BYTES:
            msg = f"a request of {length} bytes was announced; 1 to {MAX_REQUEST_BYTES} are allowed"
            raise ProtocolError(msg)
        if len(unread) < 2 + length or len(unread) < 2:
            return None
        kind, body = unread[2], unread[3 : 2 + length]
        if kind == _REGISTER:
            return Register(_entry(body))
        if kind == _LOOK_UP:
            return LookUp(_name(body))
        if kind == _LIST:
            return ListNames()
        if kind == _LEAVE:
            return Leave()
        raise _malformed(unread)


def registered_answer(registered: Registered, highest: int) -> bytes:
    """Returns the answer to a `Register` of a node that speaks up to version *highest*."""
    accepted, creation = registered
    if highest >= _VERSION:
        return bytes((_REGISTERED, not accepted)) + (creation if accepted else _NO_CREATION).to_bytes(4)
    # Older nodes know the creations 1 to 3.
    return bytes((_REGISTERED_BEFORE_6, not accepted)) + (
        creation % 3 + 1 if accepted else _NO_CREATION
    ).to_bytes(2)


def looked_up_answer(entry: NodeEntry | None) -> bytes:
    """Returns the answer to a `LookUp`; None: the name is not registered."""
    return bytes((_LOOKED_UP, 1)) if entry is None else bytes((_LOOKED_UP, 0)) + _body(entry)


def listed_answer(port: int, entries: Iterable[NodeEntry]) -> bytes:
    """Returns the answer to a `ListNames`; *port* is EPMD's own."""
    lines = "".join(f"name {entry.name} at port {entry.port}\n" for entry in entries)
    return port.to_bytes(4) + lines.encode()


def left_answer(*, leaves: bool) -> bytes:
    """Returns the answer to a `Leave`: whether EPMD exits."""
    return b"OK" if leaves else b"NO"


# ---------------------------------------------------------------- fields


def _request(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def _body(entry: NodeEntry) -> bytes:
    name = entry.name.encode()
    kind = _HIDDEN if entry.hidden else _NORMAL
    return b"".join((
        _FIXED.pack(entry.port, kind, _TCP, entry.highest, entry.lowest),
        len(name).to_bytes(2), name,
        len(entry.extra).to_bytes(2), entry.extra,
    ))  # fmt: skip


def _entry(body: bytes) -> NodeEntry:
    if len(body) < _FIXED.size:
        raise _malformed(body)
    port, kind, _, highest, lowest = _FIXED.unpack_from(body)
    name, rest = _cut(body[_FIXED.size :])
    extra, _ = _cut(rest)
    return NodeEntry(_name(name), port, kind == _HIDDEN, highest, lowest, extra)


def _cut(data: bytes) -> tuple[bytes, bytes]:
    """Returns a field preceded by its length, and the bytes after it."""
    end = 2 + int.from_bytes(data[:2])
    if len(data) < 2 or len(data) < end:
        raise _malformed(data)
    return data[2:end], data[end:]


def _name(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _malformed(data) from None


def _malformed(data: bytes) -> ProtocolError:
    if not data:
        return ProtocolError("EPMD hung up without an answer")
    return ProtocolError(f"it does not speak EPMD's protocol: {data[:20]!r}")
