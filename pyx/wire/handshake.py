"""The mutual proof that both ends hold the same cookie, before anything else is decoded.  Not here: the
cookie, nonces and time limits (`net`), and whether a proven peer is wanted (`core`).

    dialler                              acceptor
      hello     ---------------------->
                <----------------------    hello
      proof     ---------------------->               HMAC(K, "pyx-1 dialler" | T)
                <----------------------    verdict    status | HMAC(K, "pyx-1 acceptor" | status | T)

    T = SHA256(u16 length | dialler's hello | u16 length | acceptor's hello | channel)

Every frame: u16 big endian length (at most 1 KiB) | body.  The layout is fixed and holds no msgpack:

    hello    "pyx" | u8 1 (dialler) or 2 (acceptor) | u16 lowest version | u16 highest version
             | u32 flags | u32 creation | 32 bytes nonce | u8 length | name | u8 length | dialled name
    proof    u8 3 | 32 bytes
    verdict  u8 4 | u8 status | 32 bytes
    failure  u8 5                                     in place of any of the acceptor's frames; says nothing

Two labels stop reflection, two nonces replay; the hellos inside T stop downgrade and the swapping of names,
the channel (`unix`, or `tls` and the certificate's hash) stops a relay.  An acceptor gives away nothing
about *why* it fails; each side words the reason for its own log.

Both machines are fed (`receive_data`, `key_chosen`, `verdict`) and then asked for their `events`.
Follows OTP's distribution handshake in its `simultaneous` verdict, and leaves it in proving by HMAC.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Final, Literal, NamedTuple, TypeAlias

from pyx.terms import is_full_name

PROTOCOL_VERSION: Final = 1
MAX_FRAME_BYTES: Final = 1024
NONCE_BYTES: Final = 32

Status: TypeAlias = Literal["ok", "simultaneous", "refused"]
"""What an acceptor answers to a proven dialler; `simultaneous`: mine to you is under way, wait for that."""

_STATUSES: Final[tuple[Status, ...]] = ("ok", "simultaneous", "refused")  # their byte is their place here

_MAGIC: Final = b"pyx"
_DIALLER_HELLO, _ACCEPTOR_HELLO, _PROOF, _VERDICT, _FAILURE = 1, 2, 3, 4, 5
_OPENING: Final = struct.Struct(">3sBHH")
_FIXED: Final = struct.Struct(">II32s")
_MAC_BYTES: Final = 32

_HIDDEN: Final = 1 << 16
_MANDATORY: Final = 0x0000FFFF
"""The lower half of the flags changes what follows: a bit unknown here is refused.  The upper half is
advice."""

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
    """No session.  `reason` is for the log at home, after the words "the handshake with x failed: "."""

    reason: str
    hint: str | None = None


Event: TypeAlias = Transmit | NeedKey | Proven | Established | Postponed | Failed


class Hello(NamedTuple):
    """What a hello says."""

    lowest: int
    highest: int
    flags: int
    creation: int
    nonce: bytes
    name: str
    dialled: str


class _Refusal(Exception):
    """Inside this file: the other cannot be talked to."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        self.failed = Failed(reason, hint)


def pack_hello(role: int, hello: Hello) -> bytes:
    """The body of a hello frame; *role* is its kind."""
    name, dialled = hello.name.encode(), hello.dialled.encode()
    return b"".join((
        _OPENING.pack(_MAGIC, role, hello.lowest, hello.highest),
        _FIXED.pack(hello.flags, hello.creation, hello.nonce),
        bytes((len(name),)), name,
        bytes((len(dialled),)), dialled,
    ))  # fmt: skip


class _Party:
    """What both sides share: framing, hellos, the transcript, and the order of steps."""

    role: int
    other_role: int

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
        self._mine = Hello(*versions, _HIDDEN if hidden else 0, creation, nonce, name, dialled)
        self._my_hello = pack_hello(self.role, self._mine)
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
            self._fail(self._words_for_loss())

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
        except _Refusal as refusal:
            self._refuse(refusal.failed)

    def _next_frame(self) -> bytes | None:
        unread = self._unread
        if len(unread) < 2:
            return None
        length = int.from_bytes(unread[:2])
        if length > MAX_FRAME_BYTES:
            raise _Refusal(f"it announced a frame of {length} bytes, at most {MAX_FRAME_BYTES} are taken")
        if len(unread) < 2 + length:
            return None
        body = bytes(unread[2 : 2 + length])
        del unread[: 2 + length]
        return body

    def _frame(self, body: bytes) -> None:
        raise NotImplementedError

    def _key_is_known(self) -> None:
        raise NotImplementedError

    def _words_for_loss(self) -> str:
        return "it hung up"

    def _refuse(self, failed: Failed) -> None:
        self._step = "failed"
        self._events.append(failed)

    def _fail(self, reason: str, hint: str | None = None) -> None:
        self._refuse(Failed(reason, hint))

    def _send(self, body: bytes) -> None:
        self._events.append(Transmit(len(body).to_bytes(2) + body))

    # ------------------------------------------------------------ hellos and proofs

    def _read_hello(self, body: bytes) -> Hello:
        """Checks what any hello has to fulfil, whoever wrote it."""
        # The opening is the one thing that may never change: by it, two versions can tell each other apart.
        if len(body) < _OPENING.size or not body.startswith(_MAGIC):
            raise _Refusal("it does not speak pyx's protocol")
        _, role, lowest, highest = _OPENING.unpack_from(body)
        if role != self.other_role:
            raise _Refusal("it sent this side's own kind of hello back")
        if lowest > self._mine.highest or highest < self._mine.lowest:
            mine = _version_range(self._mine.lowest, self._mine.highest)
            raise _Refusal(f"it speaks pyx protocol {_version_range(lowest, highest)}, this node {mine}")
        rest = body[_OPENING.size + _FIXED.size :]
        name, rest = _cut_text(rest)
        dialled, rest = _cut_text(rest)
        if rest:
            raise _Refusal(f"its hello is {len(rest)} bytes too long")
        flags, creation, nonce = _FIXED.unpack_from(body, _OPENING.size)
        hello = Hello(lowest, highest, flags, creation, nonce, name, dialled)
        if not is_full_name(name):
            raise _Refusal(f"it calls itself {name!r}, which is no node name")
        if flags & _MANDATORY:
            raise _Refusal(f"it needs what this node lacks (flags {flags & _MANDATORY:#x})")
        if not creation:
            raise _Refusal("its creation is 0")
        if nonce == self._mine.nonce:
            raise _Refusal("it sent this node's own nonce back")
        if name == self._mine.name:
            raise _Refusal("it has this node's own name")
        return hello

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
        self._events.append(Established(theirs.name, theirs.creation, bool(theirs.flags & _HIDDEN)))

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

    role = _DIALLER_HELLO
    other_role = _ACCEPTOR_HELLO

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
            self._fail(*self._meaning_of_failure())
        elif self._step == "hello":
            theirs = self._read_hello(body)
            if theirs.name != self._mine.dialled:
                raise _Refusal(f"it is called {theirs.name}, not {self._mine.dialled}")
            self._met(theirs, self._my_hello, body)
        else:
            self._judged(body)

    def _key_is_known(self) -> None:
        self._send(bytes((_PROOF,)) + self._dialler_mac())
        self._step = "verdict"

    def _judged(self, body: bytes) -> None:
        if len(body) != 2 + _MAC_BYTES or body[0] != _VERDICT or body[1] >= len(_STATUSES):
            raise _Refusal("its verdict makes no sense")
        if not hmac.compare_digest(body[2:], self._acceptor_mac(body[1])):
            raise _Refusal(*self._meaning_of_failure())
        match _STATUSES[body[1]]:
            case "ok":
                self._establish()
            case "simultaneous":
                self._step = "failed"
                self._events.append(Postponed(self._other.name))
            case "refused":
                raise _Refusal("it refused")

    def _meaning_of_failure(self) -> tuple[str, str | None]:
        if self._step == "verdict":
            return f"the cookie of {self._mine.dialled} differs from ours", _COOKIE_HINT
        return "it refused", None


class Acceptor(_Party):
    """The side that was connected to.  Arguments as in `Dialler`, which alone dials a name."""

    role = _ACCEPTOR_HELLO
    other_role = _DIALLER_HELLO

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

    def verdict(self, status: Status) -> None:
        """The answer to `Proven`: what the kernel thinks of this peer."""
        assert self._step == "judging"
        place = _STATUSES.index(status)
        self._send(bytes((_VERDICT, place)) + self._acceptor_mac(place))
        if status == "ok":
            self._establish()
        else:
            self._fail(f"{self._other.name} was answered: {status}")

    def _frame(self, body: bytes) -> None:
        if self._step == "hello":
            # Answered before it is judged: the hello says nothing that this node's address does not say too,
            # and by it the dialler's own log can name a wrong version or a wrong name.
            if len(body) >= _OPENING.size and body.startswith(_MAGIC):
                self._send(self._my_hello)
            theirs = self._read_hello(body)
            if theirs.dialled != self._mine.name:
                raise _Refusal(f"{theirs.name} dialled {theirs.dialled!r}, this is {self._mine.name}")
            self._met(theirs, body, self._my_hello)
        else:
            self._proof_came(body)

    def _key_is_known(self) -> None:
        self._step = "proof"

    def _proof_came(self, body: bytes) -> None:
        theirs = self._other
        if len(body) != 1 + _MAC_BYTES or body[0] != _PROOF:
            raise _Refusal(f"the proof of {theirs.name} makes no sense")
        if not hmac.compare_digest(body[1:], self._dialler_mac()):
            raise _Refusal(f"the cookie of {theirs.name} differs from ours", _COOKIE_HINT)
        if self._unread:
            raise _Refusal(f"{theirs.name} went on before it was answered")
        self._step = "judging"
        self._events.append(Proven(theirs.name, theirs.creation, bool(theirs.flags & _HIDDEN)))

    def _refuse(self, failed: Failed) -> None:
        if self._step != "judging":  # there the verdict has said it, under the key
            self._send(_FAILURE_BODY)
        super()._refuse(failed)


_FAILURE_BODY: Final = bytes((_FAILURE,))


def _cut_text(data: bytes) -> tuple[str, bytes]:
    """A text behind its length byte, and what follows."""
    if not data or len(data) < 1 + data[0]:
        raise _Refusal("its hello is cut short")
    try:
        return data[1 : 1 + data[0]].decode("ascii"), data[1 + data[0] :]
    except UnicodeDecodeError:
        raise _Refusal("its hello holds a name that is no text") from None


def _version_range(lowest: int, highest: int) -> str:
    return f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
