"""The cookies of one node: one for all peers, and others for single peers.

See `net/cookie.py` for where a cookie is read from, and `wire/handshake` for how it is proven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.execution.node_log import log
from pyx.net.cookie import given_cookie
from pyx.wire.handshake.proof import key_from_cookie

if TYPE_CHECKING:
    from pyx.net.cookie import Cookie

_SHORT_COOKIE: Final = 20
"""Characters: an impostor that a node dialled can guess a shorter cookie, however long a try takes."""


class Cookies:
    """The cookies in force, and the keys made of them.

    Args:
        cookie: for all peers that have none of their own.
        erlang: the same for Erlang nodes; None if this node does not speak with these.
    """

    def __init__(self, cookie: Cookie, erlang: Cookie | None = None) -> None:
        self.cookie = cookie
        self._erlang = erlang
        self._of_peers: dict[str, Cookie] = {}
        self.texts = {one.text for one in (cookie, erlang) if one is not None}
        """All that were ever in force here, those of single peers too: no record may show them."""
        self._key = _key(cookie.text)
        self._keys: dict[str, bytes] = {}

    def key_for(self, name: str) -> bytes:
        """Returns the key for handshakes with the node *name*."""
        return self._keys.get(name, self._key)

    def erlang_cookie_for(self, name: str) -> bytes:
        """Returns the cookie for handshakes with the Erlang node *name*."""
        assert self._erlang is not None
        return self._of_peers.get(name, self._erlang).text.encode()

    def set(self, text: str, peer: str | None) -> None:
        """Sets the cookie for one peer, or for all that have none of their own; for handshakes from now on.

        Raises:
            PyxError: *text* cannot be a cookie.
        """
        cookie = given_cookie(text)
        self.texts.add(cookie.text)
        key = _key(cookie.text)  # slow for a weak cookie, on purpose: on the caller's thread
        if peer is None:
            self.cookie, self._key = cookie, key
        else:
            self._keys[peer] = key
            self._of_peers[peer] = cookie


def _key(cookie: str) -> bytes:
    """Returns the key of a cookie; logs a warning about a short one."""
    if len(cookie) < _SHORT_COOKIE:
        log.warning(
            "the length of the cookie is %d; one under %d can be guessed: let pyx make it (~/.pyx.cookie)",
            len(cookie),
            _SHORT_COOKIE,
        )
    return key_from_cookie(cookie)
