"""frames.py, term.py: Messages of Erlang nodes are cut, with the atom cache and without, and joined."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import ImproperList
from pyx.errors import DecodeError, ProtocolError
from pyx.signals import Discarded
from pyx.terms import Pid, Ref
from pyx.wire.beam import flags
from pyx.wire.beam.frames import FragmentedMessage, MessageReader
from pyx.wire.beam.term import ErlangCall, ErlangTerm
from pyx.wire.beam.term_writer import encode_term
from pyx.wire.frames.reassembly import node_budget
from tests.wire.beam.recorded import CACHED, CALLER, DEMONITOR_OF_NET_KERNEL, GUS, IS_AUTH, framed

WITHOUT_CACHE = flags.OURS & ~flags.DIST_HDR_ATOM_CACHE & ~flags.FRAGMENTS
MIB = 1024 * 1024


def reader(flags_of_both: int = flags.OURS, *, limit: int = MIB) -> MessageReader:
    return MessageReader(GUS, flags_of_both, limit, node_budget(limit))


def value(payload: ErlangTerm | Discarded | None) -> Any:
    assert isinstance(payload, ErlangTerm)
    return payload.decode(GUS)


# ---------------------------------------------------------------- without the atom cache


def test_message_without_the_cache_has_a_control_and_a_term() -> None:
    ((control, payload),) = reader(WITHOUT_CACHE).receive_data(framed(IS_AUTH))
    assert control == (6, CALLER, Atom(""), Atom("net_kernel"))
    what, (caller, tag), request = value(payload)
    assert (what, caller, request) == ("$gen_call", CALLER, ("is_auth", "a@vm"))
    assert type(tag) is ImproperList
    assert tag.items == ("alias",)


def test_control_without_a_message_has_no_payload() -> None:
    ((control, payload),) = reader(WITHOUT_CACHE).receive_data(framed(DEMONITOR_OF_NET_KERNEL))
    assert control[:3] == (20, CALLER, "net_kernel")
    assert payload is None


def test_tick_is_not_a_message() -> None:
    assert reader().receive_data(b"\0\0\0\0" * 3) == []


def test_frames_come_in_any_pieces() -> None:
    machine = reader(WITHOUT_CACHE)
    data = framed(IS_AUTH) * 2
    found = [message for byte in data for message in machine.receive_data(bytes((byte,)))]
    assert len(found) == 2


# ---------------------------------------------------------------- the atom cache


def test_cache_of_otp_25_is_read() -> None:
    machine = reader()
    monitor, demonitor, first, second = (machine.receive_data(framed(body))[0] for body in CACHED)
    assert monitor.control[2] == demonitor.control[2] == "net_kernel"
    assert first.control[4] == second.control[4] == ("erpc", "execute_call", 4)
    for called in (first, second):
        ref, module, function, args = value(called.payload)
        assert type(ref) is Ref
        assert (module, function, args) == ("math", "sqrt", [16])


def test_reference_to_an_entry_that_was_never_sent_breaks_the_protocol() -> None:
    with pytest.raises(ProtocolError, match="was never sent"):
        reader().receive_data(framed(CACHED[3]))


def test_remembered_control_is_forgotten_when_an_entry_changes() -> None:
    machine = reader()
    to = encode_term((22, CALLER, Pid(5)), GUS)

    def sent(flag: int, entry: bytes) -> object:
        body = b"\x83D\x01" + bytes((flag,)) + entry + to + b"R\0"
        ((_, payload),) = machine.receive_data(framed(body))
        return value(payload)

    assert sent(8, b"\0\1a") == Atom("a")
    assert sent(0, b"\0") == Atom("a")
    assert sent(0, b"\0") == Atom("a")
    assert sent(8, b"\0\1b") == Atom("b")
    assert sent(0, b"\0") == Atom("b")


def test_atoms_with_long_lengths_are_read() -> None:
    name = "ü" * 200
    data = name.encode()
    body = b"\x83D\x01\x18\0" + len(data).to_bytes(2) + data + encode_term((22, CALLER, Pid(5)), GUS) + b"R\0"
    ((_, payload),) = reader().receive_data(framed(body))
    assert value(payload) == Atom(name)


# ---------------------------------------------------------------- fragments


def fragments(message: object, size: int = 100, sequence: int = 7) -> list[bytes]:
    """The frames of a message, as this node sends them."""
    head = b"\x83D\0" + encode_term((22, CALLER, Pid(5)), GUS)
    out = FragmentedMessage(sequence, head, encode_term(message, GUS), 4096, size)
    frames = []
    while not out.is_sent:
        parts: list[bytes | memoryview] = []
        out.cut(parts)
        frames.append(b"".join(parts))
    return frames


def test_fragments_are_joined() -> None:
    frames = fragments("x" * 1000)
    assert len(frames) == 11
    machine = reader()
    for frame in frames[:-1]:
        assert machine.receive_data(frame) == []
    ((control, payload),) = machine.receive_data(frames[-1])
    assert control == (22, CALLER, Pid(5))
    assert value(payload) == "x" * 1000


def test_fragments_of_two_messages_alternate_and_small_ones_pass() -> None:
    machine = reader()
    one, other = fragments("x" * 150, sequence=1), fragments("y" * 150, sequence=2)
    small = framed(b"\x83D\0" + encode_term((22, CALLER, Pid(5)), GUS) + encode_term(1, GUS))
    found = machine.receive_data(one[0] + other[0] + small + other[1] + one[1])
    assert [value(payload) for _, payload in found] == [1, "y" * 150, "x" * 150]


def test_all_bytes_of_a_message_are_released_from_the_outbox() -> None:
    out = FragmentedMessage(1, b"\x83D\0head", b"x" * 1000, 64, 100)
    released = 0
    while not out.is_sent:
        released += out.cut([])[1]
    assert released == 64


def test_peer_without_fragments_gets_a_large_message_whole() -> None:
    head = b"p\x83" + encode_term((22, CALLER, Pid(5)), GUS)
    out = FragmentedMessage(1, head, b"\x83" + encode_term("x" * 1000, GUS), 64, None)
    parts: list[bytes | memoryview] = []
    out.cut(parts)
    assert out.is_sent
    ((_, payload),) = reader(WITHOUT_CACHE).receive_data(b"".join(parts))
    assert value(payload) == "x" * 1000


def test_message_over_the_limit_is_read_past() -> None:
    machine = reader(limit=500)
    found = [message for frame in fragments("x" * 1000) for message in machine.receive_data(frame)]
    ((control, payload),) = found
    assert control[0] == 22
    assert isinstance(payload, Discarded)
    assert "--max-message" in payload.why
    whole = framed(b"\x83D\0" + encode_term((22, CALLER, Pid(5)), GUS) + encode_term("x" * 600, GUS))
    ((_, payload),) = machine.receive_data(whole)
    assert isinstance(payload, Discarded)


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (pack(">2sQQ", b"\x83F", 9, 1), "was not begun"),
        (pack(">2sQQ", b"\x83E", 9, 0) + b"\0" + encode_term((22, CALLER, Pid(5)), GUS), "of 0 fragments"),
        (b"\x83E\0\0", "cut short"),
        (b"\x83G", "begins with"),
        (b"p\x83", "begins with"),
        (b"GET / HTTP/1.1", "begins with"),
        (b"\x83D\0a\1", "not a tuple"),
        (b"\x83D\0h\0", "not a tuple"),
        (b"\x83D\0h\1", "malformed"),
        (b"\x83D", "malformed"),
        (b"\x83D\x05\xff", "malformed"),
        (b"\x83D\x01\x08\0\xffab", "malformed"),
    ],
)
def test_hostile_frame_breaks_the_protocol(frame: bytes, problem: str) -> None:
    with pytest.raises(ProtocolError, match=problem):
        reader().receive_data(framed(frame))


def test_fragment_out_of_turn_breaks_the_protocol() -> None:
    frames = fragments("x" * 300)
    machine = reader()
    machine.receive_data(frames[0])
    with pytest.raises(ProtocolError, match="came where"):
        machine.receive_data(frames[2])


def test_sequence_begun_twice_breaks_the_protocol() -> None:
    frames = fragments("x" * 300)
    machine = reader()
    machine.receive_data(frames[0])
    with pytest.raises(ProtocolError, match="begun twice"):
        machine.receive_data(frames[0])


def test_more_messages_at_a_time_than_allowed_break_the_protocol() -> None:
    machine = reader()
    for sequence in range(64):
        machine.receive_data(fragments("x" * 300, sequence=sequence)[0])
    with pytest.raises(ProtocolError, match="64 messages"):
        machine.receive_data(fragments("x" * 300, sequence=64)[0])


def test_budget_is_released_when_the_connection_ends() -> None:
    budget = node_budget(MIB)
    machine = MessageReader(GUS, flags.OURS, MIB, budget)
    machine.receive_data(fragments("x" * 300)[0])
    assert budget.taken == 100
    machine.abandon()
    assert budget.taken == 0


def test_no_prefix_and_no_changed_bit_of_a_frame_does_anything_else_than_to_be_read_or_to_be_refused() -> (
    None
):
    for body in (CACHED[1], CACHED[2], IS_AUTH):
        for end in range(len(body)):
            _is_read_or_refused(body[:end])
        for at in range(len(body)):
            for bit in range(8):
                changed = bytearray(body)
                changed[at] ^= 1 << bit
                _is_read_or_refused(bytes(changed))


def _is_read_or_refused(body: bytes) -> None:
    for flags_of_both in (flags.OURS, WITHOUT_CACHE):
        try:
            for _, payload in reader(flags_of_both).receive_data(framed(body)):
                if isinstance(payload, ErlangTerm):
                    payload.decode(GUS)
        except (ProtocolError, DecodeError):
            pass


# ---------------------------------------------------------------- terms as payloads


def test_term_decodes_anew_each_time() -> None:
    term = ErlangTerm(encode_term([1, {"a": Pid(3)}], GUS))
    assert term.decode(GUS) == [1, {"a": Pid(3)}]
    assert term.decode(GUS) is not term.decode(GUS)
    assert len(term) == len(term.data)


def test_term_is_not_bytes_for_a_pyx_node() -> None:
    with pytest.raises(TypeError, match="does not travel to a pyx node"):
        bytes(ErlangTerm(encode_term(1, GUS)))


def test_call_decodes_to_module_function_and_arguments() -> None:
    call = ErlangCall("Elixir.Enum", "sum", 1, encode_term([[1, 2]], GUS))
    assert call.decode(GUS) == ("Elixir.Enum", "sum", [[1, 2]])
