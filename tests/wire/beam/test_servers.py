"""servers.py, modules.py: What OTP's servers are asked and answer, as values."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.terms import Pid, Raised, Ref
from pyx.wire.beam import servers
from pyx.wire.beam.modules import ERPC, inward_module, outward_module
from pyx.wire.beam.term import ErlangCall, ErlangTerm
from pyx.wire.codec import encode
from tests.wire.beam.recorded import CALLER, GUS

OK = Atom("ok")


def atoms(*words: str) -> tuple[Atom, ...]:
    return tuple(map(Atom, words))


def test_error_of_erlang_has_its_class_its_text_and_its_stack() -> None:
    stack = [
        (Atom("erlang"), Atom("binary_to_integer"), ["x"], [(Atom("error_info"), {})]),
        (
            Atom("Elixir.String"),
            Atom("to_integer"),
            1,
            [(Atom("file"), list(b"lib/string.ex")), (Atom("line"), 7)],
        ),
        "odd",
    ]
    assert servers.raised(Atom("badarg"), stack) == Raised(
        "ErlangError",
        ":badarg",
        "  :erlang.binary_to_integer/1\n  lib/string.ex:7: String.to_integer/1\n  'odd'\n",
    )
    assert servers.raised(Raised("KeyError", "no"), []) == Raised("KeyError", "no", "")
    assert servers.raised(1, "no stack") == Raised("ErlangError", "1", "")


def test_call_from_here_names_the_function_as_erlang_does() -> None:
    called, args = servers.function_called(Payload(encode(("Enum", "sum", [[1]]))), GUS)
    assert called == ("Elixir.Enum", "sum", 1)
    assert ErlangTerm(args).decode(GUS) == [[1]]
    call = ErlangCall("lists", "sum", 1, args)
    assert servers.function_called(Payload(call), GUS) == (("lists", "sum", 1), args)


@pytest.mark.parametrize("more", [({"a": 1},), ({}, ("source",))])
def test_call_that_erlang_cannot_make_is_refused(more: tuple[Any, ...]) -> None:
    with pytest.raises(EncodeError, match="not what an Erlang node can run"):
        servers.function_called(Payload(encode(("Enum", "sum", [], *more))), GUS)


def test_leader_of_a_request_for_rex() -> None:
    call = (*atoms("call", "math", "sqrt"), [16])
    assert servers.leader_of((CALLER, (*call, Pid(3)))) == Pid(3)
    assert servers.leader_of((Atom("$gen_call"), (CALLER, Ref(1)), (*call, Pid(3)))) == Pid(3)
    assert servers.leader_of((CALLER, (*call, Atom("user")))) is None


def test_modules_of_elixir_begin_with_a_capital_letter() -> None:
    assert outward_module("Enum") == "Elixir.Enum"
    assert outward_module("Elixir.Enum") == "Elixir.Enum"
    assert outward_module("lists") == "lists"
    assert outward_module("") == ""


def test_modules_that_every_node_has_are_found_here() -> None:
    assert inward_module("Elixir.Node") == "Node"
    assert inward_module("erlang") == "pyx.runtime.erlang_functions"
    assert inward_module("math") == "math"
    assert ERPC == "pyx.runtime.erpc"


def test_payload_of_a_peers_call_holds_its_arguments_as_they_came() -> None:
    args = ErlangTerm(b"l\0\0\0\1R\0j", [Atom("x")])
    payload = servers.peers_call("shop", "run", args)
    assert payload.decode(GUS) == (ERPC, "run", ["shop", "run", [Atom("x")]])


def test_request_that_is_malformed_is_none_of_ours() -> None:
    assert servers.gen_call(("$gen_call", CALLER, 1)) is None
