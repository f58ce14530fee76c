"""encoding.py: Values that leave a process are encoded; payloads are decoded by their receiver."""

from __future__ import annotations

import functools
import os

import pytest

from pyx.core.kernel import Kernel
from pyx.errors import EncodeError
from pyx.runtime.encoding import decoded, encoded, encoded_call, encoded_reason
from pyx.runtime.rpc_functions import mark
from pyx.signals import Payload
from pyx.terms import LONGEST_WORD, FunctionName, Incarnation, Raised
from pyx.wire.codec import decode


def test_value_survives_encoding_and_decoding() -> None:
    assert decode(encoded({"name": "nike", "sizes": [41, 42]}, 1000), None) == {
        "name": "nike",
        "sizes": [41, 42],
    }


def test_value_that_is_not_data_is_refused_with_its_path() -> None:
    with pytest.raises(EncodeError, match=r"cannot send result\[1\]: <object object"):
        encoded([1, object()], 1000, what="result")


def test_too_long_value_is_refused_and_the_option_named() -> None:
    assert encoded(b"x" * 996, 1000)
    words = r"is too long: at least 1,00\d bytes, at most 1,000 are allowed \(--max-message\)"
    with pytest.raises(EncodeError, match=f"cannot send message: <class 'bytes'> {words}"):
        encoded(b"x" * 1000, 1000)


def test_too_long_reason_is_replaced_by_an_error() -> None:
    reason = encoded_reason(b"x" * 1000, 1000)
    assert isinstance(reason, Payload)
    assert "reason: <class 'bytes'> is too long: at least 1,00" in decode(reason, None).text


def test_reason_is_sent_as_a_word_up_to_the_length_of_an_atom() -> None:
    """Beyond that it is encoded, and so kept out of the heads of frames."""
    assert encoded_reason("x" * LONGEST_WORD, 1000) == "x" * LONGEST_WORD
    reason = encoded_reason("x" * (LONGEST_WORD + 1), 1000)
    assert isinstance(reason, Payload)
    assert decode(reason, None) == "x" * (LONGEST_WORD + 1)


def test_call_names_the_argument_that_is_not_data() -> None:
    assert decode(encoded_call("os", "getpid", (), 1000), None) == ("os", "getpid", [])
    with pytest.raises(EncodeError, match=r"cannot send args\[0\]\['conn'\]"):
        encoded_call("os", "getpid", [{"conn": object()}], 1000)


def test_call_with_a_name_that_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(EncodeError, match=r"cannot send message\[0\]"):
        encoded_call(object(), "getpid", [], 1000)  # type: ignore[arg-type]


def test_reason_that_is_a_word_stays_itself_and_others_are_encoded() -> None:
    assert encoded_reason("shutdown", 1000) == "shutdown"
    reason = encoded_reason(("shutdown", 3), 1000)
    assert isinstance(reason, Payload)
    assert decode(reason, None) == ("shutdown", 3)


def test_reason_that_is_not_data_is_replaced_by_an_error() -> None:
    reason = encoded_reason(object(), 1000)
    assert isinstance(reason, Payload)
    raised = decode(reason, None)
    assert isinstance(raised, Raised)
    assert raised.type == "EncodeError"
    assert raised.text.startswith("cannot send reason: <object object")


def marked() -> None:
    """May be called by peers."""


def wrapped() -> None:
    """May not."""


def test_function_of_a_peer_is_a_name_unless_the_policy_is_open() -> None:
    mark(marked)
    functools.update_wrapper(wrapped, marked, assigned=())  # which copies what is in its dict
    value = [os.system, marked, wrapped, int, {"key": len}]
    name, here = FunctionName, Incarnation("here@vm", 1)
    names = [
        name(os.system.__module__, "system"), marked, name(__name__, "wrapped"), name("builtins", "int"),
        {"key": name("builtins", "len")},
    ]  # fmt: skip
    payload = encoded(value, 1000)
    for policy, expected in (("open", value), ("exported", names), ("off", names)):
        kernel = Kernel(policy=policy)
        assert decoded(payload._replace(origin=Incarnation("peer@vm", 2)), kernel) == expected
        assert decoded(payload._replace(origin=here), kernel) == expected  # it came back from a peer
        assert decoded(payload, kernel) == value
