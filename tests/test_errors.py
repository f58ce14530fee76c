"""errors.py: The drawn tree of exceptions, their sentences, hints and attributes."""

from __future__ import annotations

import copy
import inspect
import re
import traceback
from typing import Any

import pytest

from pyx import errors
from pyx.errors import (
    AlreadyReceiving,
    AlreadyStarted,
    CookieUnsafe,
    DecodeError,
    EncodeError,
    Exit,
    FrameTooBig,
    HandshakeFailed,
    NameTaken,
    NoConnection,
    NodeNameInvalid,
    NodeNotAlive,
    NoProcess,
    NotAProcess,
    ProcessKilled,
    PyxError,
    ReceiveTimeout,
    Reentered,
    RemoteError,
    RpcError,
    RpcNoConnection,
    RpcRefused,
    RpcTimeout,
    RpcUndefined,
    RuntimeDirectoryUnsafe,
    TranscriptError,
    UndefinedFunction,
    WouldBlock,
)


def all_classes() -> dict[str, type[BaseException]]:
    return {
        name: one
        for name, one in vars(errors).items()
        if inspect.isclass(one) and issubclass(one, BaseException) and one.__module__ == errors.__name__
    }


class TestTheTree:
    def test_drawing_holds_every_class_below_its_base(self) -> None:
        """Every class stands in the drawing at its depth, with Python's own base beside it."""
        drawn: list[tuple[int, str, str]] = []
        for line in (errors.__doc__ or "").splitlines():
            found = re.match(r"^    ([│ ]*)(?:[├└]── )?(\w+)(?: \((\w+)\))?", line)
            if found and found[2] in all_classes():
                depth = len(found[1]) // 4 + (1 if "──" in line else 0)
                drawn.append((depth, found[2], found[3] or ""))
        assert sorted(name for _, name, _ in drawn) == sorted(all_classes())
        path: list[str] = []
        for depth, name, builtin in drawn:
            path[depth:] = [name]
            own, *others = [base.__name__ for base in all_classes()[name].__bases__]
            if depth:
                assert own == path[depth - 1], f"{name} stands below {path[depth - 1]}"
                assert others == ([builtin] if builtin else []), name
            else:
                assert builtin in {"", own}, name

    def test_pyx_error_is_the_base_of_all_but_exit_and_process_killed(self) -> None:
        outside = {name for name, one in all_classes().items() if not issubclass(one, PyxError)}
        assert outside == {"Exit", "ProcessKilled"}

    def test_process_killed_is_not_an_exception(self) -> None:
        assert not issubclass(ProcessKilled, Exception)


SENTENCES: list[tuple[BaseException, str, str | None]] = [
    (EncodeError("message[1]", [1]), "cannot send message[1]: [1] is not data", None),
    (EncodeError("args", int, "is too long"), "cannot send args: <class 'int'> is too long", None),
    (FrameTooBig(10, 5), "a frame of 10 bytes is over the limit of 5", None),
    (HandshakeFailed("cookie differs", hint="ask"), "cookie differs", "ask"),
    (NodeNameInvalid("a b", "no space"), "'a b' is not a node name: no space", None),
    (NameTaken("a@vm", 4242), "the name a@vm is in use by another node (pid 4242)", None),
    (NameTaken("a@vm", None), "the name a@vm is in use by another node", None),
    (
        NodeNotAlive("set a cookie"),
        "cannot set a cookie: this Python is not a node",
        "start it with `pyx --sname NAME`, or call Node.start(NAME)",
    ),
    (AlreadyStarted("a@vm"), "this process is already the node a@vm", "Node.stop() first"),
    (RuntimeDirectoryUnsafe("/x", "is a link", hint="rm /x"), "/x is a link", "rm /x"),
    (CookieUnsafe("/x", "is open to others", hint="chmod"), "the cookie file /x is open to others", "chmod"),
    (NoConnection("b@vm", "it hung up"), "no connection to b@vm: it hung up", None),
    (
        NotAProcess("self()"),
        "self() needs a process, and this thread is not one",
        "run the code with spawn(function), or the whole file by `pyx FILE`",
    ),
    (NoProcess("stock"), "no process is registered as 'stock' on this node", None),
    (UndefinedFunction("m", None), "there is no module m", None),
    (UndefinedFunction("m", "f"), "there is no function f in module m", None),
    (WouldBlock("f()", "aio.f()"), "f() would block the running event loop", "use `await aio.f()`"),
    (
        Reentered(),
        "pyx was called from a finalizer or signal handler that interrupted pyx itself",
        "code that runs there can send messages, but not wait for answers",
    ),
    (TranscriptError("a.pyxt", 3, 7, "no such word"), "a.pyxt:3:7: no such word", None),
    (TranscriptError("a.pyxt", 0, 0, "nothing in it"), "a.pyxt: nothing in it", None),
    (ReceiveTimeout(1.5), "no matching message within 1.5 s", None),
    (RpcNoConnection("b@vm", "it hung up"), "no connection to b@vm: it hung up", None),
    (RpcTimeout("b@vm", 5.0), "no answer from b@vm within 5 s (the call may still run there)", None),
    (RpcUndefined("b@vm", "m"), "b@vm has no module m", None),
    (RpcUndefined("b@vm", "m", "f"), "b@vm has no function f in module m", None),
    (RemoteError("b@vm", "ValueError", "no stock"), "ValueError: no stock", None),
    (RemoteError("b@vm", "ValueError", ""), "ValueError", None),
    (PyxError("plain"), "plain", None),
    (PyxError("plain", hint="do this"), "plain", "do this"),
    (DecodeError("malformed payload"), "malformed payload", None),
]


@pytest.mark.parametrize(("error", "sentence", "hint"), SENTENCES, ids=lambda value: type(value).__name__)
def test_error_has_its_sentence_and_hint(error: Any, sentence: str, hint: str | None) -> None:
    assert str(error) == sentence
    assert error.hint == hint


@pytest.mark.parametrize(("error", "_sentence", "hint"), SENTENCES, ids=lambda value: type(value).__name__)
def test_hint_stands_in_a_traceback_once(error: BaseException, _sentence: str, hint: str | None) -> None:
    last_lines = "".join(traceback.format_exception_only(error)).splitlines()
    assert [line for line in last_lines if line.startswith("hint: ")] == ([f"hint: {hint}"] if hint else [])


@pytest.mark.parametrize(("error", "sentence", "hint"), SENTENCES, ids=lambda value: type(value).__name__)
def test_copy_of_an_error_equals_it(error: Any, sentence: str, hint: str | None) -> None:
    other = copy.copy(error)
    assert (type(other), str(other), other.hint) == (type(error), sentence, hint)
    assert other.__dict__ == error.__dict__
    assert traceback.format_exception_only(other) == traceback.format_exception_only(error)


def test_errors_have_their_facts_as_attributes() -> None:
    frame = FrameTooBig(10, 5)
    assert (frame.size, frame.limit) == (10, 5)
    undefined = RpcUndefined("b@vm", "m", "f")
    assert (undefined.node, undefined.module, undefined.function) == ("b@vm", "m", "f")
    remote = RemoteError("b@vm", "ValueError", "no stock", "Traceback ...")
    assert (remote.type, remote.text, remote.traceback) == ("ValueError", "no stock", "Traceback ...")
    assert remote.__notes__ == ["on b@vm:\n  Traceback ..."]
    transcript = TranscriptError("a.pyxt", 3, 7, "no such word", hint="kill")
    assert (transcript.path, transcript.line, transcript.column) == ("a.pyxt", 3, 7)
    assert NameTaken("a@vm", 42).os_pid == 42
    assert EncodeError("message", [1]).value == [1]


@pytest.mark.parametrize("frames", ["", "KeyError: 1\n"])
def test_remote_error_without_frames_names_its_node(frames: str) -> None:
    assert RemoteError("b@vm", "KeyError", "1", frames).__notes__ == ["on b@vm"]


def test_rpc_refused_names_the_policy() -> None:
    refused = RpcRefused("b@vm", "off")
    assert str(refused).startswith("b@vm refuses calls (it runs with --rpc off)")
    assert refused.policy == "off"


def test_already_receiving_names_both_causes() -> None:
    assert "already receiving, in another of its tasks or around this predicate" in str(AlreadyReceiving())


class TestValueInASentence:
    def test_long_repr_is_cut(self) -> None:
        text = str(EncodeError("message", "x" * 1000))
        assert len(text) < 130
        assert "..." in text

    def test_repr_that_raises_is_replaced_by_the_class(self) -> None:
        class Rude:
            def __repr__(self) -> str:
                raise RuntimeError

        assert str(EncodeError("message", Rude())) == "cannot send message: <Rude object> is not data"


class TestExit:
    def test_exit_has_a_reason(self) -> None:
        assert Exit().reason == "normal"
        assert Exit(("shutdown", 1)).reason == ("shutdown", 1)


def test_errors_have_the_builtin_base_that_python_users_expect() -> None:
    for one, builtin in (
        (RpcTimeout("b", 1), TimeoutError),
        (ReceiveTimeout(1), TimeoutError),
        (RpcNoConnection("b", "x"), ConnectionError),
        (NoConnection("b", "x"), ConnectionError),
        (NoProcess("x"), LookupError),
        (EncodeError("m", 1), TypeError),
        (NodeNameInvalid("", ""), ValueError),
    ):
        assert isinstance(one, builtin)
    assert isinstance(RpcTimeout("b", 1), RpcError)
