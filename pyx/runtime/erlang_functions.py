"""The functions of Erlang's module `erlang` that every node is asked for, and Elixir's `--rpc-eval`.

`:erpc.multicall(nodes, :erlang, :node, [])` is what is typed first.  Called through `erpc.py`.
"""

from __future__ import annotations

import importlib
from typing import Any

from pyx.atoms import Atom
from pyx.core.tables import NO_NODE
from pyx.errors import Exit
from pyx.execution import context
from pyx.runtime.local_node import this_node
from pyx.runtime.process_info import information
from pyx.terms import Pid, Raised


def node() -> Atom:
    """Returns the name of this node."""
    return Atom(this_node().kernel.tables.name or NO_NODE)


def nodes(kind: str = "visible") -> list[Atom]:
    """Returns the names of the connected nodes."""
    here = this_node()
    with here.kernel_call as kernel:
        return [Atom(name) for name in kernel.membership.nodes((str(kind),))]


def self() -> Pid:
    """Returns the pid of the process that runs this."""
    return context.require("erlang.self").process.pid


def whereis(name: str) -> Pid | Atom:
    """Returns the pid of a registered name, or `:undefined`."""
    found = this_node().kernel.tables.names.get(str(name))
    return found.pid if found is not None else Atom("undefined")


def registered() -> list[Atom]:
    """Returns the registered names."""
    return [Atom(name) for name in list(this_node().kernel.tables.names)]


def processes() -> list[Pid]:
    """Returns the pids of all processes."""
    here = this_node()
    with here.kernel_call as kernel:
        return [process.pid for process in kernel.tables.processes.all()]


def is_process_alive(pid: Pid) -> bool:
    """Returns True for a process of this node that has not ended."""
    return this_node().kernel.tables.find(pid) is not None


def process_info(pid: Pid, keys: Any = None) -> Any:
    """Returns the facts about a process as a keyword list; `:undefined` of a dead one."""
    wanted = None if keys is None else [str(key) for key in (keys if type(keys) is list else [keys])]
    facts = information(this_node(), pid, wanted)
    if facts is None:
        return Atom("undefined")
    pairs = [(Atom(key), _as_erlang(key, value)) for key, value in facts.items()]
    return pairs if type(keys) is list or keys is None else pairs[0]


def _as_erlang(key: str, value: Any) -> Any:
    if key in {"status", "kind", "registered_name"} and type(value) is str:
        return Atom(value)
    if key in {"initial_call", "current_function"} and type(value) is tuple and len(value) == 3:
        module, function, arity = value
        return Atom(str(module)), Atom(str(function)), arity
    return value


def system_info(what: str) -> Any:
    """Returns what OTP's `erlang:system_info` says of a node; `otp_release` is `"pyx"`."""
    here = this_node()
    match str(what):
        case "otp_release" | "system_version" | "version":
            return list(b"pyx")
        case "process_count":
            return len(processes())
        case "creation":
            return here.kernel.tables.creation
    raise Exit((Atom("badarg"), [(Atom("erlang"), Atom("system_info"), [what], [])]))


def exit(reason: Any) -> None:  # noqa: A001 - its name in Erlang
    """Ends the process that runs this."""
    raise Exit(reason)


def rpc_eval(source: str) -> Any:
    """Evaluates Python for `elixir --rpc-eval`; returns `:ok` whatever the value is, or a failure.

    Only under `--rpc open`: this function is not exported.
    """
    evaluate = importlib.import_module("pyx.shell.remote_eval").evaluate_here  # above this package
    parent = context.require("--rpc-eval").process.parent
    kind, text = evaluate(source, parent.node if parent is not None else "", None)
    if kind == "error":
        return Atom("error"), Raised("RuntimeError", str(text)), []
    return Atom("ok")
