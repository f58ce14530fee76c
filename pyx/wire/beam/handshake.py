"""Version 6 of Erlang's distribution handshake: both nodes prove that they hold the same cookie.

    dialler                              acceptor
      name      ---------------------->                'N' | u64 flags | u32 creation | u16 length | name
                <----------------------    status      's' | ok, ok_simultaneous, nok, not_allowed, alive
      goes on   ---------------------->                's' | true            only after `alive`
                <----------------------    challenge   'N' | u64 flags | u32 challenge | u32 creation
                                                           | u16 length | name
      reply     ---------------------->                'r' | u32 challenge | md5 of cookie and challenge
                <----------------------    ack         'a' | md5 of cookie and the dialler's challenge

Frames and feeding are those of `wire/handshake/party.py`.  The dialler proves first, and the proof is bound
to neither names nor connection; so the cookie is never that of pyx's own dialect, and the connection stays on
this host.

The acceptor says what it thinks of the dialler's name *before* any proof.  Here that status is a preview,
which changes nothing: a stranger that claims the name of a connected node does not disturb it.  The decision
comes after the proof (`decide`).

A dialler may ask for a name (`erl -sname undefined`): then the status is `named:`, with the name for it.

Both machines are fed (`receive_data`, `status_chosen`, `key_chosen`, `decide`) and then asked for `events`.
Follows OTP's dist_util.erl.  Differs from it in accepting nodes of OTP 25 and later alone.
"""

from __future__ import annotations

import hashlib
import hmac
from struct import Struct
from typing import Final, Literal, NamedTuple, TypeAlias

from pyx.errors import HandshakeFailed
from pyx.terms import Incarnation, is_full_name
from pyx.wire.beam import flags as dist
from pyx.wire.handshake.events import Authenticated, Established, Failed, NeedKey, Postponed, Status, Transmit
from pyx.wire.handshake.failure_texts import HUNG_UP, wrong_name
from pyx.wire.handshake.party import HandshakeParty

Preview: TypeAlias = Literal["ok", "ok_simultaneous", "nok", "alive"]
"""What a node thinks of a name before the proof: free; being dialled, with the peer's dial to go first or
this node's own; connected."""


class NeedStatus(NamedTuple):
    """An unauthenticated peer calls itself *name*: answer `status_chosen`."""

    name: str


BeamEvent: TypeAlias = Transmit | NeedKey | NeedStatus | Authenticated | Established | Postponed | Failed

_NAME: Final = Struct(">cQIH")
_CHALLENGE: Final = Struct(">cQIIH")
_REPLY: Final = Struct(">cI16s")
_ACK: Final = Struct(">c16s")

_REFUSED: Final = "it does not allow this node to connect (its log says why)"


def digest(cookie: bytes, challenge: int) -> bytes:
    """The proof that a node holds *cookie*, for the other one's challenge."""
    return hashlib.md5(cookie + str(challenge).encode(), usedforsecurity=False).digest()


def erlang_cookie_differs(name: str) -> HandshakeFailed:
    """Returns the failure of a peer whose proof was made with another cookie."""
    return HandshakeFailed(
        f"the cookie of {name} differs from ours",
        hint="both read ~/.erlang.cookie, or pass --beam-cookie-file",
    )


class _BeamParty(HandshakeParty[BeamEvent]):
    """What both sides share: the order of steps.

    Args:
        node: this node.
        challenge: 32 random bits, never used before.
    """

    def __init__(self, node: Incarnation, challenge: int) -> None:
        super().__init__("name")
        self._node = node
        self._challenge = challenge
        self._name = ""
        self._creation = 0
        self.flags = 0
        """What both nodes understand (`flags.common`), once the peer has introduced itself."""

    def _is_reading(self) -> bool:
        return self._step not in {"status chosen", "key", "deciding", "established", "failed"}

    def _establish(self) -> None:
        self._step = "established"
        self._events.append(Established(self._name, self._creation, True))

    def _introduce(self, flags: int, creation: int) -> None:
        if lacking := dist.missing(flags):
            raise HandshakeFailed(f"it is older than OTP 25: it does not understand {', '.join(lacking)}")
        self.flags = dist.common(flags)
        self._creation = creation


class BeamDialler(_BeamParty):
    """The side that connected.  It has its name to transmit from the start.

    Args:
        node: this node.
        dialled: the full name that it expects to reach.
        challenge: 32 random bits, never used before.
    """

    def __init__(self, node: Incarnation, dialled: str, challenge: int) -> None:
        super().__init__(node, challenge)
        self._dialled = dialled
        self._step = "status"
        name = node.name.encode()
        self._send(_NAME.pack(b"N", dist.OURS, node.creation, len(name)) + name)

    def _read_frame(self, body: bytes) -> None:
        match self._step:
            case "status":
                self._read_status(body)
            case "challenge":
                self._read_challenge(body)
            case _:
                self._read_ack(body)

    def _read_status(self, body: bytes) -> None:
        match body:
            case b"sok" | b"sok_simultaneous":
                self._step = "challenge"
            case b"salive":  # it has not noticed yet that the old connection is gone
                self._send(b"strue")
                self._step = "challenge"
            case b"snok":
                self._step = "failed"
                self._events.append(Postponed(self._dialled))
            case b"snot_allowed":
                raise HandshakeFailed(_REFUSED)
            case _:
                raise HandshakeFailed(f"it answers like no Erlang node: {body[:40]!r}")

    def _read_challenge(self, body: bytes) -> None:
        if len(body) < _CHALLENGE.size or body[:1] != b"N":
            raise HandshakeFailed("its challenge is malformed, or it is older than OTP 25")
        _, flags, self._theirs, creation, length = _CHALLENGE.unpack_from(body)
        name = _name_in(body[_CHALLENGE.size :], length)
        if name != self._dialled:
            raise wrong_name(name, self._dialled)
        self._introduce(flags, creation)
        self._name = name
        self._step = "key"
        self._events.append(NeedKey(name))

    def _key_is_known(self) -> None:
        self._send(_REPLY.pack(b"r", self._challenge, digest(self._key, self._theirs)))
        self._step = "ack"

    def _read_ack(self, body: bytes) -> None:
        if len(body) != _ACK.size or body[:1] != b"a":
            raise HandshakeFailed("its last answer is malformed")
        if not hmac.compare_digest(body[1:], digest(self._key, self._challenge)):
            raise erlang_cookie_differs(self._dialled)
        self._establish()

    def _meaning_of_loss(self) -> HandshakeFailed:
        # After a wrong proof an Erlang node closes the connection, and says why in its own log.
        return erlang_cookie_differs(self._dialled) if self._step == "ack" else HandshakeFailed(HUNG_UP)


class BeamAcceptor(_BeamParty):
    """The side that was connected to.

    Args:
        node: this node.
        challenge: 32 random bits, never used before.
        dynamic: 64 random bits, for the name and the creation of a dialler that asks for these.
    """

    def __init__(self, node: Incarnation, challenge: int, dynamic: int) -> None:
        super().__init__(node, challenge)
        self._dynamic = dynamic
        self._is_named_here = False

    def status_chosen(self, status: Preview) -> None:
        """Answers `NeedStatus`."""
        assert self._step == "status chosen"
        if self._is_named_here:
            name = self._name.encode()
            self._send(b"snamed:" + len(name).to_bytes(2) + name + self._creation.to_bytes(4))
            self._challenge_it()
        elif status == "nok":
            self._send(b"snok")
            self._fail(HandshakeFailed(f"{self._name} was answered: this node's own dial to it goes first"))
        else:
            self._send(b"s" + status.encode())
            if status == "alive":
                self._step = "goes on"
            else:
                self._challenge_it()
        self._read_frames()

    def decide(self, status: Status) -> None:
        """Answers `Authenticated`; any other status than `ok` ends the connection."""
        assert self._step == "deciding"
        if status == "ok":
            self._send(_ACK.pack(b"a", digest(self._key, self._theirs)))
            self._establish()
        else:
            self._fail(HandshakeFailed(f"{self._name} was answered: {status}"))

    # ------------------------------------------------------------ steps

    def _read_frame(self, body: bytes) -> None:
        match self._step:
            case "name":
                self._read_name(body)
            case "goes on":
                self._read_goes_on(body)
            case _:
                self._read_reply(body)

    def _read_name(self, body: bytes) -> None:
        if body[:1] == b"n":
            raise HandshakeFailed("it is older than OTP 25: it speaks version 5 of the handshake")
        if len(body) < _NAME.size or body[:1] != b"N":
            raise HandshakeFailed("it does not speak Erlang's distribution protocol")
        _, flags, creation, length = _NAME.unpack_from(body)
        name = _name_in(body[_NAME.size :], length)
        if flags & dist.NAME_ME:
            name, creation = self._dynamic_name(name), self._dynamic & 0xFFFFFFFF or 1
            self._is_named_here = True
        if not is_full_name(name):
            raise HandshakeFailed(f"it calls itself {name!r}, which is not a node name")
        if name == self._node.name:
            self._send(b"snot_allowed")
            raise HandshakeFailed("it has this node's own name")
        try:
            self._introduce(flags, creation)
        except HandshakeFailed:
            self._send(b"snot_allowed")
            raise
        self._name = name
        self._step = "status chosen"
        self._events.append(NeedStatus(name))

    def _dynamic_name(self, host: str) -> str:
        first, number = "", self._dynamic >> 32
        for _ in range(7):
            number, digit = divmod(number, 36)
            first += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit]
        return f"{first}@{host}"

    def _challenge_it(self) -> None:
        flags = dist.OURS | (dist.NAME_ME if self._is_named_here else 0)
        name = self._node.name.encode()
        self._send(_CHALLENGE.pack(b"N", flags, self._challenge, self._node.creation, len(name)) + name)
        self._step = "key"
        self._events.append(NeedKey(self._name))

    def _read_goes_on(self, body: bytes) -> None:
        if body != b"strue":
            raise HandshakeFailed(f"{self._name} keeps its older connection to this node")
        self._challenge_it()

    def _key_is_known(self) -> None:
        self._step = "reply"

    def _read_reply(self, body: bytes) -> None:
        if len(body) != _REPLY.size or body[:1] != b"r":
            raise HandshakeFailed(f"the proof of {self._name} is malformed")
        _, self._theirs, proof = _REPLY.unpack(body)
        if not hmac.compare_digest(proof, digest(self._key, self._challenge)):
            raise erlang_cookie_differs(self._name)
        self._step = "deciding"
        self._events.append(Authenticated(self._name, self._creation, True))


def _name_in(data: bytes, length: int) -> str:
    """The name of *length* bytes at the beginning of *data*; what follows it is for later versions."""
    if len(data) < length:
        raise HandshakeFailed("its name is cut short")
    try:
        return data[:length].decode("ascii")
    except UnicodeDecodeError:
        raise HandshakeFailed("its name is not ASCII") from None
