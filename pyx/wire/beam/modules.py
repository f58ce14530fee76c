"""Names of modules and functions, as Elixir, Erlang and Python write them."""

from __future__ import annotations

from typing import Final

ERPC: Final = "pyx.runtime.erpc"
"""The module of pyx that does for Erlang nodes what OTP's `erpc` and `rex` do."""

_ELIXIR: Final = "Elixir."

_HERE: Final = {
    "Elixir.Node": "Node",
    "Elixir.Process": "Process",
    "erlang": "pyx.runtime.erlang_functions",
    "Elixir.Kernel.CLI": "pyx.runtime.erlang_functions",
}
"""The modules that an Erlang node expects on every node, by the names they have here."""


def outward_module(name: str) -> str:
    """The name of a module that a call from here means on an Erlang node: a capital letter is Elixir's."""
    return _ELIXIR + name if name[:1].isupper() and not name.startswith(_ELIXIR) else name


def inward_module(name: str) -> str:
    """The name here of a module that an Erlang node calls: one of the table, else a module of Python."""
    return _HERE.get(name, name)
