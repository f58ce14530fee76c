"""The sentences of a failed proof, which a node logs and its caller sees: a wrong cookie, a wrong name."""

from __future__ import annotations

from typing import Final

from pyx.errors import HandshakeFailed

HUNG_UP: Final = "it hung up"
"""The connection ended before the handshake did."""

HUNG_UP_IN_TLS: Final = f"{HUNG_UP} during the TLS handshake"
"""The connection ended even earlier."""

REFUSED: Final = "it refused the connection"
"""The peer answered with a failure, without a reason that this node knows."""


def wrong_cookie(name: str) -> HandshakeFailed:
    """Returns the failure of a peer whose proof was made with another cookie."""
    return HandshakeFailed(
        f"the cookie of {name} differs from ours", hint="both read ~/.pyx.cookie, or pass --cookie-file"
    )


def wrong_name(name: str, dialled: str) -> HandshakeFailed:
    """Returns the failure of a dial to *dialled* that reached a node called *name*."""
    return HandshakeFailed(f"it is called {name}, not {dialled}")


def misdialled(dialler: str, dialled: str, here: str) -> str:
    """Returns what the node *here* logs of a peer that dialled it under another name."""
    return f"{dialler} dialled {dialled!r}, this is {here}"
