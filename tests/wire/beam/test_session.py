"""session.py, signal_reader.py, signal_writer.py, control.py, exchanges.py: Signals both ways."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import ImproperList
from pyx.errors import ProtocolError
from pyx.signals import (
    Answer,
    Ask,
    Call,
    Crashed,
    Demonitor,
    Discarded,
    Down,
    Dropped,
    ExitSignal,
    ExitTo,
    GenCall,
    GenReply,
    Goodbye,
    Holdings,
    Leader,
    Link,
    Monitor,
    Nodes,
    Payload,
    Ping,
    Pong,
    Print,
    Send,
    Signal,
    Spawn,
    Spawned,
    Tick,
    Unlink,
    UnlinkAck,
    queued_bytes,
)
from pyx.terms import Pid, Raised, Ref
from pyx.wire.beam import control as op
from pyx.wire.beam import flags
from pyx.wire.beam.frames import PASS_THROUGH, WITH_HEADER, MessageReader
from pyx.wire.beam.session import BeamSession
from pyx.wire.beam.term import ErlangTerm
from pyx.wire.beam.term_writer import encode_term
from pyx.wire.codec import decode, encode
from pyx.wire.frames.reassembly import node_budget
from tests.wire.beam.recorded import (
    CALLER,
    DEMONITOR_OF_NET_KERNEL,
    DOWN,
    GUS,
    IS_AUTH,
    MONITOR_OF_NET_KERNEL,
    SPAWN_REPLY,
    SPAWN_REQUEST,
    A,
    framed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MIB = 1024 * 1024
ERL_CALL = flags.common(0x407074F9C)
"""What `erl_call` and this node understand: neither senders, nor payloads of exits, nor spawns."""

OTP_25 = flags.OURS & ~flags.DIST_HDR_ATOM_CACHE & ~flags.FRAGMENTS
"""Without the atom cache, as in the recorded bytes."""

OWN = Pid(101)
THERE = Pid(201, 0, *A)
REF = Ref(7, *A)


class Connection:
    """A session, and what an Erlang node would read of it."""

    def __init__(self, both: int = flags.OURS) -> None:
        self.session = BeamSession(GUS, A, both, max_payload_bytes=MIB, budget=node_budget(MIB))
        self._flags = both
        self._peer = MessageReader(A, both, MIB, node_budget(MIB))
        self._lead = WITH_HEADER if both & flags.DIST_HDR_ATOM_CACHE else PASS_THROUGH
        self.released = 0

    def hears(self, *control: Any, message: Any = ...) -> list[Signal]:
        """The signals of a control message of a@vm, and the message behind it."""
        body = self._lead + encode_term(control, A)
        if message is not ...:
            lead = b"" if self._flags & flags.DIST_HDR_ATOM_CACHE else b"\x83"
            body += lead + encode_term(message, A)
        return self.session.receive_data(framed(body))

    def hears_bytes(self, body: bytes) -> list[Signal]:
        return self.session.receive_data(framed(body))

    def writes(self, *signals: Signal) -> bytes:
        out = deque(signals)
        data = b""
        while out or not self.session.is_empty or not data:
            more, released = self.session.transmit(out)
            data += more
            self.released += released
        return data

    def says(self, *signals: Signal) -> Any:
        """(control, message), as a@vm reads them: of one signal, or a list of those of several."""
        found = [
            (control, None if payload is None else opened_there(payload))
            for control, payload in self._peer.receive_data(self.writes(*signals))
        ]
        return found[0] if len(found) == 1 else found


def opened_there(payload: ErlangTerm | Discarded) -> Any:
    assert isinstance(payload, ErlangTerm)
    return payload.decode(A)


def payload(value: Any) -> Payload:
    return Payload(encode(value))


def opened(body: Any) -> Any:
    return decode(body, GUS)


# ---------------------------------------------------------------- OTP 25, byte for byte


def test_ping_of_otp_25_is_answered() -> None:
    gus = Connection(OTP_25)
    assert gus.hears_bytes(MONITOR_OF_NET_KERNEL) == []  # there is no such process; the node answers for it
    (ping,) = gus.hears_bytes(IS_AUTH)
    assert isinstance(ping, Ping)
    control, message = gus.says(Pong(ping.number))
    assert control == (op.SEND_SENDER, Pid(0, 0, *GUS), Pid(CALLER.number))
    tag, answer = message
    assert type(tag) is ImproperList
    assert answer == "yes"
    assert gus.hears_bytes(DEMONITOR_OF_NET_KERNEL) == []


def test_call_of_otp_25_is_a_spawn_whose_reason_is_the_answer() -> None:
    gus = Connection(OTP_25)
    (spawn,) = gus.hears_bytes(SPAWN_REQUEST)
    assert isinstance(spawn, Spawn)
    assert (spawn.frm, spawn.link, spawn.leader) == (CALLER, False, Pid(0x2E, 0, *A))
    assert spawn.monitor is not None
    assert spawn.payload.origin == A
    module, function, (called, name, args) = opened(spawn.payload)
    assert (module, function) == ("pyx.runtime.erpc", "run")
    assert (called, name) == ("erpc", "execute_call")
    ref, *named = args
    assert named == ["math", "sqrt", [16]]
    process = Pid(0x66)
    assert gus.writes(Spawned(spawn.number, process)) == framed(SPAWN_REPLY)
    reason = payload((ref, Atom("return"), 4.0))
    assert gus.writes(Down(CALLER, spawn.monitor, process, reason, process)) == framed(DOWN)


# ---------------------------------------------------------------- signals of processes, both ways


@pytest.mark.parametrize(
    ("signal", "control"),
    [
        (Link(OWN, THERE), (op.LINK, OWN, THERE)),
        (Unlink(OWN, THERE, 5), (op.UNLINK_ID, 5, OWN, THERE)),
        (UnlinkAck(OWN, THERE, 5), (op.UNLINK_ID_ACK, 5, OWN, THERE)),
        (Monitor(OWN, THERE, Ref(9)), (op.MONITOR_P, OWN, THERE, Ref(9))),
        (Monitor(OWN, "srv", Ref(9)), (op.MONITOR_P, OWN, Atom("srv"), Ref(9))),
        (Demonitor(OWN, "srv", Ref(9)), (op.DEMONITOR_P, OWN, Atom("srv"), Ref(9))),
        (Leader(OWN, THERE, OWN), (op.GROUP_LEADER, OWN, THERE)),
    ],
)
def test_signal_is_the_control_message_of_the_same_fields(signal: Signal, control: tuple[Any, ...]) -> None:
    written, message = Connection().says(signal)
    assert written == _seen_from_a(control)
    assert message is None


@pytest.mark.parametrize(
    ("control", "signal"),
    [
        ((op.LINK, CALLER, OWN), Link(CALLER, OWN)),
        ((op.UNLINK_ID, 5, CALLER, OWN), Unlink(CALLER, OWN, 5)),
        ((op.UNLINK_ID_ACK, 2**64 - 1, CALLER, OWN), UnlinkAck(CALLER, OWN, 2**64 - 1)),
        ((op.MONITOR_P, CALLER, OWN, REF), Monitor(CALLER, OWN, REF)),
        ((op.MONITOR_P, CALLER, Atom("stock"), REF), Monitor(CALLER, "stock", REF)),
        ((op.DEMONITOR_P, CALLER, OWN, REF), Demonitor(CALLER, OWN, REF)),
        ((op.GROUP_LEADER, CALLER, OWN), Leader(Pid(0, 0, *A), OWN, CALLER)),
        ((op.EXIT, CALLER, OWN, Atom("normal")), ExitSignal(CALLER, OWN, "normal")),
        ((op.EXIT2, CALLER, OWN, Atom("kill")), ExitTo(CALLER, OWN, "kill")),
        ((13, CALLER, OWN, Atom("token"), Atom("normal")), ExitSignal(CALLER, OWN, "normal")),
        ((op.MONITOR_P_EXIT, CALLER, OWN, Ref(3, *GUS), Atom("noproc")), Down(OWN, Ref(3), CALLER, "noproc")),
        (
            (op.MONITOR_P_EXIT, Atom("srv"), OWN, Ref(3, *GUS), Atom("shutdown")),
            Down(OWN, Ref(3), "srv", "shutdown", Pid(0, 0, *A)),
        ),
    ],
)
def test_control_message_is_the_signal_of_the_same_fields(control: tuple[Any, ...], signal: Signal) -> None:
    assert Connection().hears(*_seen_from_a(control)) == [signal]


@pytest.mark.parametrize(
    ("to", "control"),
    [
        (THERE, (op.SEND_SENDER, OWN, THERE)),
        ("srv", (op.REG_SEND, OWN, Atom(""), Atom("srv"))),
        (REF, (op.ALIAS_SEND, OWN, REF)),
    ],
)
def test_message_goes_to_a_pid_a_name_and_an_alias(to: Any, control: tuple[Any, ...]) -> None:
    assert Connection().says(Send(OWN, to, payload(("add", 1)))) == (_seen_from_a(control), ("add", 1))


def test_message_without_a_sender_comes_from_the_node() -> None:
    control, _ = Connection().says(Send(None, "srv", payload(1)))
    assert control[1] == Pid(0, 0, *GUS)


@pytest.mark.parametrize(
    ("control", "frm", "to"),
    [
        ((op.SEND, Atom(""), OWN), None, OWN),
        ((12, Atom(""), OWN, Atom("token")), None, OWN),
        ((op.SEND_SENDER, CALLER, OWN), CALLER, OWN),
        ((op.SEND_SENDER, Pid(1, 0, "c@vm", 3), OWN), Pid(1, 0, "c@vm", 3), OWN),
        ((op.REG_SEND, CALLER, Atom(""), Atom("stock")), CALLER, "stock"),
        ((op.ALIAS_SEND, CALLER, Ref(5, *GUS)), CALLER, Ref(5)),
    ],
)
def test_message_comes_as_the_term_that_it_is(control: tuple[Any, ...], frm: Any, to: Any) -> None:
    gus = Connection()
    for number in range(3):  # a stream between the same two: remembered
        (signal,) = gus.hears(*_seen_from_a(control), message=(Atom("add"), number))
        assert isinstance(signal, Send)
        assert (signal.frm, signal.to, signal.body.origin) == (frm, to, A)
        assert isinstance(signal.body.data, ErlangTerm)
        assert opened(signal.body) == (Atom("add"), number)


def test_stream_of_messages_has_one_head() -> None:
    found = Connection().says(*(Send(OWN, THERE, payload(number)) for number in range(3)))
    assert [message for _, message in found] == [0, 1, 2]
    assert len({control for control, _ in found}) == 1


def test_message_that_is_a_term_is_sent_as_it_is() -> None:
    term = ErlangTerm(encode_term({"a": (1, OWN)}, GUS))
    _, message = Connection().says(Send(OWN, THERE, Payload(term)))
    assert message == {"a": (1, Pid(OWN.number, 0, *GUS))}


def test_term_with_atoms_of_its_header_is_encoded_anew() -> None:
    term = ErlangTerm(b"R\0", [Atom("ok")])
    assert Connection().says(Send(OWN, THERE, Payload(term, A)))[1] == Atom("ok")


@pytest.mark.parametrize("size", [10, 70_000, 300_000])
def test_all_that_a_signal_counts_is_released(size: int) -> None:
    gus = Connection()
    signals: list[Signal] = [
        Send(OWN, THERE, payload("x" * size)),
        Link(OWN, THERE),
        Call(OWN, 3, OWN, payload(("os", "f", []))),
    ]
    gus.writes(*signals)
    assert gus.released == sum(map(queued_bytes, signals))


def test_large_message_goes_in_fragments_and_small_ones_of_others_pass() -> None:
    found = Connection().says(Send(OWN, THERE, payload("x" * 300_000)), Send(Pid(5), THERE, payload(1)))
    assert [len(message) if type(message) is str else message for _, message in found] == [1, 300_000]


def test_what_cannot_be_sent_is_left_out_alone() -> None:
    gus = Connection()
    bad, good = Send(OWN, THERE, payload(float("nan"))), Send(OWN, THERE, payload(1))
    assert gus.says(bad, good)[1] == 1
    (sentence,) = gus.session.unwritten()
    assert sentence.startswith(
        "the Send cannot be sent: cannot send message: nan is not a number that Erlang has"
    )


def test_message_over_the_limit_comes_as_what_it_would_have_been() -> None:
    (signal,) = Connection().hears(op.SEND_SENDER, CALLER, Pid(101, 0, *GUS), message="x" * (MIB + 1))
    assert isinstance(signal, Send)
    assert isinstance(signal.body.data, Discarded)


# ---------------------------------------------------------------- reasons


@pytest.mark.parametrize("word", sorted(op.WORDS))
def test_word_is_an_atom_there(word: str) -> None:
    assert Connection().says(ExitTo(OWN, THERE, word))[1] == Atom(word)
    assert type(Connection().says(ExitTo(OWN, THERE, word))[1]) is Atom
    ref = Ref(3, *GUS)
    (down,) = Connection().hears(op.PAYLOAD_MONITOR_P_EXIT, CALLER, _seen(OWN), ref, message=Atom(word))
    assert down == Down(OWN, Ref(3), CALLER, word, None if word == "noproc" else CALLER)


def test_any_other_text_is_never_an_atom_there() -> None:
    assert type(Connection().says(ExitTo(OWN, THERE, "order 4711 failed"))[1]) is str


def test_reason_is_encoded_anew_for_nodes_that_it_may_be_carried_to() -> None:
    (signal,) = Connection().hears(op.PAYLOAD_EXIT, CALLER, _seen(OWN), message=(Atom("bad"), "day"))
    assert isinstance(signal, ExitSignal)
    assert isinstance(signal.reason, Payload)
    assert type(signal.reason.data) is bytes
    assert opened(signal.reason) == (Atom("bad"), "day")


def test_crash_is_an_exception_with_its_place_there() -> None:
    frames = (("/srv/till.py", 3, "close", 0), ("/srv/shop.py", 7, "total", 1))
    crash = payload(Raised("ZeroDivisionError", "division by zero", frames=frames))
    _, (raised, stack) = Connection().says(ExitSignal(OWN, THERE, crash))
    assert raised == Raised("RuntimeError", "ZeroDivisionError: division by zero")
    (module, function, arity, place), (_, caller, _, _) = stack
    assert (module, function, arity, caller) == (Atom("shop"), Atom("total"), 1, Atom("close"))
    assert dict(place) == {"file": list(map(ord, "shop.py")), "line": 7}


# ---------------------------------------------------------------- requests of this node


def test_call_is_a_spawn_of_erpc_and_its_end_the_answer() -> None:
    gus = Connection()
    control, args = gus.says(Call(OWN, 12, OWN, payload(("Enum", "sum", [[1, 2]]))))
    number, reference, frm, leader, function, options = control
    assert (number, function, options) == (op.SPAWN_REQUEST, ("erpc", "execute_call", 4), ["monitor"])
    assert frm == leader == Pid(OWN.number, 0, *GUS)
    assert args == [reference, Atom("Elixir.Enum"), Atom("sum"), [[1, 2]]]
    assert gus.hears(op.SPAWN_REPLY, reference, frm, 2, Pid(300)) == []
    (answer,) = gus.hears(
        op.PAYLOAD_MONITOR_P_EXIT, Pid(300), frm, reference, message=(reference, Atom("return"), 3)
    )
    assert isinstance(answer, Answer)
    assert (answer.number, answer.outcome, opened(answer.payload)) == (12, "value", 3)


@pytest.mark.parametrize(
    ("reason", "outcome", "value"),
    [
        ((REF, Atom("error"), Atom("undef"), [(Atom("os"), Atom("f"), [1], [])]), "undefined", ("os", "f")),
        ((REF, Atom("error"), Atom("undef"), [(Atom("os"), Atom("other"), [1], [])]), "raised", ...),
        ((REF, Atom("error"), Atom("badarg"), []), "raised", Raised("ErlangError", ":badarg", "")),
        ((REF, Atom("throw"), 5), "raised", Raised("throw", "5", "")),
        ((REF, Atom("exit"), (Atom("a"), 1)), "exit", (Atom("a"), 1)),
        ((1, 2), "exit", (1, 2)),
    ],
)
def test_failure_of_a_call_is_told_apart(reason: Any, outcome: str, value: Any) -> None:
    gus = Connection()
    reference = gus.says(Call(OWN, 12, OWN, payload(("os", "f", [1]))))[0][1]
    (answer,) = gus.hears(op.PAYLOAD_MONITOR_P_EXIT, Pid(300), _seen(OWN), reference, message=reason)
    assert isinstance(answer, Answer)
    assert answer.outcome == outcome
    assert value is ... or opened(answer.payload) == value


def test_killed_call_is_an_exit() -> None:
    gus = Connection()
    reference = gus.says(Call(OWN, 12, OWN, payload(("os", "f", []))))[0][1]
    assert gus.hears(op.MONITOR_P_EXIT, Pid(300), _seen(OWN), reference, Atom("killed")) == [
        Answer(12, "exit", "killed")
    ]


def test_cast_is_a_spawn_without_a_monitor() -> None:
    control, args = Connection().says(Call(OWN, 0, OWN, payload(("lists", "sum", [[1]]))))
    assert control[4:] == (("erpc", "execute_cast", 3), [])
    assert args == [Atom("lists"), Atom("sum"), [[1]]]


def test_spawn_is_answered_by_its_pid_and_its_monitor_is_the_request() -> None:
    gus = Connection()
    spawn = Spawn(OWN, 4, OWN, True, Ref(31), payload(("timer", "sleep", [100])))
    control, args = gus.says(spawn)
    reference = Ref(31, *GUS)
    assert control[1] == reference
    assert control[4:] == (("timer", "sleep", 1), ["link", "monitor"])
    assert args == [100]
    assert gus.hears(op.SPAWN_REPLY, reference, _seen(OWN), 3, Pid(300)) == [Spawned(4, Pid(300, 0, *A))]
    assert gus.hears(op.MONITOR_P_EXIT, Pid(300), _seen(OWN), reference, Atom("normal")) == [
        Down(OWN, Ref(31), Pid(300, 0, *A), "normal", Pid(300, 0, *A))
    ]


def test_refused_spawn_is_refused() -> None:
    gus = Connection()
    reference = gus.says(Spawn(OWN, 4, OWN, False, None, payload(("os", "f", []))))[0][1]
    assert gus.hears(op.SPAWN_REPLY, reference, _seen(OWN), 0, Atom("notsup")) == [
        Answer(4, "refused", "off")
    ]


def test_reply_to_nothing_means_nothing() -> None:
    assert Connection().hears(op.SPAWN_REPLY, Ref(99, *GUS), _seen(OWN), 0, Pid(300)) == []


def test_call_with_keyword_arguments_is_left_out() -> None:
    gus = Connection()
    gus.writes(Call(OWN, 3, OWN, payload(("os", "f", [], {"a": 1}))), Tick())
    assert "keyword arguments" in gus.session.unwritten()[0]
    (answer,) = gus.session.unanswered()
    assert isinstance(answer, Answer)
    assert (answer.number, answer.outcome) == (3, "raised")
    assert opened(answer.payload).type == "EncodeError"
    assert gus.session.unanswered() == []


def test_question_about_a_process_is_process_info() -> None:
    gus = Connection()
    control, args = gus.says(Ask(OWN, 6, "info", payload((THERE, ["status", "undecodable"]))))
    reference = control[1]
    assert args[1:] == [Atom("erlang"), Atom("process_info"), [Pid(201), [Atom("status")]]]
    facts = [(Atom("status"), Atom("waiting"))]
    (answer,) = gus.hears(
        op.PAYLOAD_MONITOR_P_EXIT, Pid(3), _seen(OWN), reference, message=(reference, Atom("return"), facts)
    )
    assert isinstance(answer, Answer)
    assert opened(answer.payload) == {"status": "waiting", "undecodable": None}  # what Erlang does not know


def test_ping_asks_net_kernel() -> None:
    gus = Connection()
    control, (what, (frm, tag), request) = gus.says(Ping(5))
    assert control[::3] == (op.REG_SEND, Atom("net_kernel"))
    assert (what, request) == ("$gen_call", (Atom("is_auth"), Atom("gus@vm")))
    assert gus.hears(op.SEND_SENDER, CALLER, frm, message=(tag, Atom("yes"))) == [Pong(5)]


# ---------------------------------------------------------------- requests of the peer


def test_spawn_with_link_and_monitor_says_so_in_its_reply() -> None:
    gus = Connection()
    options = [Atom("link"), Atom("monitor"), (Atom("priority"), Atom("high"))]
    called = Atom("shop"), Atom("run"), 1
    (spawn,) = gus.hears(op.SPAWN_REQUEST, REF, Pid(0x70), Pid(1), called, options, message=["x"])
    assert isinstance(spawn, Spawn)
    assert (spawn.link, spawn.monitor) == (True, REF)
    assert opened(spawn.payload) == ("pyx.runtime.erpc", "run", ["shop", "run", ["x"]])
    assert gus.says(Spawned(spawn.number, OWN))[0] == (op.SPAWN_REPLY, Ref(7), Pid(0x70), 3, _seen(OWN))


def test_spawn_with_an_unknown_option_is_answered_badopt() -> None:
    gus = Connection()
    called = Atom("shop"), Atom("run"), 0
    (ping,) = gus.hears(op.SPAWN_REQUEST, REF, Pid(0x70), Pid(1), called, [Atom("odd")], message=[])
    assert isinstance(ping, Ping)
    assert gus.says(Pong(ping.number))[0] == (op.SPAWN_REPLY, Ref(7), Pid(0x70), 0, Atom("badopt"))


def test_refused_spawn_of_a_peer_is_answered_notsup() -> None:
    gus = Connection()
    called = Atom("shop"), Atom("run"), 0
    (spawn,) = gus.hears(op.SPAWN_REQUEST, REF, Pid(0x70), Pid(1), called, [], message=[])
    assert isinstance(spawn, Spawn)
    assert gus.says(Answer(spawn.number, "refused", "off"))[0][-1] == Atom("notsup")


def test_rex_is_a_process_whose_start_is_not_told() -> None:
    gus = Connection()
    call = Atom("call"), Atom("math"), Atom("sqrt"), [16], Atom("user")
    (spawn,) = gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("rex"), message=(Pid(0x70), call))
    assert isinstance(spawn, Spawn)
    module, function, (message,) = opened(spawn.payload)
    assert (module, function) == ("pyx.runtime.erpc", "rex")
    assert message == (CALLER, call)
    assert gus.writes(Spawned(spawn.number, OWN)) == b"\0\0\0\0"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ((Pid(0x70), (Atom("call"), Atom("m"), Atom("f"), [], Atom("user"))), Atom("rex")),
        ((Atom("$gen_call"), (Pid(0x70), Ref(7)), (Atom("block_call"),)), Ref(7)),
        ((Atom("$gen_cast"), (Atom("cast"),)), None),
    ],
)
def test_refused_call_of_rex_is_answered(request_: Any, answer: Any) -> None:
    gus = Connection()
    (spawn,) = gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("rex"), message=request_)
    assert isinstance(spawn, Spawn)
    if answer is None:
        assert gus.writes(Answer(spawn.number, "refused", "off")) == b"\0\0\0\0"
    else:
        control, message = gus.says(Answer(spawn.number, "refused", "off"))
        assert control[2] == Pid(0x70)
        assert message == (answer, (Atom("badrpc"), Atom("notsup")))


def test_refused_message_through_rex_reaches_no_name() -> None:
    gus = Connection()
    asked = Pid(0x70), (Atom("sbcast"), Atom("stock"), 1)
    (spawn,) = gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("rex"), message=asked)
    assert isinstance(spawn, Spawn)
    _, message = gus.says(Answer(spawn.number, "refused", "off"))
    assert message == (Atom("rex"), Atom("gus@vm"), (Atom("nonexisting_name"), Atom("stock")))


def test_output_of_a_beam_process_is_shown_and_answered() -> None:
    gus = Connection()
    request = (
        Atom("io_request"),
        Pid(0x70),
        REF,
        (Atom("put_chars"), Atom("unicode"), ["gr", b"\xc3\xbc\xc3\x9fe", 10]),
    )
    shown, ping = gus.hears(op.SEND_SENDER, Pid(0x70), _seen(OWN), message=request)
    assert shown == Print(CALLER, OWN, "grüße\n")
    assert isinstance(ping, Ping)
    control, message = gus.says(Pong(ping.number))
    assert control == (op.SEND_SENDER, Pid(0, 0, *GUS), Pid(0x70))
    assert message == (Atom("io_reply"), Ref(7), Atom("ok"))


def test_output_here_goes_to_the_leader_there() -> None:
    control, message = Connection().says(Print(OWN, THERE, "hello\n"))
    assert control == (op.SEND_SENDER, Pid(0, 0, *GUS), Pid(201))
    what, frm, _, request = message
    assert (what, frm) == ("io_request", Pid(0, 0, *GUS))
    assert request == (Atom("put_chars"), Atom("unicode"), "hello\n")
    assert Connection().says(Print(OWN, THERE, "a\ud800"))[1][3][2] == "a\\ud800"
    _, message = Connection().says(Crashed(OWN, THERE, "Traceback ...\n"))
    assert message[3][4][1] == [_seen(OWN), "gus@vm", "Traceback ...\n"]


def test_answer_of_a_leader_reaches_no_process() -> None:
    done = Atom("io_reply"), Atom("ok"), Atom("ok")
    assert Connection().hears(op.SEND_SENDER, CALLER, Pid(0, 0, *GUS), message=done) == []


@pytest.mark.parametrize("name", ["net_kernel", "rex", "logger_proxy"])
def test_monitor_of_a_server_of_otp_is_not_a_monitor_of_a_process(name: str) -> None:
    assert Connection().hears(op.MONITOR_P, Pid(0x70), Atom(name), Ref(7)) == []


# ---------------------------------------------------------------- calls of servers


def test_gen_call_is_a_monitor_and_a_message() -> None:
    gus = Connection()
    (monitor, nothing), (control, message) = gus.says(
        GenCall(OWN, "srv", Ref(8), False, payload(Atom("status")))
    )
    assert nothing is None
    assert monitor == (op.MONITOR_P, _seen(OWN), Atom("srv"), Ref(8, *GUS))
    assert control == (op.REG_SEND, _seen(OWN), Atom(""), Atom("srv"))
    tag = ImproperList([Atom("alias")], Ref(8, *GUS))
    assert message == (Atom("$gen_call"), (_seen(OWN), tag), Atom("status"))
    reply, ping = gus.hears(op.ALIAS_SEND, Pid(0x70), Ref(8, *GUS), message=(tag, {"n": 3}))
    assert isinstance(reply, GenReply)
    assert (reply.to, opened(reply.body)) == (Ref(8), {"n": 3})
    assert isinstance(ping, Ping)
    assert gus.says(Pong(ping.number))[0] == (op.DEMONITOR_P, _seen(OWN), Atom("srv"), Ref(8, *GUS))


def test_gen_reply_is_a_message_to_the_alias() -> None:
    control, message = Connection().says(GenReply(OWN, REF, payload(5)))
    assert control == (op.ALIAS_SEND, _seen(OWN), Ref(7))
    assert message == (ImproperList([Atom("alias")], Ref(7)), 5)


def test_call_of_a_server_here_is_one_signal_and_its_reply_goes_to_the_alias() -> None:
    gus = Connection()
    tag = ImproperList([Atom("alias")], Ref(7))
    message = (Atom("$gen_call"), (Pid(0x70), tag), (Atom("add"), 1))
    for _ in range(2):  # the second time the addresses are remembered
        demonitor, call = gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("stock"), message=message)
        assert demonitor == Demonitor(CALLER, "stock", REF)
        assert isinstance(call, GenCall)
        assert call[:4] == (CALLER, "stock", REF, False)
        assert opened(call.body) == (Atom("add"), 1)
    control, reply = gus.says(GenReply(OWN, REF, payload(5)))
    assert (control[0], reply) == (op.ALIAS_SEND, (tag, 5))


SYSTEM = Atom("system"), (Pid(0x70), ImproperList([Atom("alias")], Ref(7))), Atom("get_state")


def test_request_of_sys_is_replied_in_the_words_of_otp() -> None:
    gus = Connection()
    _, call = gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("stock"), message=SYSTEM)
    assert isinstance(call, GenCall)
    assert call.is_system
    assert gus.says(GenReply(OWN, REF, payload("ok")))[1][1] == Atom("ok")
    gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("stock"), message=SYSTEM)
    assert gus.says(GenReply(OWN, REF, payload(("ok", {"a": 1}))))[1][1] == {"a": 1}
    newer = Connection(flags.OURS | flags.ALTACT_SIG)
    newer.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("stock"), message=SYSTEM)
    assert newer.says(GenReply(OWN, REF, payload(("ok", 1))))[1][1] == (Atom("ok"), 1)


@pytest.mark.parametrize(("more_flags", "reply"), [(0, 5), (flags.ALTACT_SIG, (Atom("ok"), 5))])
def test_state_of_a_server_there_comes_with_ok_from_each_release(more_flags: int, reply: Any) -> None:
    gus = Connection(flags.OURS | more_flags)
    gus.says(GenCall(OWN, "srv", Ref(8), True, payload("get_state")))
    tag = ImproperList([Atom("alias")], Ref(8, *GUS))
    said, _ = gus.hears(op.ALIAS_SEND, Pid(1), Ref(8, *GUS), message=(tag, reply))
    assert isinstance(said, GenReply)
    assert opened(said.body) == ("ok", 5)


def test_failure_in_the_place_of_a_reply_ends_the_call_as_an_exit() -> None:
    gus = Connection()
    gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("stock"), message=SYSTEM)
    control, reason = gus.says(GenReply(OWN, REF, payload(("$gen_refused", "no"))))
    assert control == (op.PAYLOAD_MONITOR_P_EXIT, Atom("stock"), Pid(0x70), Ref(7))
    assert reason == (Raised("RuntimeError", "CallRefused: no"), [])
    control, reply = gus.says(GenReply(OWN, REF, payload(("$gen_refused", 1))))  # a value that looks alike
    assert (control[0], reply[1]) == (op.ALIAS_SEND, ("$gen_refused", 1))


def test_call_that_is_given_up_is_forgotten() -> None:
    gus = Connection()
    gus.hears(op.REG_SEND, Pid(0x70), Atom(""), Atom("stock"), message=SYSTEM)
    gus.hears(op.DEMONITOR_P, Pid(0x70), Atom("stock"), Ref(7))
    assert gus.says(GenReply(OWN, REF, payload("ok")))[1][1] == "ok"  # nothing is known of the call


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        ("get_state", Atom("get_state")),
        (("terminate", "normal"), (Atom("terminate"), Atom("normal"))),
        (("debug", ("trace", True, OWN)), (Atom("debug"), (Atom("trace"), True))),
        (Atom("other"), Atom("other")),
    ],
)
def test_request_for_sys_there_is_in_the_words_of_otp(request_: Any, sent: Any) -> None:
    said = Connection().says(GenCall(OWN, "srv", Ref(8), True, payload(request_)))
    assert type(said) is list
    what, (_, tag), request = said[1][1]
    assert (what, request) == (Atom("system"), sent)
    assert type(request) is type(sent)
    assert tag == ImproperList([Atom("alias")], Ref(8, *GUS))


def test_call_with_another_tag_is_replied_to_its_caller() -> None:
    gus = Connection()
    tag = (Ref(7), Atom("gus@vm"))
    message = (Atom("system"), (Pid(0x70), tag), Atom("get_state"))
    (call,) = gus.hears(op.SEND_SENDER, Pid(0x70), _seen(OWN), message=message)
    assert isinstance(call, GenCall)
    assert (call.frm, call.target, call.is_system) == (CALLER, OWN, True)
    control, reply = gus.says(GenReply(OWN, call.ref, payload("state")))
    assert control == (op.SEND_SENDER, _seen(OWN), Pid(0x70))
    assert reply == (tag, "state")
    (again,) = gus.hears(op.SEND_SENDER, Pid(0x70), _seen(OWN), message=message)
    assert isinstance(again, GenCall)
    assert gus.writes(Down(CALLER, again.ref, OWN, "killed", OWN)) == b"\0\0\0\0"


@pytest.mark.parametrize("tag", [ImproperList([Atom("alias")], Ref(7)), (Ref(7), Atom("gus@vm"))])
def test_pair_of_tag_and_value_for_the_caller_is_a_reply(tag: Any) -> None:
    gus = Connection()
    message = Atom("$gen_call"), (Pid(0x70), tag), Atom("status")
    *_, call = gus.hears(op.SEND_SENDER, Pid(0x70), _seen(OWN), message=message)
    assert isinstance(call, GenCall)
    by_hand = Payload(ErlangTerm(encode_term((call.ref, "open"), GUS)))
    assert gus.says(Send(OWN, call.frm, by_hand))[1] == (tag, "open")
    assert gus.says(Send(OWN, Pid(0x71, 0, *A), by_hand))[1][0] != tag  # not the caller
    another = Payload(ErlangTerm(encode_term((Ref(8), "open"), GUS)))
    assert gus.says(Send(OWN, call.frm, another))[1] == (Ref(8, *GUS), "open")


@pytest.mark.parametrize(
    "message",
    [
        (Atom("$gen_call"), 1, 2),
        (Atom("$gen_call"), (Pid(1, 0, "c@vm", 3), Ref(7)), 2),
        ("$gen_call", (Pid(0x70), Ref(7)), 2),
        (Atom("add"), (Pid(0x70), Ref(7)), 2),
        (Atom("io_request"), 1, 2, 3),
        (1, 2, 3, 4),
    ],
)
def test_message_that_is_almost_a_call_is_a_message(message: Any) -> None:
    (signal,) = Connection().hears(op.SEND_SENDER, Pid(0x70), _seen(OWN), message=message)
    assert isinstance(signal, Send)


# ---------------------------------------------------------------- what the peer understands


def test_peer_without_senders_gets_the_older_message() -> None:
    assert Connection(ERL_CALL).says(Send(OWN, THERE, payload(1)))[0] == (op.SEND, Atom(""), Pid(201))


def test_peer_without_payloads_gets_its_reason_in_the_control_message() -> None:
    control, message = Connection(ERL_CALL).says(ExitTo(OWN, THERE, payload((Atom("a"), 1))))
    assert control == (op.EXIT2, _seen(OWN), Pid(201), (Atom("a"), 1))
    assert message is None


NAN = "EncodeError", "cannot send reason: nan is not a number that Erlang has"


@pytest.mark.parametrize("both", [flags.OURS, ERL_CALL])
@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (float("nan"), (Raised("RuntimeError", ": ".join(NAN)), [])),
        ((REF, Atom("exit"), float("nan")), None),
    ],
)
def test_end_is_told_though_erlang_cannot_hold_its_reason(both: int, reason: Any, told: Any) -> None:
    signals = ExitSignal(OWN, THERE, payload(reason)), Down(THERE, REF, OWN, payload(reason), OWN)
    for signal in signals:
        control, message = Connection(both).says(signal)
        found = control[-1] if message is None else message
        if told is None:  # the process was a call by `erpc`, whose caller waits for this shape
            assert found[:2] == (Ref(7), Atom("error"))
            assert found[2].text.startswith("EncodeError: cannot send reason[2]: nan")
            assert found[3] == []
        else:
            assert found == told


def test_exception_alone_is_a_reason_that_goes_on_as_it_came() -> None:
    gus, alone = Connection(), Raised("RuntimeError", "no")
    (exit_to,) = gus.hears(op.PAYLOAD_EXIT2, Pid(0x70), _seen(OWN), message=alone)
    assert isinstance(exit_to, ExitTo)
    assert opened(exit_to.reason) == alone
    assert gus.says(ExitSignal(OWN, THERE, exit_to.reason))[1] == alone
    assert gus.says(ExitSignal(OWN, THERE, payload(alone)))[1] == (alone, [])  # one of Python, with its stack


def test_reason_that_is_a_term_already_goes_as_it_is() -> None:
    term = Payload(ErlangTerm(encode_term((Atom("a"), {"b": 1}), GUS)), A)
    for both in (flags.OURS, ERL_CALL):
        control, message = Connection(both).says(Down(THERE, REF, OWN, term, OWN))
        assert (Atom("a"), {"b": 1}) in (control[-1], message)


@pytest.mark.parametrize(
    "signal",
    [Tick(), Nodes(("b@vm",)), Goodbye(), Dropped(OWN, "why"), Holdings((), True), Pong(3), Spawned(9, OWN)],
)
def test_what_means_nothing_there_is_a_tick(signal: Signal) -> None:
    assert Connection().writes(signal) == b"\0\0\0\0"


# ---------------------------------------------------------------- hostile peers


@pytest.mark.parametrize(
    "control",
    [
        (99,),
        (4, CALLER, OWN),  # the old UNLINK
        (op.LINK, CALLER),
        (op.LINK, Pid(1, 0, "c@vm", 3), OWN),
        (op.LINK, CALLER, Pid(1, 0, "c@vm", 3)),
        (op.LINK, "a", OWN),
        (op.EXIT2, Pid(1, 0, "c@vm", 3), OWN, Atom("kill")),
        (op.MONITOR_P, Pid(1, 0, "c@vm", 3), OWN, REF),
        (op.MONITOR_P, CALLER, OWN, 5),
        (op.MONITOR_P, CALLER, "text", REF),
        (op.UNLINK_ID, 0, CALLER, OWN),
        (op.UNLINK_ID, 2**64, CALLER, OWN),
        (op.SEND_SENDER, CALLER, OWN),
        (op.SEND_SENDER, CALLER, REF),
        (op.REG_SEND, CALLER, Atom(""), "text"),
        (op.GROUP_LEADER, 5, OWN),
        (op.MONITOR_P_EXIT, CALLER, OWN, 5, Atom("normal")),
        (op.SPAWN_REQUEST, REF, CALLER, CALLER, "text", []),
        (op.SPAWN_REQUEST, REF, CALLER, CALLER, (Atom("a"), Atom("b"), 0), 5),
        (12,),
    ],
)
def test_control_message_that_no_peer_may_send_breaks_the_protocol(control: tuple[Any, ...]) -> None:
    with pytest.raises(ProtocolError):
        Connection().hears(*_seen_from_a(control))


def test_messages_before_a_bad_one_are_not_lost_with_the_session_of_another_peer() -> None:
    gus, other = Connection(), Connection()
    with pytest.raises(ProtocolError):
        gus.hears(99)
    assert other.hears(op.LINK, Pid(0x70), _seen(OWN)) == [Link(CALLER, OWN)]


def _seen(pid: Pid) -> Pid:
    """A pid of this node as a@vm writes it."""
    return Pid(pid.number, pid.serial, *GUS)


def _seen_from_a(values: Sequence[Any]) -> tuple[Any, ...]:
    """The same values as a@vm has them: its own pids are local there, those of this node are not."""
    seen: list[Any] = []
    for value in values:
        if type(value) is Pid:
            seen.append(
                Pid(value.number) if value.incarnation == A else value if value.node else _seen(value)
            )
        elif type(value) is Ref:
            local = value.incarnation == A
            seen.append(Ref(value.number) if local else value if value.node else Ref(value.number, *GUS))
        else:
            seen.append(value)
    return tuple(seen)
