"""A pyx node among real Elixir nodes: signals both ways, and what each side shows of them.

The expected lines are what two Elixir nodes print, but where the other one is Python.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyx import GenServer, Node, Process, handle, receive, rpc, send
from pyx.atoms import Atom
from pyx.errors import (
    EncodeError,
    NameTaken,
    PyxError,
    RemoteError,
    RpcNoConnection,
    RpcTimeout,
    RpcUndefined,
)
from pyx.options import NodeOptions
from pyx.otp.call_errors import CallNoProcess
from pyx.terms import Pid
from tests.beam.inbox import Inbox
from tests.beam.real_nodes import COOKIE, HANG, cookie_file, disconnect, erl_command
from tests.local_nodes import LocalNodes, as_process, start_node, until

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import IexNode, RealNodes


def crash(number: int = 0) -> None:
    """A function that fails."""
    del number
    raise ZeroDivisionError("division by zero")


def registered(node: LocalNode) -> Inbox:
    """A process of *node* that is registered as `stock`, and keeps what it receives."""
    return Inbox(node, "stock")


# ---------------------------------------------------------------- 1: ping, connect, list


def test_erlang_node_that_finds_the_port_of_pyx_nodes_is_named_in_the_log(
    real: RealNodes,
    a: IexNode,
    nodes: LocalNodes,
    home: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    assert home
    start_node(nodes.make(), "bob@127.0.0.1", long=True)  # EPMD knows a node by the first part of its name
    assert a.ask(f'Node.connect(:"bob@{a.name.partition("@")[2]}")') == "false"
    until(lambda: "refused a connection" in caplog.text)
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert line == (
        f"refused a connection: {a.name} is an Erlang node, and this port is for pyx nodes "
        "(hint: pyx --beam opens a port for Erlang nodes)"
    )


def test_pyx_node_is_a_hidden_node_of_erlang(gus: LocalNode, a: IexNode) -> None:
    assert a.ask("Node.list()") == "[]"
    assert a.ask("Node.list(:hidden) == [gus]") == "true"
    assert a.ask("Node.connect(gus)") == "true"
    assert as_process(gus, lambda: Node.list("connected")) == [a.name]
    assert as_process(gus, Node.list) == []
    assert as_process(gus, Node.info)["erlang_nodes"] == [a.name]
    assert as_process(gus, lambda: Node.ping(a.name)) == "pong"
    assert a.ask("Node.ping(:nosuch@" + a.name.partition("@")[2] + ")") == ":pang"


def test_pyx_node_dials_an_erlang_node(gus: LocalNode, a: IexNode) -> None:
    disconnect(gus, a)
    assert as_process(gus, lambda: Node.connect(a.name)) is True
    assert a.ask("Node.list(:hidden) == [gus]") == "true"


# ---------------------------------------------------------------- 2 to 4: rpc and erpc


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (":rpc.call(gus, :math, :sqrt, [16])", "4.0"),
        (':rpc.call(gus, :"os.path", :basename, ["/a/ü"])', '"ü"'),
        (
            ':rpc.call(gus, :json, :dumps, [%{name: "nike", qty: [1, 2.5, nil, true]}])',
            r'"{\"name\": \"nike\", \"qty\": [1, 2.5, null, true]}"',
        ),
        (":rpc.call(gus, :builtins, :sorted, [[3, 1, 2]])", "[1, 2, 3]"),
        (":rpc.call(gus, :nope, :f, [1])", "{:badrpc, {:EXIT, {:undef, [{:nope, :f, [1], []}]}}}"),
        (":rpc.call(gus, :math, :nope, [1])", "{:badrpc, {:EXIT, {:undef, [{:math, :nope, [1], []}]}}}"),
        (":rpc.call(gus, :pyx, :receive, [], 50)", "{:badrpc, :timeout}"),
        (":rpc.call(gus, :erlang, :exit, [:bye])", "{:badrpc, {:EXIT, :bye}}"),
        (":erpc.call(gus, :math, :sqrt, [16])", "4.0"),
        (":erpc.call(gus, &:math.pi/0)", "undef"),
        (":rpc.block_call(gus, :math, :sqrt, [16])", "4.0"),
        (":rpc.yield(:rpc.async_call(gus, :math, :sqrt, [16]))", "4.0"),
        (":erpc.multicall([gus, node()], :erlang, :node, []) == [ok: gus, ok: node()]", "true"),
        (":rpc.multicall([gus], :math, :sqrt, [16])", "{[4.0], []}"),
        (":rpc.sbcast([gus], :nobody, 1) == {[], [gus]}", "true"),
        (
            '{:badrpc, {:EXIT, {e, []}}} = :rpc.call(gus, :builtins, :float, ["nan"]); e.message',
            '"EncodeError: cannot send result: nan is not a number that Erlang has"',
        ),
    ],
)
def test_call_from_iex_is_answered(gus: LocalNode, a: IexNode, call: str, shown: str) -> None:
    assert gus.speaks_with_erlang
    said = a.ask(call)
    assert shown in said if shown == "undef" else said == shown


def test_exception_in_a_call_has_its_class_and_its_text(gus: LocalNode, a: IexNode) -> None:
    assert gus
    said = a.ask(":rpc.call(gus, :math, :sqrt, [-1])")
    assert re.sub(r"\s+", " ", said).startswith('{:badrpc, {:EXIT, {%RuntimeError{message: "ValueError: ')
    said = a.ask(":erpc.call(gus, :math, :sqrt, [-1])")
    assert said.startswith('** (ErlangError) Erlang error: {:exception, %RuntimeError{message: "ValueError: ')
    assert a.ask(":erpc.call(gus, :erlang, :exit, [:bye])").startswith("** (exit) {:exception, :bye}")
    assert a.ask(":erpc.call(gus, :pyx, :receive, [], 50)").startswith(
        "** (ErlangError) Erlang error: {:erpc, :timeout}"
    )


def test_policy_off_refuses_calls_and_spawns(gus: LocalNode, a: IexNode) -> None:
    with gus.kernel_call as kernel:
        kernel.tables.set_policy("off")
    assert a.ask(":rpc.call(gus, :math, :sqrt, [16])") == "{:badrpc, :notsup}"
    assert a.ask("Node.spawn_monitor(gus, :math, :sqrt, [16])").startswith(
        "** (ErlangError) Erlang error: :notsup"
    )


def test_policy_exported_refuses_what_is_not_marked(gus: LocalNode, a: IexNode) -> None:
    with gus.kernel_call as kernel:
        kernel.tables.set_policy("exported")
    assert "refused by --rpc exported" in a.ask(":rpc.call(gus, :math, :sqrt, [16])")
    assert "refused by --rpc exported" in a.ask(":rpc.call(gus, :erlang, :node, [])")


# ---------------------------------------------------------------- 5, 6, 22: messages


def test_messages_travel_both_ways_with_their_terms(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    assert a.ask('send({:stock, gus}, {:add, self(), %{name: "nike", qty: 30}}); :ok') == ":ok"
    what, frm, fields = stock.next()
    assert (what, fields) == ("add", {"name": "nike", "qty": 30})
    assert type(what) is Atom
    assert type(frm) is Pid
    stock.sends(frm, (Atom("ok"), "added"))
    assert a.ask("receive do x -> x after 30_000 -> :none end") == '{:ok, "added"}'
    assert a.ask("send({:nobody, gus}, :hi)") == ":hi"
    stock.end()


def test_alias_is_an_address_until_it_is_given_up(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    a.ask("al = :erlang.alias(); send({:stock, gus}, al)")
    alias = stock.next()
    stock.sends(alias, Atom("hi_alias"))
    assert a.ask("receive do x -> x after 30_000 -> :none end") == ":hi_alias"
    a.ask(":erlang.unalias(al); send({:stock, gus}, self())")
    pid = stock.next()
    stock.sends(alias, Atom("lost"))
    stock.sends(pid, Atom("after"))
    assert a.ask("receive do x -> x after 30_000 -> :none end") == ":after"
    stock.end()


def test_ten_thousand_messages_keep_their_order(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    a.ask("for i <- 1..10_000, do: send({:stock, gus}, i)")
    assert [stock.next() for _ in range(10_000)] == list(range(1, 10_001))
    a.ask("send({:stock, gus}, self())")
    pid = stock.next()
    stock.calls(lambda: [send(pid, number) for number in range(10_000)])
    said = a.ask("Enum.map(1..10_000, fn _ -> receive do x -> x end end) == Enum.to_list(0..9_999)")
    assert said == "true"
    stock.end()


def test_large_messages_go_in_fragments_both_ways(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    a.ask('send({:stock, gus}, {:binary.copy("x", 5_000_000), self()}); send({:stock, gus}, :after)')
    text, pid = stock.next()
    assert text == "x" * 5_000_000
    assert stock.next() == "after"
    stock.sends(pid, "y" * 5_000_000)
    stock.sends(pid, Atom("after"))
    assert a.ask("receive do x -> byte_size(x) end") == "5000000"
    assert a.ask("receive do x -> x end") == ":after"
    stock.end()


# ---------------------------------------------------------------- 7, 8: servers


class Stock(GenServer):
    """A server of Python that Elixir nodes call."""

    def init(self) -> None:
        self.items: dict[str, int] = {}

    @handle.call
    def add(self, name: str, qty: int) -> int:
        self.items[name] = self.items.get(name, 0) + qty
        return self.items[name]

    @handle.cast
    def clear(self) -> None:
        self.items.clear()


def test_server_of_python_is_called_by_elixir(gus: LocalNode, a: IexNode) -> None:
    pid = as_process(gus, lambda: Stock.start(name="shop"))
    assert a.ask('GenServer.call({:shop, gus}, {:add, "nike", 3})') == "3"
    assert a.ask('GenServer.call({:shop, gus}, {:add, "nike", 2})') == "5"
    assert a.ask("GenServer.cast({:shop, gus}, {:clear})") == ":ok"
    assert a.ask('GenServer.multi_call([gus], :shop, {:add, "nike", 1}) == {[{gus, 1}], []}') == "true"
    assert a.ask("GenServer.abcast([gus], :shop, {:clear})") == ":abcast"
    assert a.ask('GenServer.call({:shop, gus}, {:add, "nike", 1})') == "1"
    assert "no process" in a.ask("GenServer.call({:nobody, gus}, :status)")
    assert a.ask("flush()") == ":ok"  # neither a late reply nor a DOWN is left
    with gus.kernel_call as kernel:
        process = kernel.tables.find(pid)
        assert process is not None
        assert not process.monitored_by
        assert not process.callers


def test_plain_process_is_called_by_elixir(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    a.ask("task = Task.async(fn -> GenServer.call({:stock, gus}, {:add, 1}) end)")
    what, frm, request = stock.next()
    assert (what, request) == ("$gen_call", ("add", 1))
    stock.calls(lambda: GenServer.reply(frm, ("ok", 1)))
    assert a.ask("Task.await(task)") == '{"ok", 1}'
    a.ask("task = Task.async(fn -> GenServer.multi_call([gus], :stock, :status) == {[{gus, 2}], []} end)")
    _, (caller, tag), _ = stock.next()
    stock.sends(caller, (tag, 2))  # a reply by hand, as in OTP
    assert a.ask("Task.await(task)") == "true"
    stock.end()


def test_server_of_elixir_is_called_by_python(gus: LocalNode, a: IexNode) -> None:
    a.ask(
        "defmodule S do use GenServer; def init(n), do: {:ok, n}; "
        "def handle_call({:add, k}, _, n), do: {:reply, {:got, n + k}, n + k}; "
        "def handle_call(:die, _, n), do: {:stop, :bad, n}; def handle_cast(:zero, _), do: {:noreply, 0} end"
    )
    a.ask("{:ok, srv} = GenServer.start(S, 5, name: :srv)")
    server = ("srv", a.name)

    def calls() -> list[Any]:
        said = [GenServer.call(server, (Atom("add"), 1)), GenServer.cast(server, Atom("zero"))]
        return [*said, GenServer.call(server, (Atom("add"), 2))]

    assert as_process(gus, calls) == [(Atom("got"), 6), "ok", (Atom("got"), 2)]
    until(lambda: a.ask("Process.info(srv, :monitored_by)") == "{:monitored_by, []}")
    with pytest.raises(EncodeError):
        as_process(gus, lambda: GenServer.call(server, math.nan))
    with pytest.raises(PyxError, match="bad"):
        as_process(gus, lambda: GenServer.call(server, Atom("die")))
    with pytest.raises(CallNoProcess):
        as_process(gus, lambda: GenServer.call(server, Atom("die")))


# ---------------------------------------------------------------- 9 to 11, 15: monitors, links, exits


def test_monitor_by_name_tells_the_end_and_its_reason(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    a.ask("ref = Process.monitor({:stock, gus}); send({:stock, gus}, :watched)")
    assert stock.next() == "watched"
    stock.exits((Atom("bad"), "day"))
    down = "receive do {:DOWN, ^ref, :process, {:stock, ^gus}, reason} -> reason after 30_000 -> :none end"
    assert a.ask(down) == '{:bad, "day"}'
    a.ask("ref = Process.monitor({:stock, gus})")
    assert a.ask(down) == ":noproc"


def test_links_and_monitors_by_pid(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    a.ask("Process.flag(:trap_exit, true); send({:stock, gus}, self())")
    shell = stock.next()
    stock.sends(shell, stock.pid)
    a.ask("pid = receive do x -> x end; ref = Process.monitor(pid); Process.link(pid); send(pid, :linked)")
    assert stock.next() == "linked"
    assert a.ask("node(pid) == gus") == "true"
    stock.exits(Atom("boom"))
    assert a.ask("receive do {:EXIT, ^pid, r} -> r after 30_000 -> :none end") == ":boom"
    assert a.ask("receive do {:DOWN, ^ref, :process, ^pid, r} -> r after 30_000 -> :none end") == ":boom"
    a.ask("Process.link(pid)")
    assert a.ask("receive do {:EXIT, ^pid, r} -> r after 30_000 -> :none end") == ":noproc"


def test_unlink_leaves_no_exit_behind(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    a.ask("Process.flag(:trap_exit, true); send({:stock, gus}, self())")
    shell = stock.next()
    stock.sends(shell, stock.pid)
    a.ask("pid = receive do x -> x end; Process.link(pid); Process.unlink(pid); ref = Process.monitor(pid)")
    a.ask("send(pid, :watched)")
    assert stock.next() == "watched"
    stock.exits(Atom("boom"))
    assert a.ask("receive do {:DOWN, ^ref, _, _, r} -> r after 30_000 -> :none end") == ":boom"
    assert a.ask("flush()") == ":ok"


def test_python_monitors_and_links_processes_of_elixir(gus: LocalNode, a: IexNode) -> None:
    def watch() -> list[Any]:
        Process.flag("trap_exit", True)
        name = ("nope", a.name)
        ref = Process.monitor(name)
        seen = [receive(("DOWN", ref, ..., ..., ...), timeout=30)[2:]]
        pid, monitor = Node.spawn_monitor(a.name, "Process", "sleep", [Atom("infinity")])
        Process.link(pid)
        seen.append(Process.is_alive(pid))
        Process.exit(pid, "kill")
        seen += [
            receive(("EXIT", pid, ...), timeout=30)[2],
            receive(("DOWN", monitor, ..., ..., ...), timeout=30)[4],
        ]
        seen.append(Process.is_alive(pid))
        return seen

    assert as_process(gus, watch) == [
        ("process", ("nope", a.name), "noproc"), True, "killed", "killed", False
    ]  # fmt: skip


def test_nodes_are_monitored_both_ways(gus: LocalNode, a: IexNode) -> None:
    stock = registered(gus)
    stock.calls(lambda: Node.monitor(a.name, True))
    a.ask("Node.monitor(gus, true); Process.flag(:trap_exit, true)")
    a.ask("pid = Node.spawn_link(gus, Process, :sleep, [3600]); ref = Process.monitor(pid)")
    assert a.ask("Node.disconnect(gus)") == "true"
    assert a.ask("receive do {:EXIT, ^pid, r} -> r after 30_000 -> :none end") == ":noconnection"
    assert a.ask("receive do {:DOWN, ^ref, _, _, r} -> r after 30_000 -> :none end") == ":noconnection"
    assert a.ask("receive do {:nodedown, ^gus} -> :down after 30_000 -> :none end") == ":down"
    assert stock.next() == ("nodedown", a.name)
    assert a.ask("Node.ping(gus)") == ":pong"
    stock.end()


def test_killed_node_is_lost_and_its_next_incarnation_is_another(real: RealNodes, gus: LocalNode) -> None:
    stock = registered(gus)
    killed = real.iex("k")
    name = gus.kernel.tables.name
    killed.ask(f"send({{:stock, :{name!r}}}, self())".replace("'", '"'))
    pid = stock.next()
    ref = stock.calls(lambda: Process.monitor(pid))
    killed.kill()
    assert stock.next() == ("DOWN", ref, "process", pid, "noconnection")
    again = real.iex("k")
    assert again.ask(f"Node.ping(:{name!r})".replace("'", '"')) == ":pong"
    ref = stock.calls(lambda: Process.monitor(pid))  # of the incarnation before
    assert stock.next() == ("DOWN", ref, "process", pid, "noproc")
    assert as_process(gus, lambda: rpc.call(again.name, "Enum", "sum", [[1]])) == 1
    again.close()
    stock.end()


# ---------------------------------------------------------------- 12 to 14: spawns, crashes, output


def test_crash_is_reported_at_the_leader_and_in_the_reason(gus: LocalNode, a: IexNode) -> None:
    assert gus
    a.ask(f"{{pid, ref}} = Node.spawn_monitor(gus, :{__name__!r}, :crash, [7])".replace("'", '"'))
    until(lambda: "ZeroDivisionError: division by zero" in _all_of(a))
    assert re.search(r"\[error\] Process #PID<[\d.]+> on node gus@\S+ raised an exception", a.output)
    said = a.ask("receive do {:DOWN, ^ref, :process, ^pid, r} -> r after 30_000 -> :none end")
    flat = re.sub(r"\s+", " ", said)
    assert flat.startswith('{%RuntimeError{message: "ZeroDivisionError: division by zero"}, [')
    assert "{:test_erlang_nodes, :crash, 1, [file: 'test_erlang_nodes.py', line: " in flat


def _all_of(node: IexNode) -> str:
    node.read_more(0.05)
    return node.output


def test_spawn_of_a_missing_function_ends_with_undef(gus: LocalNode, a: IexNode) -> None:
    assert gus
    a.ask("{pid, ref} = Node.spawn_monitor(gus, :nope, :f, [])")
    said = a.ask("receive do {:DOWN, ^ref, :process, ^pid, r} -> r after 30_000 -> :none end")
    assert said == "{:undef, [{:nope, :f, [], []}]}"


def test_output_travels_both_ways(real: RealNodes, a: IexNode) -> None:
    program = """
from pyx.atoms import Atom
Process.register(self(), "main")
receive("go")
Node.spawn(receive(), "IO", "puts", ["printed by a BEAM process"])
receive("end")
"""
    command = [
        sys.executable,
        "-m",
        "pyx",
        "--sname",
        "out",
        "--beam",
        "--beam-cookie-file",
        cookie_file(real),
    ]
    out = subprocess.Popen(
        [*command, "-e", program],
        env={**real.environment, "PYX_RUNTIME_DIR": real.home},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with contextlib.closing(_Killed(out)):
        host = a.name.partition("@")[2]
        a.ask(f'out = :"out@{host}"')
        until(lambda: a.ask("Node.ping(out)") == ":pong")
        until(lambda: a.ask(":rpc.call(out, :erlang, :whereis, [:main]) == :undefined") == "false")
        a.ask('send({:main, out}, "go"); send({:main, out}, Atom.to_string(node()))')
        assert out.stdout is not None
        assert out.stdout.readline() == "printed by a BEAM process\n"
        assert a.ask(':rpc.call(out, :builtins, :print, ["hello"])') == "hello\nnil"
        a.ask('send({:main, out}, "end")')
        _, errors = out.communicate(timeout=HANG)
    assert "speaks with Erlang nodes on 127.0.0.1 port" in errors
    assert out.returncode == 0


class _Killed:
    """Ends an OS process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def close(self) -> None:
        self._process.kill()
        self._process.wait(HANG)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def test_call_of_an_elixir_closure_is_undef(gus: LocalNode, a: IexNode) -> None:
    assert gus
    assert "{:exception, :undef" in a.ask(":erpc.call(gus, fn -> 1 end)")


# ---------------------------------------------------------------- 18: terms


def test_terms_come_back_as_they_went(gus: LocalNode, a: IexNode) -> None:
    assert gus
    a.ask(
        't = {1, -1, 2**80, 1.5, "ü", :ok, nil, true, [], [1, 2], \'abc\', {}, %{:a => 1, "b" => [c: 2]}, '
        "<<1::4>>, [1 | 2], self(), make_ref(), &String.upcase/1, ~D[2024-02-29]}; :ok"
    )
    assert a.ask(":rpc.call(gus, :copy, :copy, [t]) == t") == "true"


@pytest.mark.parametrize("bad", [math.nan, math.inf, [{"a": math.nan}], {"a": 1, b"a": 2}])
def test_what_would_cost_the_connection_is_refused_at_the_call(gus: LocalNode, a: IexNode, bad: Any) -> None:
    with pytest.raises(EncodeError):
        as_process(gus, lambda: send(("nobody", a.name), bad))
    assert a.ask("Node.list(:hidden) == [gus]") == "true"


# ---------------------------------------------------------------- 19, 21: rpc and spawn from Python


def test_call_from_python_returns_the_value(gus: LocalNode, a: IexNode) -> None:
    def calls() -> list[Any]:
        return [
            rpc.call(a.name, "Enum", "sum", [[1, 2, 3]]),
            rpc.call(a.name, "Elixir.String", "upcase", ["grüße"]),
            rpc.call(a.name, "lists", "reverse", [[1, 2, 3]]),
            rpc.call(a.name, "erlang", "node", []),
            rpc.multicall([a.name], "erlang", "node", []),
            rpc.async_call(a.name, "Enum", "sum", [[1, 2]]).result(5),
            rpc.call(a.name, "Date", "new!", [2024, 2, 29]).isoformat(),
        ]

    node = Atom(a.name)
    assert as_process(gus, calls) == [6, "GRÜSSE", [3, 2, 1], node, ([node], []), 3, "2024-02-29"]


def test_failures_of_a_call_are_told_apart(gus: LocalNode, a: IexNode) -> None:
    with pytest.raises(RpcUndefined, match=r"has no function nope in module Elixir\.Enum"):
        as_process(gus, lambda: rpc.call(a.name, "Enum", "nope", [[1]]))
    with pytest.raises(RemoteError) as failed:
        as_process(gus, lambda: rpc.call(a.name, "String", "to_integer", ["x"]))
    assert failed.value.type == "ErlangError"
    assert failed.value.text == ":badarg"
    assert "String.to_integer/1" in failed.value.traceback
    with pytest.raises(RpcTimeout):
        as_process(gus, lambda: rpc.call(a.name, "timer", "sleep", [Atom("infinity")], timeout=0.05))
    with pytest.raises(RpcNoConnection):
        as_process(gus, lambda: rpc.call(f"nosuch@{a.name.partition('@')[2]}", "os", "getpid", []))
    with pytest.raises(EncodeError, match=r"cannot send args\[0\]"):
        as_process(gus, lambda: rpc.call(a.name, "Enum", "sum", [math.nan]))
    with pytest.raises(EncodeError, match="which an Erlang node cannot run"):
        as_process(gus, lambda: Node.spawn(a.name, lambda: 1))


def test_process_of_elixir_shows_its_facts(gus: LocalNode, a: IexNode) -> None:
    def facts() -> Any:
        pid = Node.spawn(a.name, "Process", "sleep", [Atom("infinity")])
        found = Process.info(pid)
        Process.exit(pid, "kill")
        return found

    found = as_process(gus, facts)
    assert found["status"] == "waiting"
    assert found["message_queue_len"] == 0


# ---------------------------------------------------------------- 24: names and cookies


def test_node_with_another_cookie_is_refused(real: RealNodes, gus: LocalNode) -> None:
    w = real.iex("w", cookie="other")
    name = gus.kernel.tables.name
    assert w.ask(f"Node.ping(:{name!r})".replace("'", '"')) == ":pang"
    assert as_process(gus, lambda: Node.ping(w.name)) == "pang"
    w.ask(f"Node.set_cookie(:{name!r}, :{COOKIE})".replace("'", '"'))
    assert w.ask(f"Node.ping(:{name!r})".replace("'", '"')) == ":pong"
    w.close()


def test_node_without_a_name_is_given_one(real: RealNodes, gus: LocalNode) -> None:
    name = gus.kernel.tables.name
    host = name.partition("@")[2]
    command = [erl_command(), "-noshell", "-sname", "undefined", "-setcookie", COOKIE, "-eval"]
    program = f"io:format(\"~p ~p~n\", [net_kernel:connect_node('{name}'), node()]), halt()."
    done = subprocess.run(
        [*command, program], env=real.environment, capture_output=True, text=True, timeout=HANG, check=True
    )
    assert re.fullmatch(rf"true '[0-9A-Z]{{7}}@{host}'", done.stdout.strip())


def test_call_by_erl_call_is_answered(real: RealNodes, gus: LocalNode) -> None:
    erl_call = shutil.which("erl_call")
    if erl_call is None:
        pytest.skip("erl_call is not installed")
    first = gus.kernel.tables.name.partition("@")[0]

    def asked(what: str) -> str:
        command = [erl_call, "-sname", first, "-c", COOKIE, "-a", what]
        done = subprocess.run(
            command, env=real.environment, capture_output=True, text=True, timeout=HANG, check=True
        )
        return done.stdout

    assert asked("math sqrt [16]") == "4.000000"
    assert asked("math nope [16]") == "{badrpc, {'EXIT', {undef, [{math, nope, [16], []}]}}}"


def test_python_is_evaluated_by_rpc_eval(real: RealNodes, gus: LocalNode) -> None:
    elixir = shutil.which("elixir")
    if elixir is None:
        pytest.skip("Elixir is not installed")

    names = (f"e{number}" for number in itertools.count())  # EPMD may notice late that one has ended

    def evaluated(source: str) -> subprocess.CompletedProcess[str]:
        command = [
            elixir,
            "--sname",
            next(names),
            "--cookie",
            COOKIE,
            "--rpc-eval",
            gus.kernel.tables.name,
            source,
        ]
        return subprocess.run(
            command, env=real.environment, capture_output=True, text=True, timeout=HANG, check=False
        )

    assert evaluated("1 + 1").returncode == 0
    assert evaluated("print(Node.self())").stdout == f"{gus.kernel.tables.name}\n"
    failed = evaluated("1/0")
    assert failed.returncode == 1
    assert "ZeroDivisionError" in failed.stderr
    with gus.kernel_call as kernel:
        kernel.tables.set_policy("exported")
    assert "refused by --rpc exported" in evaluated("1 + 1").stderr


def test_command_line_says_that_the_name_is_taken(real: RealNodes, a: IexNode) -> None:
    cookie = cookie_file(real)
    command = [
        sys.executable,
        "-m",
        "pyx",
        "--sname",
        a.name,
        "--beam",
        "--beam-cookie-file",
        cookie,
        "-e",
        "1",
    ]
    environment = {**real.environment, "PYX_RUNTIME_DIR": real.home}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 3
    assert f"pyx: the name {a.name} is in use by another node\n" in done.stderr


def test_idle_connection_stands(real: RealNodes, nodes: LocalNodes, gus: LocalNode) -> None:
    assert nodes
    quick = real.iex("quick", "--erl", "-kernel net_ticktime 4")
    name = gus.kernel.tables.name
    assert as_process(gus, lambda: Node.ping(quick.name)) == "pong"
    quick.ask(
        f":net_kernel.monitor_nodes(true, node_type: :all); Node.monitor(:{name!r}, true)".replace("'", '"')
    )
    said = quick.ask("receive do x -> x after 7000 -> :nothing end")  # more than the time that it waits
    assert said == ":nothing"
    assert as_process(gus, lambda: quick.name in Node.list("connected"))
    quick.close()


def test_name_that_an_erlang_node_has_is_taken(nodes: LocalNodes, gus: LocalNode, a: IexNode) -> None:
    assert gus
    node = nodes.make()
    with pytest.raises(NameTaken, match="is in use by another node"):
        start_node(node, a.name, beam="hidden")
    assert not node.kernel.tables.name


def test_stranger_that_claims_a_connected_name_disturbs_nobody_there(
    real: RealNodes, gus: LocalNode, a: IexNode
) -> None:
    assert real
    transport = gus.transport
    assert transport is not None
    beam = transport._beam
    assert beam is not None
    name = a.name.encode()
    hello = b"N" + (0xD07DF7FBD).to_bytes(8) + bytes(4) + len(name).to_bytes(2) + name
    with contextlib.closing(socket.create_connection((beam.address, beam.port), 5)) as stranger:
        stranger.sendall(len(hello).to_bytes(2) + hello)
        assert stranger.recv(8) == b"\0\x06salive"
    assert as_process(gus, lambda: Node.ping(a.name)) == "pong"
    assert a.ask("Node.list(:hidden) == [gus]") == "true"


def test_node_without_beam_says_that_the_other_is_an_erlang_node(
    real: RealNodes, nodes: LocalNodes, home: str, a: IexNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    cat, host = nodes.make(), a.name.partition("@")[2]
    start_node(cat, f"cat@{host}")
    with pytest.raises(RpcNoConnection, match="it is an Erlang node"):
        as_process(cat, lambda: rpc.call(a.name, "lists", "sum", [[1, 2]]))
    with pytest.raises(RpcNoConnection, match="no node of that name runs on this host"):
        as_process(cat, lambda: rpc.call(f"nosuch@{host}", "lists", "sum", [[1, 2]]))


# ---------------------------------------------------------------- long names


def test_node_with_a_long_name_speaks_both_dialects(
    real: RealNodes, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    gus, bob, cat = nodes.make(), nodes.make(), nodes.make()
    beam = {"beam": "hidden", "beam_insecure": True, "beam_cookie_file": cookie_file(real)}
    start_node(gus, "gus@127.0.0.1", long=True, **beam)
    start_node(bob, "bob@127.0.0.1", long=True, **beam)
    start_node(cat, "cat@127.0.0.1", long=True)
    assert as_process(gus, lambda: Node.ping("bob@127.0.0.1")) == "pong"
    assert as_process(gus, lambda: Node.ping("cat@127.0.0.1")) == "pong"
    assert as_process(gus, Node.info)["erlang_nodes"] == []
    erl = erl_command()
    program = (
        "io:format(\"~p~n\", [rpc:call('gus@127.0.0.1', math, sqrt, [16])]), receive stop -> halt() end."
    )
    command = [erl, "-noshell", "-name", "o@127.0.0.1", "-setcookie", COOKIE, "-eval", program]
    with contextlib.closing(
        _Killed(
            other := subprocess.Popen(
                command, env=real.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == "4.0\n"
        assert as_process(bob, lambda: rpc.call("o@127.0.0.1", "lists", "sum", [[1, 2]])) == 3
        with pytest.raises(RpcNoConnection, match="it is an Erlang node"):
            as_process(cat, lambda: rpc.call("o@127.0.0.1", "lists", "sum", [[1, 2]]))


def test_long_name_with_beam_is_a_decision_that_is_said() -> None:
    with pytest.raises(ValueError, match="beam_insecure=True"):
        NodeOptions("gus@127.0.0.1", long=True, beam="hidden")
    with pytest.raises(ValueError, match="they need beam='hidden'"):
        NodeOptions("gus", beam_insecure=True)
    with pytest.raises(ValueError, match="beam is 'hidden'"):
        NodeOptions("gus", beam="visible")
