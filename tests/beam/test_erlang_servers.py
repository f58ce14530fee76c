"""gen_messages.py: Servers of Python and of Elixir, each called, watched and stopped from the other side."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Agent, GenServer, Node, Process, Supervisor, Sys, Task, handle, receive, rpc, self
from pyx.atoms import Atom
from pyx.errors import EncodeError
from pyx.otp.call_errors import CallNoProcess, CallTimeout
from pyx.terms import Pid
from tests.beam.real_nodes import disconnect
from tests.local_nodes import HANG, as_process

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import IexNode


class Shelf(GenServer):
    """A server of Python."""

    def init(self) -> None:
        self.items: dict[str, int] = {"nike": 3}

    @handle.call(raises=(KeyError,))
    def take(self, name: str) -> int:
        return self.items.pop(name)


def flat(text: str) -> str:
    """What iex printed, in one line."""
    return re.sub(r"\s+", " ", text)


def shelf(gus: LocalNode) -> None:
    as_process(gus, lambda: Shelf.start(name="shelf"))


def server_of_elixir(a: IexNode, name: str) -> tuple[str, str]:
    """Starts a server under that name, which counts."""
    a.ask(
        "defmodule Count do use GenServer; def init(n), do: {:ok, n}; "
        "def handle_call({:add, k}, _, n), do: {:reply, n + k, n + k} end"
    )
    assert a.ask(f"{{:ok, _}} = GenServer.start(Count, 5, name: :{name}); :ok") == ":ok"
    return name, a.name


# ---------------------------------------------------------------- of Python, from iex


def test_state_of_a_server_of_python_is_shown(gus: LocalNode, a: IexNode) -> None:
    shelf(gus)
    assert a.ask(":sys.get_state({:shelf, gus})") == '%{"items" => %{"nike" => 3}}'
    status = flat(a.ask(":sys.get_status({:shelf, gus})"))
    assert status.startswith("{:status, #PID<")
    assert '{:module, :"tests.beam.test_erlang_servers.Shelf"}' in status
    assert ":running" in status


def emptied(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "items": {}}


def test_state_of_a_server_of_python_is_replaced_by_a_function_of_python(gus: LocalNode, a: IexNode) -> None:
    shelf(gus)
    replace = ":sys.replace_state({:shelf, gus}, "
    said = flat(a.ask(f"{replace}fn s -> s end)"))
    assert (
        "CallRefused: a function made in Elixir or Erlang cannot run here: a server of Python runs " in said
    )
    assert "as &:shop.emptied/1 (Sys.replace_state on a node of pyx takes any other)" in said
    assert "CallRefused: &Map.put/3 cannot run here" in flat(a.ask(f"{replace}&Map.put/3)"))
    assert 'items" => %{"nike" => 3}' in a.ask(":sys.get_state({:shelf, gus})")
    assert a.ask(f'{replace}&:"{__name__}".emptied/1)') == '%{"items" => %{}}'
    assert a.ask(":sys.get_state({:shelf, gus})") == '%{"items" => %{}}'
    with gus.kernel_call as kernel:
        kernel.tables.set_policy("exported")
    assert "needs --rpc open" in flat(a.ask(f'{replace}&:"{__name__}".emptied/1)'))


def test_suspended_server_of_python_lets_its_callers_wait(gus: LocalNode, a: IexNode) -> None:
    shelf(gus)
    change = ":sys.change_code({:shelf, gus}, :shop, :v1, [])"
    assert flat(a.ask(change)) == "{:error, {:unknown_system_msg, {:change_code, :shop, :v1, []}}}"
    assert a.ask(":sys.suspend({:shelf, gus})") == ":ok"
    assert a.ask(change) == ":ok"
    assert "time out" in a.ask('GenServer.call({:shelf, gus}, {:take, "nike"}, 50)')
    assert a.ask(":sys.resume({:shelf, gus})") == ":ok"
    assert a.ask(":sys.get_state({:shelf, gus})") == '%{"items" => %{}}'


@pytest.mark.parametrize("reason", [":normal", "{:shutdown, 1}", ":bad"])
def test_server_of_python_is_stopped_by_elixir(gus: LocalNode, a: IexNode, reason: str) -> None:
    shelf(gus)
    a.ask("ref = Process.monitor({:shelf, gus})")
    assert a.ask(f"GenServer.stop({{:shelf, gus}}, {reason})") == ":ok"
    assert a.ask("receive do {:DOWN, ^ref, _, _, r} -> r after 30_000 -> :none end") == reason
    assert a.ask("flush()") == ":ok"


def test_declared_exception_ends_its_elixir_caller_and_not_the_server(gus: LocalNode, a: IexNode) -> None:
    shelf(gus)
    said = flat(a.ask('GenServer.call({:shelf, gus}, {:take, "puma"})'))
    assert said.startswith("** (exit) exited in: GenServer.call(")
    assert "%RuntimeError{message: \"KeyError: 'puma'\"}" in said or "(RuntimeError) KeyError: 'puma'" in said
    assert a.ask('GenServer.call({:shelf, gus}, {:take, "nike"})') == "3"
    assert a.ask("flush()") == ":ok"


def test_unknown_request_ends_its_elixir_caller_and_names_the_known_ones(gus: LocalNode, a: IexNode) -> None:
    shelf(gus)
    said = flat(a.ask("GenServer.call({:shelf, gus}, :nope)"))
    assert "CallUndefined: the server has no handler for this request; it knows take" in said
    said = flat(a.ask("GenServer.multi_call([gus], :shelf, :nope)"))
    assert ': {:error, {%RuntimeError{ message: "CallUndefined: ' in said
    with gus.kernel_call as kernel:
        kernel.tables.set_policy("off")
    said = flat(a.ask(":sys.get_state({:shelf, gus})"))
    assert "CallRefused: " in said
    assert "needs --rpc open" in said


# ---------------------------------------------------------------- of Elixir, from Python


def test_state_of_a_server_of_elixir_is_shown(gus: LocalNode, a: IexNode) -> None:
    server = server_of_elixir(a, "shown")
    assert as_process(gus, lambda: Sys.get_state(server)) == 5
    status = as_process(gus, lambda: Sys.get_status(server))
    assert (status[0], status[2]) == ("status", ("module", "gen_server"))


def test_suspended_server_of_elixir_lets_its_callers_wait(gus: LocalNode, a: IexNode) -> None:
    server = server_of_elixir(a, "suspended")
    assert as_process(gus, lambda: Sys.suspend(server)) == "ok"
    with pytest.raises(CallTimeout):
        as_process(gus, lambda: GenServer.call(server, (Atom("add"), 1), 0.05))
    assert as_process(gus, lambda: Sys.resume(server)) == "ok"
    assert as_process(gus, lambda: Sys.get_state(server)) == 6


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1)])
def test_server_of_elixir_is_stopped_by_python(gus: LocalNode, a: IexNode, reason: Any) -> None:
    server = server_of_elixir(a, "stopped")

    def stop() -> tuple[str, Any]:
        return GenServer.stop(server, reason, 5), Process.info(self(), "message_queue_len")

    assert as_process(gus, stop) == ("ok", ("message_queue_len", 0))
    assert a.ask("Process.whereis(:stopped)") == "nil"
    with pytest.raises(CallNoProcess):
        as_process(gus, lambda: GenServer.stop(server, reason, 5))


def test_servers_of_one_name_are_called_on_several_nodes(gus: LocalNode, a: IexNode) -> None:
    name, _ = server_of_elixir(a, "several")
    absent = f"nosuch@{a.name.partition('@')[2]}"
    answers = as_process(gus, lambda: GenServer.multi_call([a.name, absent], name, (Atom("add"), 1), 5))
    assert answers == ({a.name: 6}, [absent])


def test_supervisor_of_elixir_tells_its_children(gus: LocalNode, a: IexNode) -> None:
    a.ask("{:ok, _} = Supervisor.start_link([{Agent, fn -> 1 end}], strategy: :one_for_one, name: :tree)")
    tree, child = ("tree", a.name), Atom("Elixir.Agent")
    [(name, pid, kind)] = as_process(gus, lambda: Supervisor.which_children(tree))
    assert (name, type(pid), kind) == (child, Pid, "worker")
    assert as_process(gus, lambda: Supervisor.count_children(tree))["active"] == 1
    assert as_process(gus, lambda: Supervisor.terminate_child(tree, child)) == "ok"
    assert type(as_process(gus, lambda: Supervisor.restart_child(tree, child))) is Pid
    a.ask("Supervisor.stop(:tree)")


@pytest.mark.parametrize("is_met", [True, False])
def test_work_of_python_is_refused_before_it_reaches_a_server_of_elixir(
    gus: LocalNode, a: IexNode, is_met: bool
) -> None:
    server = server_of_elixir(a, "worker")
    if not is_met:
        disconnect(gus, a)
    for work in (
        lambda: Task.Supervisor.async_nolink(server, math.sqrt, 16),
        lambda: Agent.get(server, math.sqrt),
        lambda: Supervisor.start_child(server, Shelf),
        lambda: Sys.replace_state(server, math.sqrt),
    ):
        with pytest.raises(EncodeError, match="cannot run in a server of an Erlang node"):
            as_process(gus, work)
    with pytest.raises(EncodeError, match="is about a class of Python"):
        as_process(gus, lambda: Sys.change_code(server))
    assert as_process(gus, lambda: GenServer.stop(server, timeout=30)) == "ok"  # it has got none of it


# ---------------------------------------------------------------- what is refused at the call


def test_request_that_erlang_cannot_hold_is_refused_at_the_call(gus: LocalNode, a: IexNode) -> None:
    server = server_of_elixir(a, "strict")
    disconnect(gus, a)
    with pytest.raises(EncodeError, match="cannot send request: nan"):
        as_process(gus, lambda: GenServer.call(server, math.nan))
    with pytest.raises(EncodeError, match="nan"):
        as_process(gus, lambda: Process.send_after(server, math.nan, 0))
    assert as_process(gus, lambda: GenServer.stop(server, timeout=30)) == "ok"


# ---------------------------------------------------------------- other requests


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (":rpc.cast(gus, :math, :sqrt, [16])", "true"),
        (":erpc.cast(gus, :math, :sqrt, [16])", ":ok"),
        (":erpc.receive_response(:erpc.send_request(gus, :math, :sqrt, [16]))", "4.0"),
        (":rpc.nb_yield(:rpc.async_call(gus, :math, :sqrt, [16]), 5000)", "{:value, 4.0}"),
    ],
)
def test_request_from_iex_is_answered(gus: LocalNode, a: IexNode, call: str, shown: str) -> None:
    assert gus.speaks_with_erlang
    assert a.ask(call) == shown


def test_cast_from_either_side_runs(gus: LocalNode, a: IexNode) -> None:
    def told() -> Any:
        Process.register(self(), "main")
        rpc.cast(a.name, "Kernel", "send", [self(), Atom("cast")])
        return receive(timeout=30)

    assert as_process(gus, told) == "cast"
    a.ask("Process.register(self(), :shell)")
    a.ask(":rpc.cast(gus, :pyx, :send, [{:shell, node()}, :cast])")
    assert a.ask("receive do x -> x after 30_000 -> :none end") == ":cast"
    a.ask("Process.unregister(:shell)")


def test_pmap_and_abcast_reach_elixir_nodes(gus: LocalNode, a: IexNode) -> None:
    a.ask("Process.register(self(), :shell)")

    def asked() -> Any:
        rpc.abcast([a.name], "shell", Atom("cast"))
        rpc.eval_everywhere([a.name], "Kernel", "send", [self(), 5])
        return rpc.pmap([a.name, Node.self()], ("math", "sqrt"), [4, 9.0]), receive(timeout=HANG)

    assert as_process(gus, asked) == ([2.0, 3.0], 5)
    assert a.ask("receive do x -> x after 30_000 -> :none end") == ":cast"
    a.ask("Process.unregister(:shell)")


def test_linked_spawn_tells_its_end_to_python(gus: LocalNode, a: IexNode) -> None:
    def linked() -> Any:
        Process.flag("trap_exit", True)
        pid = Node.spawn_link(a.name, "Kernel", "exit", [Atom("bad")])
        return receive(("EXIT", pid, ...), timeout=30)[2]

    assert as_process(gus, linked) == "bad"


def test_facts_about_a_process_of_elixir_have_the_keys_asked_for(gus: LocalNode, a: IexNode) -> None:
    def facts() -> Any:
        pid = Node.spawn(a.name, "Process", "sleep", [Atom("infinity")])
        found = Process.info(pid, ["links", "kind"]), Process.info(pid, "kind")
        Process.exit(pid, "kill")
        return found

    assert as_process(gus, facts) == ({"links": [], "kind": None}, ("kind", None))


def test_monitored_node_of_erlang_goes(gus: LocalNode, a: IexNode) -> None:
    def watched() -> Any:
        Node.monitor_nodes(True)  # visible ones, and Erlang nodes are not
        Node.monitor_nodes(True, node_type="hidden", reasons=True)
        Node.monitor(a.name, True)
        Node.disconnect(a.name)
        Node.ping(a.name)
        rpc.cast(a.name, "erlang", "disconnect_node", [Atom(Node.self())])
        return [receive(timeout=HANG) for _ in range(4)]

    def down(reason: str) -> Any:
        return ("nodedown", a.name, {"node_type": "hidden", "nodedown_reason": reason})

    assert as_process(gus, watched) == [
        ("nodedown", a.name),
        down("disconnect"),
        ("nodeup", a.name, {"node_type": "hidden"}),
        down("connection_closed"),
    ]
