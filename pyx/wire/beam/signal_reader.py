"""The control messages of Erlang's distribution to signals: the incoming direction of a connection.

A peer acts for its own processes only, and only on processes of this node.  What an Erlang node asks of OTP's
servers (`servers.py`) becomes a signal that the kernel knows: a call is a process of `runtime/erpc.py`, and a
question with a ready answer is a `Ping`, whose `Pong` is written as that answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from pyx.atoms import Atom
from pyx.errors import DecodeError, ProtocolError
from pyx.signals import (
    Answer,
    Demonitor,
    Discarded,
    Down,
    ExitSignal,
    ExitTo,
    GenCall,
    GenReply,
    Leader,
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
from pyx.terms import Pid, Ref
from pyx.wire.beam import control as op
from pyx.wire.beam import gen_messages as gen
from pyx.wire.beam import io_requests, servers
from pyx.wire.beam.exchanges import PeersCall, PeersRequest, pinged
from pyx.wire.beam.modules import ERPC
from pyx.wire.beam.term import ErlangTerm

if TYPE_CHECKING:
    from pyx.terms import Incarnation
    from pyx.wire.beam.exchanges import Exchanges
    from pyx.wire.beam.frames import DistributionMessage
    from pyx.wire.beam.group_scopes import GroupScopes

_OPTIONS: Final = frozenset(
    (
        "link", "monitor", "priority", "min_heap_size", "min_bin_vheap_size", "fullsweep_after",
        "max_heap_size", "async_dist", "message_queue_data",
    )
)  # fmt: skip
"""The options of a spawn; all but the first two are about Erlang's memory and scheduler, and ignored."""

_NO_CONTROL: Final = ()
_OF_THREE: Final = b"h\x03"
_OF_FOUR: Final = b"h\x04"
_TUPLES: Final = frozenset((_OF_THREE, _OF_FOUR))
_CALLS: Final = frozenset(("$gen_call", "system"))
"""What leads the calls of servers, tuples of three."""
_FOR_THE_SESSION: Final = _CALLS | {"io_request"}

_new: Final = tuple.__new__


class SignalReader:
    """Reads the signals of one Erlang node.

    Args:
        here: this node; `there`: the peer.
        exchanges: the open requests of the connection.
        scopes: the groups that both nodes share.
    """

    def __init__(
        self, here: Incarnation, there: Incarnation, exchanges: Exchanges, scopes: GroupScopes
    ) -> None:
        self._here = here
        self._there = there
        self._exchanges = exchanges
        self._scopes = scopes
        self._last: tuple[tuple[Any, ...], Pid | None, Pid | str | Ref] = (_NO_CONTROL, None, "")
        """The control message of the last message between processes, its sender and its destination."""
        self._signals: list[Signal] = []
        """The signals of the present read."""

    def read(self, messages: list[DistributionMessage]) -> list[Signal]:
        """The signals of the messages of one read, in order; some mean nothing here.

        Raises:
            ProtocolError: no peer may send that.
        """
        signals = self._signals = []
        there = self._there
        for message in messages:
            control, payload = message
            last, frm, to = self._last
            if (
                control is last
                and type(payload) is ErlangTerm
                and (payload.data[:2] not in _TUPLES or payload.leading_atom() not in _FOR_THE_SESSION)
            ):
                signals.append(_new(Send, (frm, to, _new(Payload, (payload, there)))))
            elif (signal := self._read(control, payload)) is not None:
                signals.append(signal)
        return signals

    def _read(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal | None:
        bare = op.without_token(control)
        read = self._readers.get(bare[0])
        if read is None:
            msg = f"control message {bare[0]} is unknown"
            raise ProtocolError(msg)
        if len(bare) != _SIZES[bare[0]]:
            msg = f"control message {bare[0]} has {len(bare)} elements"
            raise ProtocolError(msg)
        signal: Signal | None = read(self, bare, payload)
        if type(signal) is Send and bare is control:
            self._last = control, signal.frm, signal.to
        return signal

    # ------------------------------------------------------------ fields

    def _peers(self, value: Any) -> Pid:
        """A process of the peer, in any incarnation."""
        if type(value) is Pid and value.node == self._there.name:
            return value
        msg = f"the peer acts for {value!r}, which is not a process of it"
        raise ProtocolError(msg)

    def _own(self, value: Any) -> Pid:
        """A process of this node, in any incarnation."""
        if type(value) is Pid and (not value.node or value.node == self._here.name):
            return value
        msg = f"{value!r} is not a process of this node"
        raise ProtocolError(msg)

    def _reason(self, payload: ErlangTerm | Discarded | None) -> Any:
        try:
            return op.inward_message(payload, self._here)
        except DecodeError:
            return Atom("unreadable")

    # ------------------------------------------------------------ messages

    def _send(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal | None:
        return self._to_process(None, self._own(control[2]), payload)

    def _send_sender(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal | None:
        _, frm, to = control
        if type(frm) is not Pid:
            msg = f"a message comes from {frm!r}"
            raise ProtocolError(msg)
        return self._to_process(frm, self._own(to), payload)

    def _to_process(self, frm: Pid | None, to: Pid, payload: ErlangTerm | Discarded | None) -> Signal | None:
        if payload is None:
            raise ProtocolError("a message comes without a message")
        if type(payload) is ErlangTerm:
            if not to.number and not to.node:
                if to.serial:
                    self._to_scope(to, payload)
                    return None
                return self._to_the_node(payload)
            if (
                payload.data[:2] == _OF_FOUR
                and payload.leading_atom() == "io_request"
                and (asked := io_requests.io_request(payload.decode(self._here))) is not None
            ):
                return self._io_request(to, *asked)
        return self._message(frm, to, payload)

    def _message(self, frm: Pid | None, to: Pid | str, payload: ErlangTerm | Discarded) -> Signal:
        """A message for a process here; the call of a server is a signal of its own."""
        if type(payload) is ErlangTerm and payload.data[:2] == _OF_THREE and payload.leading_atom() in _CALLS:
            call = gen.gen_call_of(payload, self._here)
            if call is not None and call.caller.node == self._there.name:
                ref = call.ref
                if ref is None:
                    ref = self._exchanges.tagged(call.caller, call.tag, self._there)
                else:  # the reference is that of the monitor, which is a part of the call
                    self._signals.append(Demonitor(call.caller, to, ref))
                    self._exchanges.calls_of_peer[ref] = PeersCall(call.caller, to, call.is_system)
                return GenCall(call.caller, to, ref, call.is_system, Payload(call.request, self._there))
        return Send(frm, to, Payload(payload, self._there))

    def _alias_send(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal | None:
        _, frm, to = control
        if type(to) is not Ref or payload is None:
            msg = f"a message goes to the alias {to!r}"
            raise ProtocolError(msg)
        called = self._exchanges.gen_calls.get(to)
        if called is not None and type(payload) is ErlangTerm:
            value = gen.gen_reply(to, payload, self._here)
            if value is not None:
                del self._exchanges.gen_calls[to]
                caller, server, is_bare_state = called
                if is_bare_state:
                    value = gen.with_ok(value)
                self._signals.append(GenReply(frm, to, Payload(value, self._there)))
                # The monitor of the call is taken back, as OTP's gen does.
                return Ping(self._exchanges.echo((op.DEMONITOR_P, caller, server, to), None))
        return Send(frm, to, Payload(payload, self._there))

    def _reg_send(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal | None:
        _, frm, _, name = control
        if type(name) is not Atom or type(frm) is not Pid or payload is None:
            msg = f"a message goes to the name {name!r}"
            raise ProtocolError(msg)
        if name in servers.SERVERS:
            return self._to_server(str(name), frm, payload)
        if type(payload) is ErlangTerm and self._scopes.is_scope(name):
            signals = self._scopes.receive(str(name), payload)
            if signals is not None:
                self._signals += signals
                return None
        return self._message(frm, str(name), payload)

    def _to_scope(self, to: Pid, payload: ErlangTerm) -> None:
        """What Erlang's `pg` says to a scope here."""
        if self._scopes.is_scope(to):
            self._signals += self._scopes.receive(to, payload) or ()

    def _to_the_node(self, payload: ErlangTerm) -> Signal | None:
        """An answer to the session itself: to its ping, or of a group leader."""
        match payload.decode(self._here):
            case (tag, _) if (number := pinged(tag)) is not None:
                return Pong(number)
        return None

    # ------------------------------------------------------------ links, monitors, exits

    def _link(self, control: tuple[Any, ...], _: object) -> Signal:
        return Link(self._peers(control[1]), self._own(control[2]))

    def _unlink(self, control: tuple[Any, ...], _: object) -> Signal:
        number, frm, to = self._numbered(control)
        return Unlink(frm, to, number)

    def _unlink_ack(self, control: tuple[Any, ...], _: object) -> Signal:
        number, frm, to = self._numbered(control)
        return UnlinkAck(frm, to, number)

    def _numbered(self, control: tuple[Any, ...]) -> tuple[int, Pid, Pid]:
        _, number, frm, to = control
        if type(number) is not int or not 0 < number < 2**64:
            msg = f"the number of an unlink is {number!r}"
            raise ProtocolError(msg)
        return number, self._peers(frm), self._own(to)

    def _exit(self, control: tuple[Any, ...], _: object) -> Signal:
        _number, frm, to, reason = control
        return ExitSignal(self._peers(frm), self._own(to), op.inward_reason(reason))

    def _payload_exit(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal:
        return self._exit((*control, self._reason(payload)), None)

    def _exit2(self, control: tuple[Any, ...], _: object) -> Signal:
        _number, frm, to, reason = control
        return ExitTo(self._peers(frm), self._own(to), op.inward_reason(reason))

    def _payload_exit2(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal:
        return self._exit2((*control, self._reason(payload)), None)

    def _monitored(self, control: tuple[Any, ...]) -> tuple[Pid, Pid | str, Ref] | None:
        _, frm, target, ref = control
        if type(ref) is not Ref:
            msg = f"the reference of a monitor is {ref!r}"
            raise ProtocolError(msg)
        if type(target) is Pid and self._scopes.is_scope(target):
            return None  # a scope ends with the connection
        if type(target) is Atom:
            return None if target in servers.SERVERS else (self._peers(frm), str(target), ref)
        return self._peers(frm), self._own(target), ref

    def _monitor(self, control: tuple[Any, ...], _: object) -> Signal | None:
        fields = self._monitored(control)
        return None if fields is None else Monitor(*fields)

    def _demonitor(self, control: tuple[Any, ...], _: object) -> Signal | None:
        fields = self._monitored(control)
        if fields is None:
            return None
        self._exchanges.calls_of_peer.pop(fields[2], None)
        return Demonitor(*fields)

    def _down(self, control: tuple[Any, ...], _: object) -> Signal | None:
        _number, target, to, ref, reason = control
        if type(ref) is not Ref:
            msg = f"the reference of a monitor is {ref!r}"
            raise ProtocolError(msg)
        signals = self._scopes.ended(ref)
        if signals is not None:
            self._signals += signals
            return None
        self._exchanges.gen_calls.pop(ref, None)
        asked = self._exchanges.own.pop(ref, None)
        if asked is not None and asked.kind == "call":
            return Answer(asked.number, *servers.answer_of(asked.function, reason))
        if asked is not None and asked.kind == "info":
            return Answer(asked.number, *servers.info_answer(reason, asked.keys))
        named: Pid | str = str(target) if type(target) is Atom else self._peers(target)
        word = op.inward_reason(reason)
        ended = None
        if word != "noproc":  # it has lived: by its pid, where that is known
            ended = named if isinstance(named, Pid) else Pid(0, 0, *self._there)
        return Down(self._own(to), ref, named, word, ended)

    def _payload_down(
        self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None
    ) -> Signal | None:
        answer = self._returned(control, payload) if type(payload) is ErlangTerm else None
        return answer or self._down((*control, self._reason(payload)), None)

    def _returned(self, control: tuple[Any, ...], reason: ErlangTerm) -> Answer | None:
        """The answer of a call that has returned; its value stays a term until it is asked for."""
        _number, _target, _to, ref = control
        asked = self._exchanges.own.get(ref) if type(ref) is Ref else None
        if asked is None or asked.kind != "call" or reason.data[:2] != b"h\x03":
            return None
        _, at = reason.item_at(2, self._here)
        word, end = reason.item_at(at, self._here)
        if type(word) is not Atom or word != "return":
            return None
        del self._exchanges.own[ref]
        value = ErlangTerm(reason.data[end:], reason.atoms)
        return Answer(asked.number, "value", Payload(value, self._there))

    def _group_leader(self, control: tuple[Any, ...], _: object) -> Signal:
        _number, leader, to = control
        if type(leader) is not Pid:
            msg = f"a group leader is {leader!r}"
            raise ProtocolError(msg)
        return Leader(Pid(0, 0, *self._there), self._own(to), leader)

    # ------------------------------------------------------------ spawns

    def _spawn_request(self, control: tuple[Any, ...], payload: ErlangTerm | Discarded | None) -> Signal:
        _, reference, frm, leader, function, options = control
        match function:
            case (Atom() as module, Atom() as name, int()) if type(reference) is Ref:
                pass
            case _:
                msg = f"a spawn of {function!r}"
                raise ProtocolError(msg)
        if type(leader) is not Pid or payload is None or type(options) is not list:
            msg = f"a spawn of {function!r} with {leader!r} and {options!r}"
            raise ProtocolError(msg)
        caller = self._peers(frm)
        link = Atom("link") in options
        monitor = any(one == "monitor" or (type(one) is tuple and one[:1] == ("monitor",)) for one in options)
        for one in options:
            kind = one[0] if type(one) is tuple and one else one
            if type(kind) is not Atom or kind not in _OPTIONS:
                reply = op.SPAWN_REPLY, reference, caller, 0, Atom("badopt")
                return Ping(self._exchanges.echo(reply, None))
        flags = (op.LINKED if link else 0) | (op.MONITORED if monitor else 0)
        number = self._exchanges.asked_by_peer(PeersRequest(reference, caller, flags))
        data: ErlangTerm | Discarded = payload
        if type(payload) is ErlangTerm:
            data = servers.peers_call(str(module), str(name), payload)
        return Spawn(caller, number, leader, link, reference if monitor else None, Payload(data, self._there))

    def _spawn_reply(self, control: tuple[Any, ...], _: object) -> Signal | None:
        _number, reference, _to, _flags, result = control
        asked = self._exchanges.own.get(reference) if type(reference) is Ref else None
        if asked is None:
            return None
        if type(result) is Pid:
            if asked.kind != "spawn":
                return None  # the answer is the reason of its end
            del self._exchanges.own[reference]
            return Spawned(asked.number, result)
        del self._exchanges.own[reference]
        return Answer(asked.number, "refused", "off")

    # ------------------------------------------------------------ servers

    def _io_request(self, to: Pid, frm: Pid, tag: Any, request: Any) -> Signal:
        text, answer = io_requests.io_answer(request)
        echo = self._exchanges.echo((op.SEND, frm), (Atom("io_reply"), tag, answer))
        if text:
            self._signals.append(Print(frm, to, text))
        return Ping(echo)

    def _to_server(self, name: str, frm: Pid, payload: ErlangTerm | Discarded) -> Signal | None:
        if type(payload) is not ErlangTerm or name == "logger_proxy":
            return None  # a log line is shown on the node of its process too
        message = payload.decode(self._here)
        called = servers.gen_call(message)
        if name == "net_kernel":
            match called:
                case (caller, tag, (Atom("is_auth"), _)):
                    return Ping(self._exchanges.echo((op.SEND, caller), (tag, Atom("yes"))))
            return None
        return self._to_rex(frm, message)

    def _to_rex(self, frm: Pid, message: Any) -> Signal | None:
        refusal = servers.refusal_of(message, self._here.name)
        asked = PeersRequest(Ref(0), frm, 0, wants_reply=False, refusal=refusal)
        number = self._exchanges.asked_by_peer(asked)
        data = servers.own_call(ERPC, "rex", [message], self._here)
        caller = self._peers(frm)
        return Spawn(
            caller, number, servers.leader_of(message) or caller, False, None, Payload(data, self._there)
        )

    _readers: ClassVar[dict[Any, Any]] = {
        op.LINK: _link,
        op.SEND: _send,
        op.EXIT: _exit,
        op.REG_SEND: _reg_send,
        op.GROUP_LEADER: _group_leader,
        op.EXIT2: _exit2,
        op.MONITOR_P: _monitor,
        op.DEMONITOR_P: _demonitor,
        op.MONITOR_P_EXIT: _down,
        op.SEND_SENDER: _send_sender,
        op.PAYLOAD_EXIT: _payload_exit,
        op.PAYLOAD_EXIT2: _payload_exit2,
        op.PAYLOAD_MONITOR_P_EXIT: _payload_down,
        op.SPAWN_REQUEST: _spawn_request,
        op.SPAWN_REPLY: _spawn_reply,
        op.ALIAS_SEND: _alias_send,
        op.UNLINK_ID: _unlink,
        op.UNLINK_ID_ACK: _unlink_ack,
    }
    """By the number of a control message."""


_SIZES: Final = {
    op.LINK: 3, op.SEND: 3, op.EXIT: 4, op.REG_SEND: 4, op.GROUP_LEADER: 3, op.EXIT2: 4, op.MONITOR_P: 4,
    op.DEMONITOR_P: 4, op.MONITOR_P_EXIT: 5, op.SEND_SENDER: 3, op.PAYLOAD_EXIT: 3, op.PAYLOAD_EXIT2: 3,
    op.PAYLOAD_MONITOR_P_EXIT: 4, op.SPAWN_REQUEST: 6, op.SPAWN_REPLY: 5, op.ALIAS_SEND: 3, op.UNLINK_ID: 4,
    op.UNLINK_ID_ACK: 4,
}  # fmt: skip
"""By the number of a control message: the number of its elements."""
