"""The handshake: both ends prove that they hold the same cookie, before anything else is decoded.

    dialler                              acceptor
      hello     ---------------------->
                <----------------------    hello
      proof     ---------------------->               the dialler's MAC
                <----------------------    decision   status | the acceptor's MAC

The bodies of the frames (`short_frames`):

    hello     see `hello`
    proof     u8 3 | 32 bytes
    decision  u8 4 | u8 status | 32 bytes
    failure   u8 5                                    in place of any frame of the acceptor; without a reason

`proof` has the MACs.  An acceptor reveals nothing about *why* it fails: a dialler of another name gets the
same bytes as one with another cookie, at the same step, for the same work (the status "refused" is for
holders of the cookie alone).  Each side writes the reason to its own log.

Both machines are fed (`receive_data`, `key_chosen`, `decide`) and then asked for their `events`.
Follows OTP's distribution handshake in its `simultaneous` status; differs in proving by HMAC.
"""

from __future__ import annotations

from typing import Final

from pyx.errors import HandshakeFailed
from pyx.wire.handshake.erlang_hello import refusal_of_erlang_node
from pyx.wire.handshake.events import Authenticated, Established, Event, NeedKey, Postponed, Status
from pyx.wire.handshake.failure_texts import HUNG_UP, REFUSED, misdialled, wrong_cookie, wrong_name
from pyx.wire.handshake.hello import Hello, has_preamble, pack_hello, read_hello
from pyx.wire.handshake.party import HandshakeParty
from pyx.wire.handshake.proof import MAC_BYTES, acceptor_mac, dialler_mac, is_same_mac, transcript_hash

_STATUSES: Final[tuple[Status, ...]] = ("ok", "simultaneous", "refused")  # by their byte

_PROOF, _DECISION, _FAILURE = 3, 4, 5
_FAILURE_BODY: Final = bytes((_FAILURE,))


class _Party(HandshakeParty[Event]):
    """What both sides share: hellos, the transcript, and the order of steps.

    Args:
        hello: this side's own.
        channel: what carries the bytes: `b"unix"`, or `b"tls"` and the certificate's SHA-256.
    """

    def __init__(self, hello: Hello, channel: bytes) -> None:
        super().__init__("hello")
        self._mine = hello
        self._my_hello = pack_hello(hello)
        self._theirs: Hello | None = None
        self._channel = channel
        self._transcript = b""

    def _is_reading(self) -> bool:
        return self._step in {"hello", "proof", "decision"}

    def _hellos_exchanged(self, theirs: Hello, dialler_hello: bytes, acceptor_hello: bytes) -> None:
        self._theirs = theirs
        self._transcript = transcript_hash(dialler_hello, acceptor_hello, self._channel)
        self._step = "key"
        self._events.append(NeedKey(theirs.name))

    def _establish(self) -> None:
        self._step = "established"
        theirs = self._peer
        self._events.append(Established(theirs.name, theirs.creation, theirs.is_hidden))

    @property
    def _peer(self) -> Hello:
        assert self._theirs is not None
        return self._theirs


class Dialler(_Party):
    """The side that connected.  It has a hello to transmit from the start.

    Args:
        hello: made by `dialler_hello`.
        channel: what carries the bytes: `b"unix"`, or `b"tls"` and the certificate's SHA-256.
    """

    def __init__(self, hello: Hello, channel: bytes) -> None:
        super().__init__(hello, channel)
        self._send(self._my_hello)

    def _read_frame(self, body: bytes) -> None:
        if body == _FAILURE_BODY:
            raise self._meaning_of_failure()
        if self._step == "hello":
            theirs = read_hello(body, self._mine)
            if theirs.name != self._mine.dialled:
                raise wrong_name(theirs.name, self._mine.dialled)
            self._hellos_exchanged(theirs, self._my_hello, body)
        else:
            self._read_decision(body)

    def _key_is_known(self) -> None:
        self._send(bytes((_PROOF,)) + dialler_mac(self._key, self._transcript))
        self._step = "decision"

    def _read_decision(self, body: bytes) -> None:
        if len(body) != 2 + MAC_BYTES or body[0] != _DECISION or body[1] >= len(_STATUSES):
            raise HandshakeFailed("its decision is malformed")
        if not is_same_mac(body[2:], acceptor_mac(self._key, body[1], self._transcript)):
            raise self._meaning_of_failure()
        match _STATUSES[body[1]]:
            case "ok":
                self._establish()
            case "simultaneous":
                self._step = "failed"
                self._events.append(Postponed(self._peer.name))
            case "refused":
                raise HandshakeFailed(REFUSED)

    def _meaning_of_failure(self) -> HandshakeFailed:
        if self._step == "decision":
            return wrong_cookie(self._mine.dialled)
        return HandshakeFailed(REFUSED)


class Acceptor(_Party):
    """The side that was connected to.

    Args:
        hello: made by `acceptor_hello`.
        channel: as of `Dialler`.
    """

    def __init__(self, hello: Hello, channel: bytes) -> None:
        super().__init__(hello, channel)
        self._misdialled = ""  # the reason, if the dialler expects another node; reported with the proof

    def decide(self, status: Status) -> None:
        """Answers `Authenticated` with the kernel's decision about this peer."""
        assert self._step == "deciding"
        place = _STATUSES.index(status)
        self._send(bytes((_DECISION, place)) + acceptor_mac(self._key, place, self._transcript))
        if status == "ok":
            self._establish()
        else:
            self._fail(HandshakeFailed(f"{self._peer.name} was answered: {status}"))

    def _read_frame(self, body: bytes) -> None:
        if self._step == "hello":
            if (refusal := refusal_of_erlang_node(body)) is not None:
                raise HandshakeFailed(refusal)
            # Answered before it is checked: the hello reveals nothing that this node's address does not
            # reveal, and lets the dialler's own log name a wrong version or a wrong name.
            if has_preamble(body):
                self._send(self._my_hello)
            theirs = read_hello(body, self._mine)
            if theirs.dialled != self._mine.name:
                self._misdialled = misdialled(theirs.name, theirs.dialled, self._mine.name)
            self._hellos_exchanged(theirs, body, self._my_hello)
        else:
            self._read_proof(body)

    def _key_is_known(self) -> None:
        self._step = "proof"

    def _read_proof(self, body: bytes) -> None:
        theirs = self._peer
        if len(body) != 1 + MAC_BYTES or body[0] != _PROOF:
            raise HandshakeFailed(f"the proof of {theirs.name} is malformed")
        holds_the_key = is_same_mac(body[1:], dialler_mac(self._key, self._transcript))
        if self._misdialled:
            raise HandshakeFailed(self._misdialled)
        if not holds_the_key:
            raise wrong_cookie(theirs.name)
        if self._unread:
            raise HandshakeFailed(f"{theirs.name} sent more before it was answered")
        self._step = "deciding"
        self._events.append(Authenticated(theirs.name, theirs.creation, theirs.is_hidden))

    def _meaning_of_loss(self) -> HandshakeFailed:
        # An honest dialler leaves when it reads another name.
        return HandshakeFailed(self._misdialled or HUNG_UP)

    def _fail(self, failure: HandshakeFailed) -> None:
        if self._step != "deciding":  # there the decision has told the peer, under the key
            self._send(_FAILURE_BODY)
        super()._fail(failure)
