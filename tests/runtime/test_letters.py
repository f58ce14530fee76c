"""Values that leave a process, sealed."""

from __future__ import annotations

import pytest

from pyx.errors import EncodeError
from pyx.runtime import letters
from pyx.runtime.letters import sealed, sealed_call, sealed_reason
from pyx.signals import Letter
from pyx.terms import Raised
from pyx.wire.codec import open_letter


def test_a_value_comes_out_as_it_went_in() -> None:
    assert open_letter(sealed({"name": "nike", "sizes": [41, 42]}), None) == {
        "name": "nike",
        "sizes": [41, 42],
    }


def test_what_is_no_data_is_refused_with_its_place() -> None:
    with pytest.raises(EncodeError, match=r"cannot send result\[1\]: <object object"):
        sealed([1, object()], what="result")


def test_what_could_not_travel_is_refused_before_it_costs_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "MAX_LETTER_BYTES", 1000)
    with pytest.raises(EncodeError, match=r"cannot send message: <class 'bytes'> is too long: 1,003 bytes"):
        sealed(b"x" * 1000)
    assert sealed(b"x" * 997)


def test_a_call_names_the_argument_that_is_no_data() -> None:
    assert open_letter(sealed_call("os", "getpid", ()), None) == ("os", "getpid", [])
    with pytest.raises(EncodeError, match=r"cannot send args\[0\]\['conn'\]"):
        sealed_call("os", "getpid", [{"conn": object()}])


def test_a_call_whose_names_are_at_fault_says_so_too() -> None:
    with pytest.raises(EncodeError, match=r"cannot send message\[0\]"):
        sealed_call(object(), "getpid", [])  # type: ignore[arg-type]


def test_a_reason_that_is_a_word_stays_itself_and_others_are_sealed() -> None:
    assert sealed_reason("shutdown") == "shutdown"
    reason = sealed_reason(("shutdown", 3))
    assert isinstance(reason, Letter)
    assert open_letter(reason, None) == ("shutdown", 3)


def test_a_reason_that_is_no_data_does_not_keep_a_process_from_ending() -> None:
    reason = sealed_reason(object())
    assert isinstance(reason, Letter)
    raised = open_letter(reason, None)
    assert isinstance(raised, Raised)
    assert raised.type == "EncodeError"
    assert raised.text.startswith("cannot send reason: <object object")
