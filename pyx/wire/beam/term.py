"""A message in Erlang's external term format, as it came or as it is to be sent, in a payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import DecodeError
from pyx.signals import EncodedTerm
from pyx.terms import Incarnation
from pyx.wire.beam.etf_tags import ATOM_CACHE_REF, SMALL_ATOM_UTF8
from pyx.wire.beam.term_reader import decode_term, received_atom

if TYPE_CHECKING:
    from collections.abc import Sequence

OF_NO_NODE: Final = Incarnation("", 0)
"""The origin of an exit reason that is a term: it is not this node, so `wire/frames/writer.py` encodes the
reason anew for a pyx node."""


class ErlangTerm(EncodedTerm):
    """One term, without the byte 131 before it.

    Args:
        data: the term.
        atoms: those that the term refers to by number; they came in the header of its message.
    """

    __slots__ = ("atoms", "data")

    def __init__(self, data: bytes, atoms: Sequence[Any] = ()) -> None:
        self.data: Final = data
        self.atoms: Final = atoms

    def __len__(self) -> int:
        """See `EncodedTerm`."""
        return len(self.data)

    def decode(self, here: Incarnation | None, binaries: str = "str") -> Any:
        """See `EncodedTerm`."""
        return decode_term(self.data, 0, self.atoms, here or OF_NO_NODE, binaries=binaries)[0]

    def leading_atom(self) -> Any:
        """Returns the first element of a tuple of fewer than 256, if that is an atom; else None."""
        data = self.data
        try:
            if data[2] == ATOM_CACHE_REF:
                return self.atoms[data[3]]
            if data[2] == SMALL_ATOM_UTF8:
                return received_atom(data[4 : 4 + data[3]])
        except (IndexError, DecodeError):
            pass
        return None

    def item_at(self, at: int, here: Incarnation) -> tuple[Any, int]:
        """Returns a part of the term that begins at an index, and the index behind it; None if malformed."""
        try:
            return decode_term(self.data, at, self.atoms, here)
        except DecodeError:
            return None, at


class ErlangCall(EncodedTerm):
    """A call of a function of an Erlang node.

    Args:
        module: as Erlang writes it: `"Elixir.Enum"`.
        function: its name.
        arity: the number of its arguments.
        args: their list, as a term.
    """

    __slots__ = ("args", "arity", "function", "module")

    def __init__(self, module: str, function: str, arity: int, args: bytes) -> None:
        self.module: Final = module
        self.function: Final = function
        self.arity: Final = arity
        self.args: Final = args

    def __len__(self) -> int:
        """See `EncodedTerm`."""
        return len(self.args) + len(self.module) + len(self.function)

    def decode(self, here: Incarnation | None, binaries: str = "str") -> Any:
        """See `EncodedTerm`."""
        args, _ = decode_term(self.args, 0, (), here or OF_NO_NODE, binaries=binaries)
        return self.module, self.function, args
