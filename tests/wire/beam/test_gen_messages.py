"""gen_messages.py: Messages of OTP's `gen` and `sys`, as values."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import ImproperList
from pyx.terms import Pid, Raised, Ref
from pyx.wire.beam import gen_messages
from pyx.wire.beam.term import ErlangTerm
from pyx.wire.beam.term_writer import encode_term
from tests.wire.beam.recorded import CALLER, GUS

ALIASED = ImproperList([Atom("alias")], Ref(1))


@pytest.mark.parametrize(
    ("message", "lead"),
    [(("$gen_cast", 1), Atom), (("$gen_call", 1, 2), Atom), (("system", "cpu", 1), str), (("add", 1), str)],
)
def test_lead_of_otp_alone_becomes_an_atom(message: Any, lead: type) -> None:
    sent = gen_messages.outward_message(message)
    assert sent == message
    assert type(sent[0]) is lead


def test_request_that_ends_a_server_is_answered_to_an_alias() -> None:
    sent = gen_messages.outward_message(("system", (Pid(1), Ref(1)), ("terminate", ("shutdown", 1))))
    assert sent == (Atom("system"), (Pid(1), ALIASED), (Atom("terminate"), (Atom("shutdown"), 1)))
    assert type(sent[2][1][0]) is Atom


def test_status_of_a_server_has_the_shape_of_otp() -> None:
    status = (
        "status",
        Pid(1),
        ("module", "shop.Stock"),
        [{"a": 1}, "running", Pid(2), [("trace", True)], {}],
    )
    assert gen_messages.outward_system_reply(status, True) == (
        Atom("status"),
        Pid(1),
        (Atom("module"), Atom("shop.Stock")),
        [[("a", 1)], Atom("running"), Pid(2), [(Atom("trace"), True)], {}],
    )


@pytest.mark.parametrize("value", [5, None, ("error", "no"), ["ok"], {"ok": 1}])
def test_any_other_reply_stays_as_it_is(value: Any) -> None:
    assert gen_messages.outward_system_reply(value, True) is value
    assert gen_messages.exit_of_caller(value) is None


@pytest.mark.parametrize(
    ("value", "is_failure"),
    [
        (("$gen_raised", Raised("KeyError", "'a'")), True),
        (("$gen_undefined", ["add"]), True),
        (("$gen_other", 1), True),
        (("$gem", 1), False),
        (("$gen_raised", 1, 2), False),
        ((1, 2), False),
        ("$gen_raised", False),
    ],
)
def test_failure_is_recognized_by_its_first_bytes(value: Any, is_failure: bool) -> None:
    assert gen_messages.is_failure(encode_term(value, GUS)) is is_failure


def test_exit_of_a_caller_names_what_happened() -> None:
    raised = Raised("KeyError", "'a'", frames=(("/srv/shop.py", 7, "take", 2),))
    place = [(Atom("file"), list(b"shop.py")), (Atom("line"), 7)]
    stack = [(Atom("shop"), Atom("take"), 2, place)]
    assert gen_messages.exit_of_caller(("$gen_raised", raised)) == (raised, stack)
    reason, _ = gen_messages.exit_of_caller(("$gen_undefined", []))
    assert reason.text == "the server has no handler for this request; it knows no request"


@pytest.mark.parametrize("value", [(1, 2), [1], (ALIASED, 1, 2)])
def test_message_that_is_not_a_reply_is_not_taken_for_one(value: Any) -> None:
    assert gen_messages.gen_reply(Ref(1), ErlangTerm(encode_term(value, GUS)), GUS) is None


def test_reply_comes_with_the_alias_or_its_reference_as_its_tag() -> None:
    for tag in (ALIASED, Ref(1)):
        reply = gen_messages.gen_reply(Ref(1), ErlangTerm(encode_term((tag, 5), GUS)), GUS)
        assert reply is not None
        assert reply.decode(GUS) == 5


def test_call_without_a_tag_is_a_plain_message() -> None:
    message = ErlangTerm(encode_term((Atom("$gen_call"), CALLER, 1), GUS))
    assert gen_messages.gen_call_of(message, GUS) is None
