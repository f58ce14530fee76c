"""The mutual proof that both ends hold the same cookie, before anything else is decoded.  Not here: the
cookie, nonces and time limits (`net`), and whether a proven peer is wanted (`core`).

    dialler                              acceptor
      hello     ---------------------->
                <----------------------    hello
      proof     ---------------------->               HMAC(K, "pyx-1 dialler" | T)
                <----------------------    verdict    status | HMAC(K, "pyx-1 acceptor" | status | T)

    T = SHA256(u16 length | dialler's hello | u16 length | acceptor's hello | channel)

Every frame: u16 big endian length (at most 1 KiB) | body.

    hello    see `wire/handshake/hello.py`
    proof    u8 3 | 32 bytes
    verdict  u8 4 | u8 status | 32 bytes
    failure  u8 5                                     in place of any of the acceptor's frames; says nothing

Two labels stop reflection, two nonces replay; the hellos inside T stop downgrade and the swapping of names,
the channel (`unix`, or `tls` and the certificate's hash) stops a relay.  An acceptor gives away nothing
about *why* it fails: whoever dials another name, or has another cookie, gets the same bytes at the same step
for the same work (the status "refused" is for holders of the cookie alone).  Each side words the reason for
its own log.

Both machines are fed (`receive_data`, `key_chosen`, `verdict`) and then asked for their `events`.
Follows OTP's distribution handshake in its `simultaneous` verdict, and leaves it in proving by HMAC.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, Literal, NamedTuple, TypeAlias

from pyx.errors import HandshakeFailed
from pyx.wire.handshake.hello import ACCEPTOR, DIALLER, HIDDEN, Hello, has_opening, pack_hello, read_hello

PROTOCOL_VERSION: Final = 1
MAX_FRAME_BYTES: Final = 1024
NONCE_BYTES: Final = 32

HUNG_UP: Final = "it hung up"
"""Why a conversation failed whose stream ended."""

Status: TypeAlias = Literal["ok", "simultaneous", "refused"]
"""What an acceptor answers to a proven dialler; `simultaneous`: mine to you is under way, wait for that."""

_STATUSES: Final[tuple[Status, ...]] = ("ok", "simultaneous", "refused")  # their byte is their place here

_PROOF, _VERDICT, _FAILURE = 3, 4, 5
_FAILURE_BODY: Final = bytes((_FAILURE,))
_MAC_BYTES: Final = 32

_COOKIE_HINT: Final = "both read ~/.pyx.cookie, or pass --cookie-file"


class Transmit(NamedTuple):
    """Bytes to write, in the order of the events."""

    data: bytes


class NeedKey(NamedTuple):
    """The other calls itself *name*, unproven: answer with `key_chosen`, the key of that name's cookie."""

    name: str


class Proven(NamedTuple):
    """The dialler holds the cookie: answer with `verdict`."""

    name: str
    creation: int
    hidden: bool


class Established(NamedTuple):
    """The session stands; signals may follow at once (see `trailing_data`)."""

    name: str
    creation: int
    hidden: bool


class Postponed(NamedTuple):
    """The other, proven, is dialling this node at this moment: give this attempt up and wait for that one."""

    name: str


class Failed(NamedTuple):
    """No session.  `reason` is a sentence about the other, for the log at home; never for the other."""

    reason: str
    hint: str | None = None


Event: TypeAlias = Transmit | NeedKey | Proven | Established | Postponed | Failed


class _Party:
    """What both sides share: framing, hellos, the transcript, and the order of steps."""

    role: int

    def __init__(
        self,
        name: str,
        creation: int,
        *,
        hidden: bool,
        nonce: bytes,
        channel: bytes,
        dialled: str,
        versions: tuple[int, int],
    ) -> None:
        self._mine = Hello(self.role, *versions, HIDDEN if hidden else 0, creation, nonce, name, dialled)
        self._my_hello = pack_hello(self._mine)
        self._theirs: Hello | None = None
        self._channel = channel
        self._key: bytes | None = None
        self._transcript = b""
        self._unread = bytearray()
        self._events: list[Event] = []
        self._step = "hello"

    # ------------------------------------------------------------ fed and collected

    def receive_data(self, data: bytes) -> None:
        """Takes bytes from the stream.  Next, collect `events`."""
        self._unread += data
        self._go_on()

    def connection_lost(self) -> None:
        """The stream ended."""
        if self._step not in {"established", "failed"}:
            self._refuse(Failed(self._why_it_left()))

    def events(self) -> list[Event]:
        """What is to be done, in order; each is given once."""
        events, self._events = self._events, []
        return events

    @property
    def trailing_data(self) -> bytes:
        """Once established: the bytes that came behind the handshake, the beginning of the session."""
        return bytes(self._unread)

    def key_chosen(self, key: bytes) -> None:
        """The answer to `NeedKey`."""
        assert self._step == "key"
        self._key = key
        self._key_is_known()
        self._go_on()

    # ------------------------------------------------------------ the steps, one frame each

    def _go_on(self) -> None:
        try:
            while self._step in {"hello", "proof", "verdict"} and (body := self._next_frame()) is not None:
                self._frame(body)
        except HandshakeFailed as failure:
            self._refuse(Failed(failure.reason, failure.hint))

    def _next_frame(self) -> bytes | None:
        unread = self._unread
        if len(unread) < 2:
            return None
        length = int.from_bytes(unread[:2])
        if length > MAX_FRAME_BYTES:
            raise HandshakeFailed(
                f"it announced a frame of {length} bytes, at most {MAX_FRAME_BYTES} are taken"
            )
        if len(unread) < 2 + length:
            return None
        body = bytes(unread[2 : 2 + length])
        del unread[: 2 + length]
        return body

    def _frame(self, body: bytes) -> None:
        raise NotImplementedError

    def _key_is_known(self) -> None:
        raise NotImplementedError

    def _why_it_left(self) -> str:
        return HUNG_UP

    def _refuse(self, failed: Failed) -> None:
        self._step = "failed"
        self._events.append(failed)

    def _send(self, body: bytes) -> None:
        self._events.append(Transmit(len(body).to_bytes(2) + body))

    # ------------------------------------------------------------ hellos and proofs

    def _met(self, theirs: Hello, dialler_hello: bytes, acceptor_hello: bytes) -> None:
        self._theirs = theirs
        transcript = hashlib.sha256()
        for hello in (dialler_hello, acceptor_hello):
            transcript.update(len(hello).to_bytes(2) + hello)
        transcript.update(self._channel)
        self._transcript = transcript.digest()
        self._step = "key"
        self._events.append(NeedKey(theirs.name))

    def _mac(self, label: bytes, status: bytes = b"") -> bytes:
        assert self._key is not None
        return hmac.digest(self._key, label + status + self._transcript, "sha256")

    def _dialler_mac(self) -> bytes:
        return self._mac(b"pyx-1 dialler")

    def _acceptor_mac(self, status: int) -> bytes:
        return self._mac(b"pyx-1 acceptor", bytes((status,)))

    def _establish(self) -> None:
        self._step = "established"
        theirs = self._other
        self._events.append(Established(theirs.name, theirs.creation, bool(theirs.flags & HIDDEN)))

    @property
    def _other(self) -> Hello:
        assert self._theirs is not None
        return self._theirs


class Dialler(_Party):
    """The side that connected.  It has something to transmit from the start.

    Args:
        name, creation, hidden: this node.
        nonce: 32 random bytes, never used before.
        channel: what carries the bytes: `b"unix"`, or `b"tls"` and the certificate's SHA-256.
        dialled: the full name it expects to reach.
        versions: the lowest and the highest protocol version spoken here.
    """

    role = DIALLER

    def __init__(
        self,
        name: str,
        creation: int,
        *,
        hidden: bool,
        nonce: bytes,
        channel: bytes,
        dialled: str,
        versions: tuple[int, int] = (PROTOCOL_VERSION, PROTOCOL_VERSION),
    ) -> None:
        super().__init__(
            name, creation, hidden=hidden, nonce=nonce, channel=channel, dialled=dialled, versions=versions
        )
        self._send(self._my_hello)

    def _frame(self, body: bytes) -> None:
        if body == _FAILURE_BODY:
            raise self._meaning_of_failure()
        if self._step == "hello":
            theirs = read_hello(body, self._mine)
            if theirs.name != self._mine.dialled:
                raise HandshakeFailed(f"it is called {theirs.name}, not {self._mine.dialled}")
            self._met(theirs, self._my_hello, body)
        else:
            self._judged(body)

    def _key_is_known(self) -> None:
        self._send(bytes((_PROOF,)) + self._dialler_mac())
        self._step = "verdict"

    def _judged(self, body: bytes) -> None:
        if len(body) != 2 + _MAC_BYTES or body[0] != _VERDICT or body[1] >= len(_STATUSES):
            raise HandshakeFailed("its verdict makes no sense")
        if not hmac.compare_digest(body[2:], self._acceptor_mac(body[1])):
            raise self._meaning_of_failure()
        match _STATUSES[body[1]]:
            case "ok":
                self._establish()
            case "simultaneous":
                self._step = "failed"
                self._events.append(Postponed(self._other.name))
            case "refused":
                raise HandshakeFailed("it refused")

    def _meaning_of_failure(self) -> HandshakeFailed:
        if self._step == "verdict":
            return HandshakeFailed(f"the cookie of {self._mine.dialled} differs from ours", hint=_COOKIE_HINT)
        return HandshakeFailed("it refused")


class Acceptor(_Party):
    """The side that was connected to.  Arguments as in `Dialler`, which alone dials a name."""

    role = ACCEPTOR

    def __init__(
        self,
        name: str,
        creation: int,
        *,
        hidden: bool,
        nonce: bytes,
        channel: bytes,
        versions: tuple[int, int] = (PROTOCOL_VERSION, PROTOCOL_VERSION),
    ) -> None:
        super().__init__(
            name, creation, hidden=hidden, nonce=nonce, channel=channel, dialled="", versions=versions
        )
        self._misdialled = ""  # why, once it dialled somebody else; it is told with the proof, as all are

    def verdict(self, status: Status) -> None:
        """The answer to `Proven`: what the kernel thinks of this peer."""
        assert self._step == "judging"
        place = _STATUSES.index(status)
        self._send(bytes((_VERDICT, place)) + self._acceptor_mac(place))
        if status == "ok":
            self._establish()
        else:
            self._refuse(Failed(f"{self._other.name} was answered: {status}"))

    def _frame(self, body: bytes) -> None:
        if self._step == "hello":
            # Answered before it is judged: the hello says nothing that this node's address does not say too,
            # and by it the dialler's own log can name a wrong version or a wrong name.
            if has_opening(body):
                self._send(self._my_hello)
            theirs = read_hello(body, self._mine)
            if theirs.dialled != self._mine.name:
                self._misdialled = f"{theirs.name} dialled {theirs.dialled!r}, this is {self._mine.name}"
            self._met(theirs, body, self._my_hello)
        else:
            self._proof_came(body)

    def _key_is_known(self) -> None:
        self._step = "proof"

    def _proof_came(self, body: bytes) -> None:
        theirs = self._other
        if len(body) != 1 + _MAC_BYTES or body[0] != _PROOF:
            raise HandshakeFailed(f"the proof of {theirs.name} makes no sense")
        holds_the_key = hmac.compare_digest(body[1:], self._dialler_mac())
        if self._misdialled:
            raise HandshakeFailed(self._misdialled)
        if not holds_the_key:
            raise HandshakeFailed(f"the cookie of {theirs.name} differs from ours", hint=_COOKIE_HINT)
        if self._unread:
            raise HandshakeFailed(f"{theirs.name} went on before it was answered")
        self._step = "judging"
        self._events.append(Proven(theirs.name, theirs.creation, bool(theirs.flags & HIDDEN)))

    def _why_it_left(self) -> str:
        return self._misdialled or HUNG_UP  # an honest dialler leaves when it reads the other name

    def _refuse(self, failed: Failed) -> None:
        if self._step != "judging":  # there the verdict has said it, under the key
            self._send(_FAILURE_BODY)
        super()._refuse(failed)
