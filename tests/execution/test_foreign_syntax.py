"""foreign_syntax.py: Lines of IPython, IEx and Elixir, and what to write instead."""

from __future__ import annotations

import pytest

from pyx.execution.foreign_syntax import STATEMENTS, meant_by_syntax


def meant(line: str) -> str | None:
    """Returns what is suggested for *line*, which Python must refuse."""
    with pytest.raises(SyntaxError) as refused:
        compile(line, "<pyx 1>", "exec")
    return meant_by_syntax(refused.value.text or "", refused.value.offset)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("%timeit f()", "tc(function, ...)"),
        ("%%timeit", "tc(function, ...)"),
        ("%debug", "import pdb; pdb.pm()"),
        ("!ls", STATEMENTS["!"]),
        ("break!(shop)", "breakpoint()"),
        ("h Process.info", "h(Process.info)"),
        ("i self()", "i(self())"),
        ('cd "/tmp"', 'cd("/tmp")'),
        ("v 1", "v(1)"),
        ("Process.exit(self(), :kill)", "'kill', as atoms are strings"),
        ("exit(:normal)", "'normal', as atoms are strings"),
        ("x = :ok", "'ok', as atoms are strings"),
        (':rpc.call("b", "x")', "rpc"),
        ("Task.async(f)", "Task.async_"),
        ("x = Task.await(t)", "Task.await_"),
        ("Process.alive?(pid)", "Process.is_alive"),
        ("if Node.alive?(): pass", "Node.is_alive"),
        ("cd ..", "cd('..')"),
        ("cd ~/shop", "cd('~/shop')"),
        ("cd shop", "cd('shop')"),
        ('c "shop.py"', 'c("shop.py")'),
        ("send self(), :hi", "send(self(), 'hi')"),
        ("send pid, {:add, 1}", "send(pid, {'add', 1})"),
        ('Node.ping "b"', 'Node.ping("b")'),
        ('IO.puts "a"', 'print("a")'),
        ("receive do", "receive(*patterns)"),
        ("spawn fn -> 1 end", "lambda x: ..., for fn x -> ... end"),
        ("f = fn a -> a end", "lambda x: ..., for fn x -> ... end"),
        ("x = %{a: 1}", "{'key': value}, as maps are dicts"),
    ],
)
def test_line_of_another_shell_is_answered_with_that_of_python(line: str, instead: str) -> None:
    assert meant(line) == instead


@pytest.mark.parametrize(
    "line",
    [
        "%matplotlib",
        "1 +",
        "x = %d",
        "receive dont",
        "value 1",
        "x = fn a",
        "c = = 1",
        "def fn(x) -> int",
        "if x :y z",
        "h = = 1",
        "f(x :y)",
        "[1, 2",
    ],
)
def test_other_errors_are_pythons_alone(line: str) -> None:
    assert meant(line) is None
