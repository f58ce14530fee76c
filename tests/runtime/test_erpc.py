"""erpc.py, erlang_functions.py: Functions that Erlang nodes call; exit reasons are their answers."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction
from pyx.errors import Exit, RpcRefused
from pyx.execution import context
from pyx.runtime import erlang_functions, erpc
from pyx.signals import Payload
from pyx.terms import FunctionName, Pid, Raised, Ref
from pyx.wire.codec import decode
from tests.local_nodes import as_process, in_kernel, new_runner

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode

REF = Ref(7, "a@vm", 3)
FRM = Pid(5, 0, "a@vm", 3)


def raises_an_exit() -> None:
    raise Exit(Atom("bye"))


async def adds_one(number: int) -> int:
    await asyncio.sleep(0)
    return number + 1


def reason_of_call(node: LocalNode, module: str, function: str, args: list[Any]) -> Any:
    """The reason by which a call's process ends."""
    with pytest.raises(Exit) as ended:
        as_process(node, lambda: erpc.run("erpc", "execute_call", [REF, Atom(module), Atom(function), args]))
    return decoded(ended.value.reason)


def decoded(reason: Any) -> Any:
    """An exit reason; that of a call which has returned is a term already."""
    return decode(reason, None) if isinstance(reason, Payload) else reason


def test_value_is_the_reason(node: LocalNode) -> None:
    assert reason_of_call(node, "math", "sqrt", [16]) == (REF, "return", 4.0)


@pytest.mark.parametrize(
    ("args", "text"),
    [(["nan"], "cannot send result: nan is not a number that Erlang has"), ([b"x" * 2_000_000], "2,000,005")],
)
def test_value_that_erlang_cannot_hold_is_an_error(node: LocalNode, args: list[Any], text: str) -> None:
    node.sending.max_message_bytes = 1_000_000
    function = "float" if args == ["nan"] else "bytes"
    ref, kind, raised, stack = reason_of_call(node, "builtins", function, args)
    assert (ref, kind, raised.type, stack) == (REF, "error", "EncodeError", [])
    assert text in raised.text


def test_missing_function_is_undef(node: LocalNode) -> None:
    for module in ("nope", "math"):
        undef = reason_of_call(node, module, "nope", [1])
        assert undef == (REF, "error", "undef", [(module, "nope", [1], [])])


def test_exception_is_an_error_with_its_class(node: LocalNode) -> None:
    text = "math domain error"
    kind, what, raised, stack = reason_of_call(node, "math", "sqrt", [-1])
    assert (kind, what, stack) == (REF, "error", [])
    assert raised.type == "ValueError"
    assert raised.text.startswith(("expected a nonnegative", text))


def test_exit_is_an_exit(node: LocalNode) -> None:
    assert reason_of_call(node, __name__, "raises_an_exit", []) == (REF, "exit", "bye")
    assert reason_of_call(node, "sys", "exit", []) == (REF, "exit", "normal")


def test_coroutine_is_awaited(node: LocalNode) -> None:
    runner = new_runner(node)
    coroutine = erpc._execute_async(REF, __name__, "adds_one", [4], adds_one(4))

    def run() -> None:
        context.current.set(runner)
        asyncio.run(coroutine)

    with pytest.raises(Exit) as ended:
        contextvars.copy_context().run(run)
    assert decoded(ended.value.reason) == (REF, "return", 5)
    assert runner.process.alive


def test_spawned_function_runs_as_it_is(node: LocalNode) -> None:
    assert as_process(node, lambda: erpc.run("builtins", "sorted", [[2, 1]])) == [1, 2]
    with pytest.raises(Exit) as ended:
        as_process(node, lambda: erpc.run("nope", "f", []))
    assert ended.value.reason == ("undef", [("nope", "f", [], [])])


def test_cast_runs_a_function(node: LocalNode) -> None:
    assert as_process(node, lambda: erpc.run("erpc", "execute_cast", ["math", "sqrt", [4]])) == 2.0


def test_functions_of_elixir_are_called_by_their_name_alone(node: LocalNode) -> None:
    named = FunctionName("math", "sqrt", 1)
    assert as_process(node, lambda: erpc.run("erlang", "apply", [named, [4]])) == 2.0
    by_name = [Atom("math"), Atom("sqrt"), [4]]
    assert as_process(node, lambda: erpc.run("erlang", "apply", by_name)) == 2.0
    with pytest.raises(Exit) as ended:
        as_process(node, lambda: erpc.run("erlang", "apply", [BeamFunction(b"p"), []]))
    assert ended.value.reason[0] == "undef"


def _of_a_peer(node: LocalNode, function: Any) -> Any:
    """Runs *function* as a process that a@vm has started."""

    def run() -> Any:
        context.require("test").process.parent = FRM
        return function()

    return as_process(node, run)


def test_policy_is_asked_about_the_function_of_the_peers_choice(node: LocalNode) -> None:
    in_kernel(node, node.kernel.tables.set_policy, "exported")
    with pytest.raises(RpcRefused):
        _of_a_peer(node, lambda: erpc.run("math", "sqrt", [4]))
    with pytest.raises(Exit) as ended:
        _of_a_peer(node, lambda: erpc.run("erpc", "execute_call", [REF, "math", "sqrt", [4]]))
    assert ended.value.reason == (REF, "error", Raised("RpcRefused", "refused by --rpc exported"), [])


def test_initial_call_is_the_function_of_the_peers_choice(node: LocalNode) -> None:
    def initial_call() -> Any:
        erpc.run("math", "sqrt", [4])
        return context.require("test").process.initial_call

    assert as_process(node, initial_call) == ("math", "sqrt", 1)


def test_rex_answers_its_caller(node: LocalNode) -> None:
    def ask(request: Any) -> Any:
        from pyx import receive, self

        erpc.rex((self(), request))
        return receive(timeout=60)

    call = Atom("call"), Atom("math"), Atom("sqrt"), [16], Atom("user")
    assert as_process(node, lambda: ask(call)) == ("rex", 4.0)
    missing = Atom("call"), Atom("math"), Atom("nope"), [16], Atom("user")
    undef: Any = Atom("undef"), [(Atom("math"), Atom("nope"), [16], [])]
    assert as_process(node, lambda: ask(missing)) == ("rex", ("badrpc", ("EXIT", undef)))
    fails = Atom("call"), Atom("math"), Atom("sqrt"), [-1], Atom("user")
    assert as_process(node, lambda: ask(fails))[1][0] == "badrpc"
    features = Atom("features_request")
    assert as_process(node, lambda: ask(features))[2] == [Atom("erpc")]


def test_message_through_rex_reaches_a_name_or_says_that_there_is_none(node: LocalNode) -> None:
    def ask(kind: str, name: str) -> list[Any]:
        from pyx import Process, receive, self, send

        if Process.whereis("stock") is None:
            Process.register(self(), "stock")
        me = self()
        erpc.rex((me, (Atom(kind), Atom(name), 1)))
        send(me, "end")
        return [me, *iter(lambda: receive(timeout=60), "end")]

    here = Atom("")  # the node has no name
    none: Any = Atom("nonexisting_name"), Atom("nope")
    assert as_process(node, lambda: ask("sbcast", "stock"))[1:] == [1, ("rex", here, here)]
    assert as_process(node, lambda: ask("sbcast", "nope"))[1:] == [("rex", here, none)]
    me, sent = as_process(node, lambda: ask("send", "stock"))
    assert sent == (me, 1)
    assert as_process(node, lambda: ask("send", "nope"))[1:] == [("rex", here, none)]


def test_block_call_is_a_call_of_a_server(node: LocalNode) -> None:
    def ask() -> Any:
        from pyx import receive, self

        request = Atom("block_call"), Atom("math"), Atom("sqrt"), [16], Atom("user")
        erpc.rex((Atom("$gen_call"), (self(), REF), request))
        return receive(timeout=60)

    assert as_process(node, ask) == (REF, 4.0)


def test_functions_of_the_module_erlang(node: LocalNode) -> None:
    def asked() -> list[Any]:
        from pyx import Process, self

        Process.register(self(), "stock")
        me = self()
        return [
            erlang_functions.node(),
            erlang_functions.nodes(),
            erlang_functions.self() == me,
            erlang_functions.whereis("stock") == me,
            erlang_functions.whereis("nope"),
            erlang_functions.registered(),
            me in erlang_functions.processes(),
            erlang_functions.is_process_alive(me),
            erlang_functions.is_process_alive(Pid(99)),
            erlang_functions.process_info(me, Atom("trap_exit")),
            erlang_functions.process_info(Pid(99), Atom("trap_exit")),
            dict(erlang_functions.process_info(me))["registered_name"],
            erlang_functions.system_info("otp_release"),
        ]

    assert as_process(node, asked) == [
        "nonode@nohost", [], True, True, "undefined", ["stock"], True, True, False, ("trap_exit", False),
        "undefined", "stock", list(b"pyx"),
    ]  # fmt: skip


def test_exit_and_unknown_facts_of_the_module_erlang(node: LocalNode) -> None:
    with pytest.raises(Exit):
        erlang_functions.exit(Atom("bye"))
    with pytest.raises(Exit):
        as_process(node, lambda: erlang_functions.system_info("schedulers"))


def test_input_of_rpc_eval_is_evaluated(node: LocalNode) -> None:
    assert as_process(node, lambda: erlang_functions.rpc_eval("1 + 1")) == "ok"
    kind, raised, stack = as_process(node, lambda: erlang_functions.rpc_eval("1/0"))
    assert (kind, stack) == ("error", [])
    assert "ZeroDivisionError" in raised.text
