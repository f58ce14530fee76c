"""The distribution flags: what each node of a connection understands, as OTP's `dist.hrl` numbers them.

What two nodes may use between them is what both have set (`common`).  The guide of OTP 25 writes
`MANDATORY_25_DIGEST` as bit 36; its header, and the wire, have bit 26.
"""

from __future__ import annotations

from typing import Final

PUBLISHED: Final = 0x1
"""A visible node, which takes part in `global`."""
EXTENDED_REFERENCES: Final = 0x4
DIST_MONITOR: Final = 0x8
FUN_TAGS: Final = 0x10
DIST_MONITOR_NAME: Final = 0x20
NEW_FUN_TAGS: Final = 0x80
EXTENDED_PIDS_PORTS: Final = 0x100
EXPORT_PTR_TAG: Final = 0x200
BIT_BINARIES: Final = 0x400
NEW_FLOATS: Final = 0x800
UNICODE_IO: Final = 0x1000
"""Without it text for a group leader comes as bytes that say no encoding."""
DIST_HDR_ATOM_CACHE: Final = 0x2000
UTF8_ATOMS: Final = 0x10000
MAP_TAG: Final = 0x20000
BIG_CREATION: Final = 0x40000
SEND_SENDER: Final = 0x80000
EXIT_PAYLOAD: Final = 0x400000
FRAGMENTS: Final = 0x800000
HANDSHAKE_23: Final = 0x1000000
UNLINK_ID: Final = 0x2000000
MANDATORY_25_DIGEST: Final = 1 << 26
"""Stands for all that OTP 25 requires."""
SPAWN: Final = 1 << 32
NAME_ME: Final = 1 << 33
"""The dialler has no name, and asks the acceptor for one."""
V4_NC: Final = 1 << 34
ALIAS: Final = 1 << 35
ALTACT_SIG: Final = 1 << 37
"""Another form of messages to aliases, which this node never sends; it is offered by OTP 28 and later."""

_MANDATORY_25: Final = (
    EXTENDED_REFERENCES
    | FUN_TAGS
    | NEW_FUN_TAGS
    | EXTENDED_PIDS_PORTS
    | EXPORT_PTR_TAG
    | BIT_BINARIES
    | NEW_FLOATS
    | UTF8_ATOMS
    | MAP_TAG
    | BIG_CREATION
    | HANDSHAKE_23
)

OURS: Final = (
    _MANDATORY_25
    | MANDATORY_25_DIGEST
    | UNLINK_ID
    | V4_NC
    | DIST_MONITOR
    | DIST_MONITOR_NAME
    | UNICODE_IO
    | SEND_SENDER
    | EXIT_PAYLOAD
    | SPAWN
    | ALIAS
    | DIST_HDR_ATOM_CACHE
    | FRAGMENTS
)
"""What this node understands.  Without `PUBLISHED`: it is hidden from Erlang's mesh."""

_NAMES: Final = {
    EXTENDED_REFERENCES: "EXTENDED_REFERENCES",
    FUN_TAGS: "FUN_TAGS",
    NEW_FUN_TAGS: "NEW_FUN_TAGS",
    EXTENDED_PIDS_PORTS: "EXTENDED_PIDS_PORTS",
    EXPORT_PTR_TAG: "EXPORT_PTR_TAG",
    BIT_BINARIES: "BIT_BINARIES",
    NEW_FLOATS: "NEW_FLOATS",
    UTF8_ATOMS: "UTF8_ATOMS",
    MAP_TAG: "MAP_TAG",
    BIG_CREATION: "BIG_CREATION",
    HANDSHAKE_23: "HANDSHAKE_23",
}


def in_full(flags: int) -> int:
    """The flags that a peer has sent, with those that its digest stands for."""
    return flags | _MANDATORY_25 if flags & MANDATORY_25_DIGEST else flags


def missing(flags: int) -> list[str]:
    """The names of the flags that a peer lacks and that every term of this node needs."""
    full = in_full(flags)
    return [name for flag, name in _NAMES.items() if not full & flag]


def common(theirs: int) -> int:
    """The flags that hold on a connection with a peer that has sent *theirs*; `ALTACT_SIG`: its release."""
    return (OURS | ALTACT_SIG) & in_full(theirs)
