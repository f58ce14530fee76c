"""io_requests.py: What group leaders are asked and answer, as values."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import ImproperList
from pyx.wire.beam import io_requests

OK, PUT, UNICODE, IO_LIB = map(Atom, ("ok", "put_chars", "unicode", "io_lib"))
FORMAT, WRITE, ERROR, REQUESTS = map(Atom, ("format", "write", "error", "requests"))


@pytest.mark.parametrize(
    ("request_", "shown", "answer"),
    [
        ((PUT, UNICODE, "hi\n"), "hi\n", OK),
        ((PUT, UNICODE, ["a", [98, b"\xc3\xbc"], [], "c"]), "abüc", OK),
        ((PUT, UNICODE, ImproperList(["a"], "b")), "ab", OK),
        ((PUT, "hi"), "hi", OK),
        ((PUT, UNICODE, [0xD800, 2**30]), "\ufffd\ufffd", OK),
        ((PUT, UNICODE, IO_LIB, FORMAT, [list(b"~p~n"), [{"a": 1}]]), '#{<<"a">> => 1}\n', OK),
        ((PUT, UNICODE, IO_LIB, WRITE, [(OK, "a")]), "{ok,<<97>>}", OK),
        ((REQUESTS, [(PUT, UNICODE, "a"), (PUT, UNICODE, "b")]), "ab", OK),
        ((REQUESTS, []), "", OK),
        ((Atom("get_geometry"), Atom("columns")), "", (ERROR, Atom("enotsup"))),
        ((Atom("get_line"), UNICODE, "> "), "", Atom("eof")),
        ((Atom("setopts"), []), "", OK),
        ("nonsense", "", (ERROR, Atom("enotsup"))),
        # The caller of these raises `badarg`, as at a leader of OTP; nothing is shown.
        ((PUT, UNICODE, OK), "", (ERROR, PUT)),
        ((PUT, UNICODE, IO_LIB, FORMAT, ["~p", []]), "", (ERROR, FORMAT)),
        ((PUT, UNICODE, IO_LIB, FORMAT, ["~p"]), "", (ERROR, FORMAT)),
        ((PUT, UNICODE, Atom("lists"), Atom("reverse"), ["ab"]), "", (ERROR, Atom("reverse"))),
        ((REQUESTS, [(PUT, UNICODE, "a"), (PUT, UNICODE, OK), (PUT, UNICODE, "c")]), "a", (ERROR, PUT)),
    ],
)
def test_group_leader_shows_and_answers(request_: Any, shown: str, answer: Any) -> None:
    assert io_requests.io_answer(request_) == (shown, answer)


def test_request_that_is_malformed_is_none_of_ours() -> None:
    assert io_requests.io_request((Atom("io_request"), 1, 2, 3)) is None
