"""Output between nodes: the requests of Erlang's io protocol, which group leaders answer."""

from __future__ import annotations

from typing import Any, Final

from pyx.atoms import Atom
from pyx.terms import Pid
from pyx.wire.beam.erlang_syntax import written
from pyx.wire.beam.io_format import characters, formatted

_OK: Final = Atom("ok")
_ERROR: Final = Atom("error")


def put_chars(text: str) -> tuple[Any, ...]:
    """The request that shows *text* at a group leader; it answers to the session, not to a process."""
    return Atom("io_request"), Pid(0), Atom("ok"), (Atom("put_chars"), Atom("unicode"), _encodable(text))


def crash_report(pid: Pid, text: str, here: str) -> tuple[Any, ...]:
    """The request that shows a crash at a group leader: it prints the pid as its own node does."""
    form = "~n[error] Process #PID~p on node ~ts raised an exception~n~ts"
    request = (
        Atom("put_chars"), Atom("unicode"), Atom("io_lib"), Atom("format"),
        [form.encode(), [pid, here, _encodable(text)]],
    )  # fmt: skip
    return Atom("io_request"), Pid(0), Atom("ok"), request


def _encodable(text: str) -> str:
    """The text, with its lone surrogates escaped: Erlang has no such characters."""
    return text.encode("utf-8", "backslashreplace").decode()


def io_request(message: Any) -> tuple[Pid, Any, Any] | None:
    """(asking process, tag of its answer, request); None for any other message."""
    match message:
        case (Atom("io_request"), Pid() as frm, tag, request):
            return frm, tag, request
    return None


def io_answer(request: Any) -> tuple[str, Any]:
    """What a group leader here shows for a request, and what it answers.

    A text that cannot be made is an error that names the function, as in OTP: the caller raises `badarg`.
    """
    match request:
        case (Atom("put_chars"), _, data) | (Atom("put_chars"), data):
            return _shown("put_chars", data)
        case (Atom("put_chars"), _, Atom(), Atom() as function, list() as args):
            return _shown(function, *args)
        case (Atom("requests"), list() as several):
            texts = []
            answer: Any = _OK
            for each in several:
                text, answer = io_answer(each)
                texts.append(text)
                if type(answer) is tuple:  # an error ends the list
                    break
            return "".join(texts), answer
        case (Atom("get_line"), *_) | (Atom("get_chars"), *_) | (Atom("get_until"), *_):
            return "", Atom("eof")
        case Atom("getopts"):
            return "", [(Atom("encoding"), Atom("unicode")), (Atom("binary"), True)]
        case (Atom("setopts"), _):
            return "", _OK
    return "", (_ERROR, Atom("enotsup"))


def _shown(function: str, *args: Any) -> tuple[str, Any]:
    """The text of a request by the function of `io_lib` that makes it, and the answer."""
    try:
        match function, *args:
            case ("put_chars", data):
                return characters(data), _OK
            case ("format" | "fwrite", form, arguments):
                return formatted(form, arguments), _OK
            case ("write", value):
                return written(value), _OK
    except ValueError:
        pass
    return "", (_ERROR, Atom(function))
