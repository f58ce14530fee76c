"""The fixed heads of signals, read by one `struct` call each.

A layout leaves little to check: a process in the place of FROM is the peer's, one in the place of TO is of
this node, and numbers have their bits [measured: 0.9 us instead of 7.4 for a `Call`, 0.8 instead of 6.4 for
an `Answer`, 2.0 instead of 11.6 for a `Down`].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from pyx.errors import ProtocolError
from pyx.signals import (
    LONGEST_KEY_BYTES,
    Answer,
    Call,
    Crashed,
    Demonitor,
    Down,
    ExitSignal,
    ExitTo,
    GenCall,
    GenReply,
    Link,
    Monitor,
    Payload,
    Ping,
    Pong,
    Print,
    Publish,
    Spawn,
    Spawned,
    Unlink,
    UnlinkAck,
)
from pyx.terms import LONGEST_WORD, Incarnation, Ref
from pyx.wire.frames.known_pids import OwnPids, PeersPids, own_incarnation
from pyx.wire.frames.layout import (
    ANSWER,
    CALL,
    DOWN,
    FIXED,
    GEN_CALL,
    GEN_REPLY,
    KINDS,
    MONITOR,
    NUMBER,
    NUMBER_AND_PID,
    OUTCOMES,
    PAIR,
    PAIR_AND_NUMBER,
    PAIR_AND_REASON,
    PUBLISH,
    SPAWN,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.signals import PayloadBytes, Signal
    from pyx.terms import Pid

_MOST_WORD_BYTES: Final = 4 * LONGEST_WORD

# A NamedTuple's own constructor takes three times as long.
_new = tuple.__new__


class Identities:
    """The two nodes of a connection, and their pids in the heads of its frames.

    Args:
        here: this node's incarnation; `there`: the peer's.
    """

    __slots__ = ("here", "own", "peers", "there")

    def __init__(self, here: Incarnation, there: Incarnation) -> None:
        self.here: Final = here
        self.there: Final = there
        self.own: Final = OwnPids(here)
        self.peers: Final = PeersPids(there)


def _call(ids: Identities, head: bytes, tail: PayloadBytes) -> Call:
    _, frm, number, is_own, leader = CALL.unpack_from(head)
    pids = ids.peers
    return _new(
        Call,
        (
            pids[frm],
            number,
            ids.own[leader] if is_own else pids[leader[:12]],
            _new(Payload, (tail, ids.there)),
        ),
    )


def _spawn(ids: Identities, head: bytes, tail: PayloadBytes) -> Spawn:
    _, frm, number, is_own, leader, link, has_monitor, reference = SPAWN.unpack_from(head)
    pids = ids.peers
    monitor = Ref(reference, *ids.there) if has_monitor else None
    return Spawn(
        pids[frm],
        number,
        ids.own[leader] if is_own else pids[leader[:12]],
        link,
        monitor,
        Payload(tail, ids.there),
    )


def _answer(ids: Identities, head: bytes, tail: PayloadBytes) -> Answer:
    _, number, code, has_process, frm, is_word = ANSWER.unpack_from(head)
    payload = _word(tail) if is_word else _new(Payload, (tail, ids.there))
    return _new(Answer, (number, OUTCOMES[code], payload, ids.peers[frm] if has_process else None))


def _gen_call(ids: Identities, head: bytes, tail: PayloadBytes) -> GenCall:
    _, frm, number, is_name, to, is_system = GEN_CALL.unpack_from(head)
    target: Pid | str
    if is_name:
        tail = bytes(tail)
        end = 1 + tail[0]
        if len(tail) < end:
            msg = f"the name of a called server has {len(tail) - 1} bytes, not {tail[0]}"
            raise ProtocolError(msg)
        target, tail = tail[1:end].decode("utf-8", "surrogatepass"), tail[end:]
    else:
        target = ids.own[to]
    there = ids.there
    body = _new(Payload, (tail, there))
    return _new(GenCall, (ids.peers[frm], target, Ref(number, *there), is_system, body))


def _gen_reply(ids: Identities, head: bytes, tail: PayloadBytes) -> GenReply:
    _, has_process, frm, number, creation = GEN_REPLY.unpack_from(head)
    ref = Ref(number, *own_incarnation(ids.here, creation))
    return _new(GenReply, (ids.peers[frm] if has_process else None, ref, _new(Payload, (tail, ids.there))))


def _publish(ids: Identities, head: bytes, tail: PayloadBytes) -> Publish:
    _, has_process, is_skipped, frm, name_length, topic_length = PUBLISH.unpack_from(head)
    tail = bytes(tail)
    end = name_length + topic_length
    if len(tail) < end or topic_length > LONGEST_KEY_BYTES or (is_skipped and not has_process):
        msg = f"the head of a broadcast states {name_length} and {topic_length} of {len(tail)} bytes"
        raise ProtocolError(msg)
    pid = ids.peers[frm] if has_process else None
    pubsub = tail[:name_length].decode("utf-8", "surrogatepass")
    body = _new(Payload, (tail[end:], ids.there))
    return _new(Publish, (pid, pid if is_skipped else None, pubsub, tail[name_length:end], body))


def _spawned(ids: Identities, head: bytes, _tail: PayloadBytes) -> Spawned:
    _, number, pid = NUMBER_AND_PID.unpack(head)
    return Spawned(number, ids.peers[pid])


def _down(ids: Identities, head: bytes, tail: PayloadBytes) -> Down:
    _, to, number, creation, has_lived, target, is_word = DOWN.unpack_from(head)
    pid = ids.peers[target]
    ref = Ref(number, *own_incarnation(ids.here, creation))
    reason = _word(tail) if is_word else Payload(tail, ids.there)
    return _new(Down, (ids.own[to], ref, pid, reason, pid if has_lived else None))


def _monitored(ids: Identities, head: bytes) -> tuple[Pid, Pid | str, Ref]:
    _, frm, number, is_name, to = MONITOR.unpack_from(head)
    tail = head[MONITOR.size :]
    if not is_name and tail:
        msg = f"{len(tail)} bytes follow the pid of a monitored process"
        raise ProtocolError(msg)
    return ids.peers[frm], _word(tail) if is_name else ids.own[to], Ref(number, *ids.there)


def _monitor(ids: Identities, head: bytes, _tail: PayloadBytes) -> Monitor:
    return _new(Monitor, _monitored(ids, head))


def _demonitor(ids: Identities, head: bytes, _tail: PayloadBytes) -> Demonitor:
    return _new(Demonitor, _monitored(ids, head))


def _link(ids: Identities, head: bytes, _tail: PayloadBytes) -> Link:
    _, frm, to = PAIR.unpack(head)
    return _new(Link, (ids.peers[frm], ids.own[to]))


def _pair_and_number(ids: Identities, head: bytes) -> tuple[Pid, Pid, int]:
    _, frm, to, number = PAIR_AND_NUMBER.unpack(head)
    if not number:
        raise ProtocolError("the number of an unlink is 0")
    return ids.peers[frm], ids.own[to], number


def _unlink(ids: Identities, head: bytes, _tail: PayloadBytes) -> Unlink:
    return _new(Unlink, _pair_and_number(ids, head))


def _unlink_ack(ids: Identities, head: bytes, _tail: PayloadBytes) -> UnlinkAck:
    return _new(UnlinkAck, _pair_and_number(ids, head))


def _pair_and_reason(ids: Identities, head: bytes, tail: PayloadBytes) -> tuple[Pid, Pid, str | Payload]:
    _, frm, to, is_word = PAIR_AND_REASON.unpack_from(head)
    return ids.peers[frm], ids.own[to], _word(tail) if is_word else Payload(tail, ids.there)


def _exit_signal(ids: Identities, head: bytes, tail: PayloadBytes) -> ExitSignal:
    return _new(ExitSignal, _pair_and_reason(ids, head, tail))


def _exit_to(ids: Identities, head: bytes, tail: PayloadBytes) -> ExitTo:
    return _new(ExitTo, _pair_and_reason(ids, head, tail))


def _output(ids: Identities, head: bytes) -> tuple[Pid, Pid, str]:
    _, frm, to = PAIR.unpack_from(head)
    return ids.peers[frm], ids.own[to], head[PAIR.size :].decode("utf-8", "surrogatepass")


def _print(ids: Identities, head: bytes, _tail: PayloadBytes) -> Print:
    return _new(Print, _output(ids, head))


def _crashed(ids: Identities, head: bytes, _tail: PayloadBytes) -> Crashed:
    return _new(Crashed, _output(ids, head))


def _ping(_ids: Identities, head: bytes, _tail: PayloadBytes) -> Ping:
    return Ping(NUMBER.unpack(head)[1])


def _pong(_ids: Identities, head: bytes, _tail: PayloadBytes) -> Pong:
    return Pong(NUMBER.unpack(head)[1])


def _word(tail: PayloadBytes) -> str:
    word = bytes(tail).decode("utf-8", "surrogatepass") if len(tail) <= _MOST_WORD_BYTES else None
    if word is None or len(word) > LONGEST_WORD:
        msg = f"a word of {len(tail)} bytes; at most {LONGEST_WORD} characters are allowed"
        raise ProtocolError(msg)
    return word


FixedReader: TypeAlias = "Callable[[Identities, bytes, PayloadBytes], Signal]"
"""From the identities, the head and what follows it (nothing if the head has no fixed end) to the signal."""

FIXED_READERS: Final[dict[int, tuple[FixedReader, int]]] = {
    FIXED + KINDS[signal]: (read, size)
    for signal, read, size in (
        (Call, _call, CALL.size),
        (Answer, _answer, ANSWER.size),
        (GenCall, _gen_call, GEN_CALL.size),
        (GenReply, _gen_reply, GEN_REPLY.size),
        (Publish, _publish, PUBLISH.size),
        (Spawn, _spawn, SPAWN.size),
        (Spawned, _spawned, 0),
        (Down, _down, DOWN.size),
        (Monitor, _monitor, 0),
        (Demonitor, _demonitor, 0),
        (Link, _link, 0),
        (Unlink, _unlink, 0),
        (UnlinkAck, _unlink_ack, 0),
        (ExitSignal, _exit_signal, PAIR_AND_REASON.size),
        (ExitTo, _exit_to, PAIR_AND_REASON.size),
        (Print, _print, 0),
        (Crashed, _crashed, 0),
        (Ping, _ping, 0),
        (Pong, _pong, 0),
    )
}
"""By kind: the function that reads it, and the length of the head; 0 where the frame is all head.

Raises ProtocolError, or `struct.error`, `IndexError` and `UnicodeDecodeError`, for bytes of no such signal.
"""
