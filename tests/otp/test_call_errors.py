"""call_errors.py: The drawn branch of exceptions, their sentences, hints and attributes."""

from __future__ import annotations

import copy
import inspect
import re
from typing import Any

import pytest

from pyx.errors import PyxError
from pyx.otp import call_errors
from pyx.otp.call_errors import (
    CallError,
    CallExited,
    CallingSelf,
    CallNoConnection,
    CallNoProcess,
    CallRefused,
    CallTimeout,
    CallUndefined,
)
from pyx.terms import Pid, Raised

BUCKET = ("bucket", "b@vm")

SENTENCES: list[tuple[CallError, Any, str]] = [
    (CallNoProcess(Pid(7), "get"), "noproc", "#PID<0.7.0> is dead"),
    (CallNoProcess("bucket", "get"), "noproc", "no process is registered as 'bucket' on this node"),
    (CallNoProcess(BUCKET, "get"), "noproc", "no process is registered as 'bucket' on b@vm"),
    (
        CallNoConnection(BUCKET, "get", "b@vm", "it hung up"),
        "noconnection",
        "no connection to b@vm, where ('bucket', 'b@vm') is: it hung up",
    ),
    (
        CallTimeout(BUCKET, ("slow", 0.3), 0.05),
        "timeout",
        "no answer from ('bucket', 'b@vm') within 0.05 s to ('slow', 0.3)",
    ),
    (
        CallTimeout("bucket", ("terminate", "normal"), 0.05, is_stop=True),
        "timeout",
        "'bucket' has not ended within 0.05 s",
    ),
    (
        CallExited("bucket", ("terminate", "normal"), Raised("KeyError", "1"), is_stop=True),
        Raised("KeyError", "1"),
        "'bucket' ended as it was stopped, by KeyError: 1",
    ),
    (
        CallExited("bucket", "get", "killed"),
        "killed",
        "'bucket' ended before it answered 'get', with the reason 'killed'",
    ),
    (
        CallExited("bucket", "get", Raised("ValueError", "boom\n!")),
        Raised("ValueError", "boom\n!"),
        "'bucket' ended before it answered 'get', by ValueError: boom\\n!",
    ),
    (
        CallExited("bucket", "get", Raised("KeyboardInterrupt", "")),
        Raised("KeyboardInterrupt", ""),
        "'bucket' ended before it answered 'get', by KeyboardInterrupt",
    ),
    (
        CallUndefined("bucket", "what", ["put", "take"]),
        "undef",
        "'bucket' has no handler for 'what': it has put, take",
    ),
    (CallUndefined("bucket", "what", []), "undef", "'bucket' has no handler for 'what': it has none"),
    (
        CallRefused("bucket", ("run", 1), "b@vm runs with --rpc off"),
        "refused",
        "'bucket' refuses ('run', 1): b@vm runs with --rpc off",
    ),
    (
        CallingSelf("bucket", "get"),
        "calling_self",
        "'bucket' cannot call itself: it would wait for its own answer",
    ),
]


@pytest.mark.parametrize(("error", "reason", "sentence"), SENTENCES, ids=lambda value: type(value).__name__)
def test_error_has_its_reason_and_sentence(error: CallError, reason: Any, sentence: str) -> None:
    assert error.reason == reason
    assert str(error) == sentence


@pytest.mark.parametrize(("error", "_reason", "_sentence"), SENTENCES, ids=lambda value: type(value).__name__)
def test_copy_of_an_error_equals_it(error: CallError, _reason: Any, _sentence: str) -> None:
    other = copy.copy(error)
    assert (type(other), str(other), other.__dict__) == (type(error), str(error), error.__dict__)


def test_drawing_holds_every_class_below_its_base() -> None:
    classes = {
        name: one
        for name, one in vars(call_errors).items()
        if inspect.isclass(one) and one.__module__ == call_errors.__name__
    }
    drawn = re.findall(r"[├└]── (\w+)(?: \((\w+)\))? ", call_errors.__doc__ or "")
    assert sorted(name for name, _ in drawn) == sorted(classes)
    assert CallError.__bases__ == (PyxError,)
    for name, builtin in drawn[1:]:
        assert [base.__name__ for base in classes[name].__bases__] == [
            "CallError",
            *[builtin] * bool(builtin),
        ]


def test_errors_have_their_facts_as_attributes() -> None:
    undefined = CallUndefined(BUCKET, "what", ["put"])
    assert (undefined.server, undefined.request, undefined.handlers) == (BUCKET, "what", ["put"])
    lost = CallNoConnection(BUCKET, "get", "b@vm", "it hung up")
    assert (lost.node, lost.why) == ("b@vm", "it hung up")
    assert CallRefused("bucket", "get", "no").why == "no"


def test_errors_have_the_builtin_base_that_python_users_expect() -> None:
    assert issubclass(CallTimeout, TimeoutError)
    assert issubclass(CallNoConnection, ConnectionError)
    assert issubclass(CallNoProcess, LookupError)


def test_repr_of_a_server_that_raises_is_replaced_by_its_class() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError

    assert str(CallNoProcess(Rude(), "get")) == "there is no process <Rude object>"
