"""Elixir's values go through a pyx node and come back as they were; Python's are shown as Elixir's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyx import BitString, ImproperList, Map, Node, Process, aio, beam, charlist, keyword, receive, rpc, send
from pyx import self as own_pid
from pyx.atoms import Atom
from pyx.terms import Raised, Struct
from tests.beam.real_nodes import COOKIE, real_nodes
from tests.local_nodes import HANG, LocalNodes, Running, as_process, start_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import IexNode, RealNodes


@beam.struct("URI")
@dataclass
class Uri:
    """Elixir's `%URI{}`."""

    scheme: Any
    userinfo: Any
    host: Any
    port: Any
    path: Any
    query: Any
    fragment: Any
    authority: Any


def identity(value: Any) -> Any:
    """Called by its name from Elixir."""
    return value


def kind(value: Any) -> str:
    return type(value).__name__


@pytest.fixture(scope="module")
def real() -> Iterator[RealNodes]:
    with real_nodes() as real:
        yield real


@pytest.fixture(scope="module")
def a(real: RealNodes) -> IexNode:
    return real.iex("a")


@pytest.fixture
def gus(
    real: RealNodes, a: IexNode, nodes: LocalNodes, home: str, monkeypatch: pytest.MonkeyPatch
) -> LocalNode:
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    cookie = Path(home, "erlang")
    cookie.write_text(COOKIE)
    cookie.chmod(0o600)
    node = nodes.make()
    start_node(node, f"gus@{a.name.partition('@')[2]}", beam="hidden", beam_cookie_file=str(cookie))
    assert as_process(node, lambda: Node.ping(a.name)) == "pong"
    a.ask(f'there = fn f, v -> :rpc.call(:"{node.kernel.tables.name}", :"{__name__}", f, [v]) end')
    return node


ELIXIR = (
    "[1, -1, 2**80, 1.5, -0.0, \"ü\", <<255>>, :ok, nil, true, [], [1, 2], 'abc', {}, <<1::4>>, [1 | 2]]",
    "{self(), make_ref(), :erlang.alias(), hd(Port.list()), &String.upcase/1, &(&1 + 1)}",
    "{~D[2024-02-29], ~T[10:00:00], ~T[10:00:00.123456], ~N[2024-02-29 10:00:00], ~U[2024-01-01 00:00:00Z]}",
    '[MapSet.new([1, "a", :a]), MapSet.new(), 1..9//2, Version.parse!("1.2.3"), URI.parse("http://a/b?c#d")]',
    '%{:a => 1, "a" => 2, 1 => 3, 1.0 => 4, true => 5, nil => 6, [] => 7, %{} => 8, {1, [2]} => 9}',
    '[a: 1, b: [c: {:d, %{e: "f"}}]]',
    '[%RuntimeError{message: "no"}, %KeyError{key: :a, term: %{}}, %{__struct__: :foo}, %{__struct__: 5}]',
    "Enum.map(1..300, &{&1, Integer.to_string(&1)})",
    "List.to_tuple(Enum.to_list(1..300))",
    'for n <- 1..200, into: %{}, do: {n, %{id: n, name: "n#{n}", tags: [:a, "b"]}}',
    '{:"größe", :"a b", String.to_atom(String.duplicate("ü", 255)), Enum, :Enum}',
)


@pytest.mark.parametrize("value", ELIXIR)
def test_value_of_elixir_comes_back_equal(gus: LocalNode, a: IexNode, value: str) -> None:
    assert a.ask(f"(v = {value}; there.(:identity, v) === v)") == "true"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("~D[2024-02-29]", "date"),
        ("~U[2024-01-01 00:00:00Z]", "datetime"),
        ("MapSet.new([1])", "frozenset"),
        ('URI.parse("http://a")', "Uri"),
        ('Version.parse!("1.2.3")', "Struct"),
        ('%{:a => 1, "a" => 2}', "Map"),
        ("%{a: 1}", "dict"),
        ("fn -> 1 end", "BeamFunction"),
        ("&String.upcase/1", "FunctionName"),
        ('%ArgumentError{message: "no"}', "Raised"),
        ("[1 | 2]", "ImproperList"),
        ('"text"', "str"),
        ("<<255>>", "bytes"),
        (":ok", "Atom"),
    ],
)
def test_value_of_elixir_is_a_value_of_python(gus: LocalNode, a: IexNode, value: str, name: str) -> None:
    assert a.ask(f"there.(:kind, {value})") == f'"{name}"'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ((Atom("ok"), "grüße", b"\xff", None, True), '{:ok, "grüße", <<255>>, nil, true}'),
        ({Atom("name"): "nike"}, '%{name: "nike"}'),
        (keyword(a=1), "[a: 1]"),
        ([charlist("hi"), 2**80], "['hi', 1208925819614629174706176]"),
        (date(2024, 2, 29), "~D[2024-02-29]"),
        (time(1, 2, 3, 4000), "~T[01:02:03.004000]"),
        (datetime(2024, 2, 29), "~N[2024-02-29 00:00:00]"),  # noqa: DTZ001 - naive there too
        (datetime(2024, 2, 29, 1, tzinfo=UTC), "~U[2024-02-29 01:00:00Z]"),
        ({1, 2}, "MapSet.new([1, 2])"),
        (range(1, 10, 2), "1..9//2"),
        (ValueError("bad"), '%RuntimeError{message: "ValueError: bad"}'),
        (Raised("RuntimeError", "bad"), '%RuntimeError{message: "bad"}'),
        (Uri("http", None, "a", 80, None, None, None, "a"), None),
        (ImproperList([1], 2), "[1 | 2]"),
        (BitString(b"\x10", 4), "<<1::size(4)>>"),
        (Map([("a", 1), (Atom("a"), 2)]), '%{:a => 2, "a" => 1}'),
        (Struct("Version", (("major", 1), ("minor", 2), ("patch", 3), ("pre", []), ("build", None))), None),
        (Decimal("1.50"), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_of_python_is_shown_as_elixirs(
    gus: LocalNode, a: IexNode, value: Any, shown: str | None
) -> None:
    a.ask("try do Process.register(self(), :shell) rescue _ -> :ok end")
    as_process(gus, lambda: send(("shell", a.name), (Atom("shown"), value)))
    if shown is None:  # a struct of many fields: Elixir says whether it is one
        assert a.ask("receive do {:shown, v} -> is_struct(v) end") == "true"
    else:
        assert a.ask("receive do {:shown, v} -> v end") == shown


def test_call_from_python_asks_for_bytes(gus: LocalNode, a: IexNode) -> None:
    def body() -> Any:
        texts = rpc.call(a.name, "String", "split", ["ä b"])
        return texts, rpc.call(a.name, "String", "split", ["ä b"], binaries="bytes")

    assert as_process(gus, body) == (["ä", "b"], ["ä".encode(), b"b"])


def test_calls_of_every_kind_ask_for_bytes(gus: LocalNode, a: IexNode) -> None:
    asked = "String", "upcase", ["ä"]

    def body() -> Any:
        return [
            rpc.async_call(a.name, *asked).result(HANG),
            rpc.async_call(a.name, *asked, binaries="bytes").result(HANG),
            rpc.multicall([a.name], *asked),
            rpc.multicall([a.name], *asked, binaries="bytes"),
            rpc.within(HANG).multicall([a.name], *asked, binaries="bytes"),
        ]

    upper = "Ä".encode()
    assert as_process(gus, body) == ["Ä", upper, (["Ä"], []), ([upper], []), ([upper], [])]

    async def awaited() -> Any:
        return await rpc.async_call(a.name, *asked, binaries="bytes"), await aio.rpc.multicall(
            [a.name], *asked, binaries="bytes"
        )

    assert as_process(gus, lambda: asyncio.run(awaited())) == (upper, ([upper], []))


def test_pattern_of_texts_matches_what_elixir_sends(gus: LocalNode, a: IexNode) -> None:
    def body() -> Any:
        Process.register(own_pid(), "stock")
        send(("shell", a.name), Atom("ready"))
        return receive(("add", str, {"name": "nike"}), timeout=30)

    a.ask("try do Process.register(self(), :shell) rescue _ -> :ok end")
    running = Running(gus, body)
    assert a.ask("receive do :ready -> :ok end") == ":ok"
    a.ask(f'send({{:stock, :"{gus.kernel.tables.name}"}}, {{:sub, "x", %{{}}}})')
    a.ask(f'send({{:stock, :"{gus.kernel.tables.name}"}}, {{:add, "x", %{{name: "nike", qty: 1}}}})')
    assert running.outcome() == (Atom("add"), "x", {"name": "nike", "qty": 1})
