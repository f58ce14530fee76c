"""protocol.py: The messages of calls, casts and replies are those of OTP's `gen` and `sys`."""

from __future__ import annotations

from pyx.otp import protocol
from pyx.terms import Pid, Raised, Ref

FRM = Pid(7), Ref(9)


def test_messages_have_the_shapes_of_otp() -> None:
    assert protocol.CALL == "$gen_call"
    assert protocol.cast_message("clear") == ("$gen_cast", "clear")
    terminate = protocol.terminate_request("shutdown")
    assert protocol.system_message(FRM, terminate) == ("system", FRM, ("terminate", "shutdown"))


def test_failures_are_values_with_a_tag_of_their_own() -> None:
    raised = Raised("KeyError", "'eggs'")
    assert protocol.raised_value(raised) == ("$gen_raised", raised)
    assert protocol.undefined_value(["put", "take"]) == ("$gen_undefined", ["put", "take"])
    assert protocol.refused_value("no") == ("$gen_refused", "no")
