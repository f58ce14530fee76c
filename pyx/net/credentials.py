"""The user and the process at the other end of a unix socket."""

from __future__ import annotations

import socket
import struct
import sys


def uid_of(connection: socket.socket) -> int:
    """Returns the user id of the process at the other end."""
    if sys.platform == "linux":
        return _credentials(connection)[1]
    else:  # noqa: RET505 - mypy leaves the other platform's branch alone only as a branch
        # LOCAL_PEERCRED of SOL_LOCAL (macOS, FreeBSD): struct xucred opens with its version and the uid.
        return int(struct.unpack_from("=II", connection.getsockopt(0, 1, 76))[1])


def os_pid_of(connection: socket.socket) -> int | None:
    """Returns the process id of the other end; None where the system does not report it."""
    if sys.platform == "linux":
        return _credentials(connection)[0] or None
    else:  # noqa: RET505 - as above
        return None


def _credentials(connection: socket.socket) -> tuple[int, int]:
    """Returns process id and user id (Linux)."""
    os_pid, uid, _ = struct.unpack("=iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return os_pid, uid
