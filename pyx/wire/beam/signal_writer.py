"""Signals to the control messages of Erlang's distribution: the outgoing direction of a connection.

A signal of pyx is a control message of Erlang or one that an Erlang node understands from OTP's own servers
(`servers.py`).  What has no counterpart there (the lists of nodes, the goodbye) becomes a tick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from pyx.atoms import Atom
from pyx.errors import EncodeError
from pyx.signals import (
    Answer,
    Ask,
    Call,
    Crashed,
    Demonitor,
    Discover,
    Down,
    ExitSignal,
    ExitTo,
    GenCall,
    GenReply,
    Held,
    Leader,
    Let,
    Link,
    Monitor,
    Payload,
    Ping,
    Pong,
    Print,
    Send,
    Signal,
    Spawn,
    Spawned,
    Unlink,
    UnlinkAck,
)
from pyx.terms import LONGEST_WORD, Pid, Ref
from pyx.wire.beam import control as op
from pyx.wire.beam import flags as dist
from pyx.wire.beam import gen_messages as gen
from pyx.wire.beam import io_requests, servers
from pyx.wire.beam.etf_tags import SMALL_TUPLE
from pyx.wire.beam.exchanges import OwnRequest, ping_tag
from pyx.wire.beam.frames import PASS_THROUGH, WITH_HEADER, FragmentedMessage
from pyx.wire.beam.group_scopes import SYNC
from pyx.wire.beam.term import ErlangTerm
from pyx.wire.beam.term_writer import encode_term
from pyx.wire.codec import decode
from pyx.wire.frames.frame import LENGTH

if TYPE_CHECKING:
    from pyx.terms import Incarnation
    from pyx.wire.beam.exchanges import Exchanges
    from pyx.wire.beam.group_scopes import GroupScopes, ScopeMessage

HeadAndMessage: TypeAlias = tuple[bytes, bytes]

THE_NODE: Final = Pid(0)
"""The sender where no process is one, and the receiver of what Erlang's servers answer the session itself."""

_NEVER: Final = object()
_TICK: Final = (b"", b"")


class SignalWriter:
    """Writes the signals for one Erlang node.

    Args:
        here: this node.
        flags: what both nodes understand.
        exchanges: the open requests of the connection.
        scopes: the groups that both nodes share.
    """

    counted_as_sent: frozenset[type] = frozenset()
    """No signal counts the bytes that are sent: a message may have been encoded for another dialect."""

    def __init__(self, here: Incarnation, flags: int, exchanges: Exchanges, scopes: GroupScopes) -> None:
        self.preceding: Final[list[bytes]] = []
        """Whole frames before the one that `write` returns; see `SignalFrameWriter`."""
        self._here = here
        self._exchanges = exchanges
        self._scopes = scopes
        has_cache = bool(flags & dist.DIST_HDR_ATOM_CACHE)
        self._lead = WITH_HEADER if has_cache else PASS_THROUGH
        self._lead_of_message = b"" if has_cache else b"\x83"
        self._has_fragments = bool(flags & dist.FRAGMENTS) and has_cache
        self._names_senders = bool(flags & dist.SEND_SENDER)
        self._has_payload_exits = bool(flags & dist.EXIT_PAYLOAD)
        self._has_aliases = bool(flags & dist.ALIAS)
        self._spawns = bool(flags & dist.SPAWN)
        self._unlinks = bool(flags & dist.UNLINK_ID)
        self._calls_of_peer = exchanges.calls_of_peer
        self._tags = exchanges.tags
        self._last: tuple[object, object, bytes] = (_NEVER, _NEVER, b"")
        """Sender, destination and head of the last message: the next one is often between the same two."""

    def write(self, signal: Signal) -> HeadAndMessage:
        """The head of a frame and the message behind it; both are empty for a tick.

        Raises:
            EncodeError: a field is not data for Erlang.
        """
        if type(signal) is Send:
            frm, to, body = signal
            if (self._calls_of_peer or self._tags) and (answer := self._by_hand(frm, to, body)) is not None:
                return answer
            last_frm, last_to, head = self._last
            if frm is not last_frm or to is not last_to:
                head = self._control(*self._destination(frm, to))
                self._last = frm, to, head
            return head, self._lead_of_message + self._message(body)
        write = self._writers.get(type(signal))
        return _TICK if write is None else write(self, signal)

    def fragmented(
        self, number: int, head: bytes, payload: bytes, queued_bytes: int, fragment_bytes: int
    ) -> FragmentedMessage:
        """A frame that is too large to be sent at once."""
        return FragmentedMessage(
            number, head, payload, queued_bytes, fragment_bytes if self._has_fragments else None
        )

    # ------------------------------------------------------------ bytes

    def _control(self, *control: Any) -> bytes:
        return self._lead + encode_term(control, self._here)

    def _term(self, value: Any) -> bytes:
        return self._lead_of_message + encode_term(value, self._here)

    def _message(self, body: Payload) -> bytes:
        """A message of a process as a term: already one, if this node knew where it goes."""
        data = body.data
        if type(data) is ErlangTerm and not data.atoms:
            return data.data
        return encode_term(gen.outward_message(decode(body, self._here)), self._here)

    def _destination(self, frm: Pid | None, to: Pid | str | Ref) -> tuple[Any, ...]:
        if isinstance(to, Pid):
            if self._names_senders:
                return op.SEND_SENDER, frm or THE_NODE, to
            return op.SEND, Atom(""), to
        if isinstance(to, Ref):
            if not self._has_aliases:
                raise EncodeError("alias", to, "is an alias, and the node is older than these")
            return op.ALIAS_SEND, frm or THE_NODE, to
        return op.REG_SEND, frm or THE_NODE, Atom(""), name(to)

    # ------------------------------------------------------------ one method for each kind

    def _sent(self, frm: Pid | None, to: Pid, message: Any) -> HeadAndMessage:
        return self._control(*self._destination(frm, to)), self._term(message)

    def _link(self, signal: Link) -> HeadAndMessage:
        return self._control(op.LINK, signal.frm, signal.to), b""

    def _unlink(self, signal: Unlink) -> HeadAndMessage:
        if not self._unlinks:
            return _TICK
        return self._control(op.UNLINK_ID, signal.number, signal.frm, signal.to), b""

    def _unlink_ack(self, signal: UnlinkAck) -> HeadAndMessage:
        return self._control(op.UNLINK_ID_ACK, signal.number, signal.frm, signal.to), b""

    def _exit(self, signal: ExitSignal) -> HeadAndMessage:
        reason = op.outward_reason(signal.reason, self._here)
        return self._with_reason(op.EXIT, op.PAYLOAD_EXIT, (signal.frm, signal.to), reason)

    def _exit_to(self, signal: ExitTo) -> HeadAndMessage:
        reason = op.outward_reason(signal.reason, self._here)
        return self._with_reason(op.EXIT2, op.PAYLOAD_EXIT2, (signal.frm, signal.to), reason)

    def _monitor(self, signal: Monitor) -> HeadAndMessage:
        return self._control(op.MONITOR_P, signal.frm, self._target(signal.target), signal.ref), b""

    def _demonitor(self, signal: Demonitor) -> HeadAndMessage:
        return self._control(op.DEMONITOR_P, signal.frm, self._target(signal.target), signal.ref), b""

    def _down(self, signal: Down) -> HeadAndMessage:
        if self._exchanges.tags.pop(signal.ref, None) is not None:
            return _TICK  # the caller has a monitor of its own
        self._exchanges.calls_of_peer.pop(signal.ref, None)
        reason = op.outward_reason(signal.reason, self._here)
        return self._ended(signal.target, signal.to, signal.ref, reason)

    def _ended(self, target: Pid | str, to: Pid, ref: Ref, reason: bytes) -> HeadAndMessage:
        fields = self._target(target), to, ref
        return self._with_reason(op.MONITOR_P_EXIT, op.PAYLOAD_MONITOR_P_EXIT, fields, reason)

    def _with_reason(
        self, number: int, with_payload: int, fields: tuple[Any, ...], reason: bytes
    ) -> HeadAndMessage:
        if self._has_payload_exits:
            return self._control(with_payload, *fields), self._lead_of_message + reason
        items = encode_term((number, *fields), self._here)[2:]
        return self._lead + bytes((SMALL_TUPLE, len(fields) + 2)) + items + reason, b""

    @staticmethod
    def _target(target: Pid | str) -> Pid | Atom:
        return target if isinstance(target, Pid) else name(target)

    def _leader(self, signal: Leader) -> HeadAndMessage:
        return self._control(op.GROUP_LEADER, signal.leader, signal.to), b""

    def _print(self, signal: Print) -> HeadAndMessage:
        return self._sent(THE_NODE, signal.to, io_requests.put_chars(signal.text))

    def _crashed(self, signal: Crashed) -> HeadAndMessage:
        return self._sent(
            THE_NODE, signal.to, io_requests.crash_report(signal.frm, signal.text, self._here.name)
        )

    def _ping(self, signal: Ping) -> HeadAndMessage:
        head = self._control(op.REG_SEND, THE_NODE, Atom(""), Atom("net_kernel"))
        return head, self._term(servers.is_auth(THE_NODE, ping_tag(signal.number), self._here.name))

    def _pong(self, signal: Pong) -> HeadAndMessage:
        echo = self._exchanges.echoes.pop(signal.number, None)
        if echo is None:
            return _TICK
        (number, *fields), message = echo
        if number == SYNC:
            return self._to_scopes(self._scopes.sync(fields[0]))
        if number != op.SEND:
            return self._control(number, *fields), b""
        return self._sent(THE_NODE, fields[0], message)

    # ------------------------------------------------------------ groups

    def _discover(self, signal: Discover) -> HeadAndMessage:
        message = self._scopes.discover(signal.space)
        return _TICK if message is None else self._to_scopes([message])

    def _held(self, signal: Held) -> HeadAndMessage:
        message = self._scopes.held(signal)
        return _TICK if message is None else self._to_scopes([message])

    def _let(self, signal: Let) -> HeadAndMessage:
        return self._to_scopes(self._scopes.let(signal))

    def _to_scopes(self, messages: list[ScopeMessage]) -> HeadAndMessage:
        """Writes messages between scopes: each of them is short, and they keep their order."""
        if not messages:
            return _TICK
        written = [
            (self._control(*self._destination(frm, to)), self._lead_of_message + term)
            for frm, to, term in messages
        ]
        self.preceding.extend(
            LENGTH.pack(len(head) + len(message)) + head + message for head, message in written[:-1]
        )
        return written[-1]

    # ------------------------------------------------------------ calls of servers

    def _gen_call(self, signal: GenCall) -> HeadAndMessage:
        frm, target, ref, is_system, body = signal
        request = self._system_request(body) if is_system else self._message(body)
        term = gen.gen_call_term(frm, ref, request, self._here, is_system=is_system)
        message = self._lead_of_message + term
        head = self._control(*self._destination(frm, target))
        monitor = self._control(op.MONITOR_P, frm, self._target(target), ref)
        is_bare = is_system and self._exchanges.has_bare_states and gen.asks_for_state(request)
        self._exchanges.gen_calls[ref] = frm, self._target(target), is_bare
        self.preceding.append(LENGTH.pack(len(monitor)) + monitor)
        return head, message

    def _system_request(self, body: Payload) -> bytes:
        if type(body.data) is ErlangTerm:
            return self._message(body)
        return encode_term(gen.outward_system_request(decode(body, self._here)), self._here)

    def _gen_reply(self, signal: GenReply) -> HeadAndMessage:
        frm, to, body = signal
        value = self._message(body)
        call = self._exchanges.calls_of_peer.pop(to, None)
        tagged = self._exchanges.tags.pop(to, None)
        if gen.is_failure(value):
            reason = gen.exit_of_caller(decode(body, self._here))
            if reason is not None and call is not None:
                return self._ended(call.target, call.caller, to, op.reason_term(reason, self._here))
            if reason is not None:
                value = encode_term((Atom("error"), reason), self._here)
        elif call is not None and call.is_system:
            reply = gen.outward_system_reply(decode(body, self._here), self._exchanges.has_bare_states)
            value = encode_term(reply, self._here)
        return self._replied(frm, to, value, tagged)

    def _replied(
        self, frm: Pid | None, ref: Ref, value: bytes, tagged: tuple[Pid, Any] | None
    ) -> HeadAndMessage:
        if tagged is not None:
            caller, tag = tagged
            message = self._lead_of_message + gen.tagged_reply_term(tag, value, self._here)
            return self._control(*self._destination(frm, caller)), message
        message = self._lead_of_message + gen.gen_reply_term(ref, value, self._here)
        return self._control(*self._destination(frm, ref)), message

    def _by_hand(self, frm: Pid | None, to: Pid | str | Ref, body: Payload) -> HeadAndMessage | None:
        """The reply that `send(caller, (tag, value))` is, as in OTP; None for any other message.

        What was noted about the call stays, until its caller or the server ends it.
        """
        data = body.data
        if type(data) is not ErlangTerm or not data.data.startswith(gen.LEAD_OF_REPLIES_BY_HAND):
            return None
        ref, at = data.item_at(2, self._here)
        call, tagged = self._calls_of_peer.get(ref), self._tags.get(ref)
        if to != (call.caller if call is not None else tagged[0] if tagged is not None else None):
            return None
        return self._replied(frm, ref, data.data[at:], tagged)

    # ------------------------------------------------------------ requests of the peer

    def _spawned(self, signal: Spawned) -> HeadAndMessage:
        asked = self._exchanges.of_peer.pop(signal.number, None)
        if asked is None or not asked.wants_reply:
            return _TICK
        return self._control(op.SPAWN_REPLY, asked.reference, asked.frm, asked.flags, signal.pid), b""

    def _answer(self, signal: Answer) -> HeadAndMessage:
        asked = self._exchanges.of_peer.pop(signal.number, None)
        if asked is None:
            return _TICK
        if asked.refusal is not None:
            return self._sent(THE_NODE, *asked.refusal)
        if not asked.wants_reply:
            return _TICK
        return self._control(op.SPAWN_REPLY, asked.reference, asked.frm, 0, Atom("notsup")), b""

    # ------------------------------------------------------------ requests of this node

    def _spawn(self, signal: Spawn) -> HeadAndMessage:
        function, args = servers.function_called(signal.payload, self._here)
        request = OwnRequest(signal.number, "spawn", function)
        reference = self._exchanges.ask(request, signal.monitor)
        options = [Atom("link")] if signal.link else []
        if signal.monitor is not None:
            options.append(Atom("monitor"))
        head = self._spawn_request(reference, signal.frm, signal.leader, function, options)
        return head, self._lead_of_message + args

    def _call(self, signal: Call) -> HeadAndMessage:
        function, args = servers.function_called(signal.payload, self._here)
        if not signal.number:
            cast = ("erpc", "execute_cast", 3)
            head = self._spawn_request(self._exchanges.cast(), signal.frm, signal.leader, cast, [])
            return head, self._term_list(Atom(function[0]), Atom(function[1]), args=args)
        return self._ask_erpc(OwnRequest(signal.number, "call", function), signal.frm, signal.leader, args)

    def _ask(self, signal: Ask) -> HeadAndMessage:
        pid, keys = decode(signal.payload, self._here)
        args = encode_term(servers.info_arguments(pid, keys), self._here)
        request = OwnRequest(signal.number, "info", ("erlang", "process_info", 2), tuple(keys or ()))
        return self._ask_erpc(request, signal.frm, THE_NODE, args)

    def _ask_erpc(self, request: OwnRequest, frm: Pid, leader: Pid, args: bytes) -> HeadAndMessage:
        reference = self._exchanges.ask(request)
        execute = ("erpc", "execute_call", 4)
        module, function, _ = request.function
        head = self._spawn_request(reference, frm, leader, execute, [Atom("monitor")])
        return head, self._term_list(reference, Atom(module), Atom(function), args=args)

    def _term_list(self, *values: Any, args: bytes) -> bytes:
        """A list of values, of which the last one is a term already."""
        items = b"".join([encode_term(value, self._here) for value in values])
        return self._lead_of_message + b"l" + (len(values) + 1).to_bytes(4) + items + args + b"j"

    def _spawn_request(
        self, reference: Ref, frm: Pid, leader: Pid, function: tuple[str, str, int], options: list[Atom]
    ) -> bytes:
        module, called, arity = function
        return self._control(
            op.SPAWN_REQUEST, reference, frm, leader, (Atom(module), Atom(called), arity), options
        )

    _writers: ClassVar[dict[Any, Any]] = {
        Link: _link,
        Unlink: _unlink,
        UnlinkAck: _unlink_ack,
        ExitSignal: _exit,
        ExitTo: _exit_to,
        Monitor: _monitor,
        Demonitor: _demonitor,
        Down: _down,
        Leader: _leader,
        Print: _print,
        Crashed: _crashed,
        Ping: _ping,
        Pong: _pong,
        Spawned: _spawned,
        Answer: _answer,
        GenCall: _gen_call,
        GenReply: _gen_reply,
        Discover: _discover,
        Held: _held,
        Let: _let,
        Spawn: _spawn,
        Call: _call,
        Ask: _ask,
    }
    """By the class of a signal; those without an entry are not for Erlang nodes."""


def name(text: str) -> Atom:
    """The atom of a registered name.

    Raises:
        EncodeError: it is too long for one.
    """
    if len(text) > LONGEST_WORD:
        raise EncodeError("name", text, f"is longer than the {LONGEST_WORD} characters of a name in Erlang")
    return Atom(text)
