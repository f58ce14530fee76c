"""Terms of Erlang that Python has no value for; all of them are data, on pyx's own wire too.

`atoms.py` has atoms, `terms.py` pids and references.  Every value here is frozen, hashable if its parts are,
and printed as Elixir prints it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from pyx.atoms import Atom
from pyx.terms import FunctionName, Pid, Raised, Ref, Struct, incarnation_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_set = object.__setattr__


@dataclass(frozen=True, slots=True, repr=False)
class ImproperList:
    """A list of Erlang whose last tail is not a list: `[1 | 2]` is `ImproperList([1], 2)`.

    OTP makes one of every alias in a request: the tag of a `GenServer.call` is `[:alias | ref]`.

    Args:
        items: one at least.
        tail: anything but a list, which would make an ordinary one.
    """

    items: tuple[Any, ...]
    tail: Any

    def __init__(self, items: Sequence[Any], tail: Any) -> None:
        if not items:
            msg = "an improper list has one item at least, before its tail"
            raise ValueError(msg)
        if type(tail) is list or type(tail) is ImproperList:
            msg = (
                "the tail of an improper list is not a list: with one it is an ordinary list, or a longer one"
            )
            raise ValueError(msg)
        _set(self, "items", tuple(items))
        _set(self, "tail", tail)

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self.items))} | {self.tail!r}]"


@dataclass(frozen=True, slots=True, repr=False)
class BitString:
    r"""Bits whose number is not a multiple of 8: `<<1::4>>` is `BitString(b"\x10", 4)`.

    Args:
        data: the bits, from the highest of each byte on; what the last byte holds beyond `bits` is cleared.
        bits: how many bits of the last byte count, 1 to 7.
    """

    data: bytes
    bits: int

    def __init__(self, data: bytes, bits: int) -> None:
        if type(data) is not bytes or not data or type(bits) is not int or not 1 <= bits <= 7:
            msg = f"a bit string is bytes, of whose last one 1 to 7 bits count, not {bits!r}"
            raise ValueError(msg)
        last = data[-1] & (0xFF << (8 - bits))
        _set(self, "data", data if last == data[-1] else data[:-1] + bytes((last & 0xFF,)))
        _set(self, "bits", bits)

    def __len__(self) -> int:
        """Returns the number of bits."""
        return 8 * len(self.data) - 8 + self.bits

    def __repr__(self) -> str:
        whole = "".join(f"{byte}, " for byte in self.data[:-1])
        return f"<<{whole}{self.data[-1] >> (8 - self.bits)}::size({self.bits})>>"


@dataclass(frozen=True, slots=True, repr=False)
class Port:
    """A port of an Erlang node: its file, socket or program of the operating system; only to be sent back."""

    node: str
    number: int
    creation: int

    def __repr__(self) -> str:
        return f"#Port<{incarnation_number(self.node, self.creation)}.{self.number}>"


@dataclass(frozen=True, slots=True, repr=False)
class BeamFunction:
    """A function that an Elixir node made at run time: it runs there only, and can be sent back.

    `data` is its term in Erlang's format.  Functions with a name, `&String.upcase/1`, are `FunctionName`.
    """

    data: bytes

    def __repr__(self) -> str:
        return f"#Function<{len(self.data)} bytes>"


class Map:
    """A map of Erlang whose keys a dict cannot keep apart, or cannot hold; frozen.

    In Erlang `:a` and `"a"`, `1` and `1.0`, `true` and `1` are different keys, and a list or a map is a key
    like any other.  All other maps arrive as dicts.

    Args:
        pairs: (key, value), each key once.

    Raises:
        ValueError: a key stands twice.
    """

    __slots__ = ("_index", "pairs")
    pairs: tuple[tuple[Any, Any], ...]

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = ()) -> None:
        _set(self, "pairs", tuple((key, value) for key, value in pairs))
        _set(self, "_index", {identity(key): at for at, (key, _) in enumerate(self.pairs)})
        if len(self._index) != len(self.pairs):
            msg = "a key stands twice in a map"
            raise ValueError(msg)

    _index: dict[str, int]

    def __setattr__(self, name: str, value: object) -> None:
        msg = "a Map is frozen"
        raise AttributeError(msg)

    __delattr__ = __setattr__  # type: ignore[assignment] # raises whatever it is given

    def get(self, key: Any, default: Any = None) -> Any:
        """Returns the value of exactly this key (`1` is not `1.0`, a str not an atom), or *default*."""
        at = self._index.get(identity(key))
        return default if at is None else self.pairs[at][1]

    def items(self) -> tuple[tuple[Any, Any], ...]:
        """Returns the (key, value) pairs."""
        return self.pairs

    def keys(self) -> tuple[Any, ...]:
        """Returns the keys, in the order of `items`."""
        return tuple(key for key, _ in self.pairs)

    def values(self) -> tuple[Any, ...]:
        """Returns the values, in the order of `items`."""
        return tuple(value for _, value in self.pairs)

    def __getitem__(self, key: Any) -> Any:
        at = self._index.get(identity(key))
        if at is None:
            raise KeyError(key)
        return self.pairs[at][1]

    def __contains__(self, key: Any) -> bool:
        return identity(key) in self._index

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Map:
            return NotImplemented
        theirs = other._index
        return self._index.keys() == theirs.keys() and all(
            self.pairs[at][1] == other.pairs[theirs[name]][1] for name, at in self._index.items()
        )

    def __hash__(self) -> int:
        return hash(("Map", frozenset(self._index)))

    def __repr__(self) -> str:
        return f"%{{{', '.join(f'{key!r} => {value!r}' for key, value in self.pairs)}}}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Map, (self.pairs,)

    def __copy__(self) -> Self:
        return self


_NAMED: Final = frozenset({
    type(None), bool, int, float, date, time, datetime, timedelta, Decimal, UUID, BitString, range,
})  # fmt: skip
"""Classes whose repr tells their values apart and runs no code of a user's."""


def identity(key: Any) -> str:
    """Returns a text that is the same for two keys if Erlang takes them for one, and else another.

    An object of a user's class is another key than any other object: no code of its class runs.
    """
    parts: list[str] = []
    _add_identity(key, parts)
    return "".join(parts)


def _add_identity(key: Any, parts: list[str]) -> None:
    # Loops in place of generators: they would take C's stack at each level, and a thread's may be small.
    cls = type(key)
    if cls is str or cls is Atom:
        parts.append(f"{'s' if cls is str else 'a'}{len(key)}:{key}")
    elif cls is bytes:
        try:
            text = key.decode()  # a binary is one key, whether a str or bytes stand for it
        except UnicodeDecodeError:
            parts.append(f"b{key.hex()}.")
        else:
            parts.append(f"s{len(text)}:{text}")
    elif cls is int:
        parts.append(f"i{key:x}.")  # in base 16 every length is quick
    elif cls in _NAMED:
        parts.append(f"{cls.__name__}{key!r}.")
    elif cls is Pid:
        parts.append(f"P{key.node} {key.creation} {key.number} {key.serial}.")
    elif cls is Ref or cls is Port:
        parts.append(f"{cls.__name__}{key.node} {key.creation} {key.number:x}.")
    elif cls is BeamFunction:
        parts.append(f"F{key.data.hex()}.")
    elif cls is tuple or cls is list:
        parts.append(f"{'t' if cls is tuple else 'l'}{len(key)}:")
        for part in key:
            _add_identity(part, parts)
    elif cls is ImproperList:
        parts.append(f"I{len(key.items)}:")
        for part in (*key.items, key.tail):
            _add_identity(part, parts)
    elif cls is dict or cls is Map:
        entries = []
        for inner, value in key.items():
            entry: list[str] = []
            _add_identity(inner, entry)
            _add_identity(value, entry)
            entries.append("".join(entry))
        parts += (f"m{len(entries)}:", *sorted(entries))
    elif cls is set or cls is frozenset:
        members = []
        for inner in key:
            entry = []
            _add_identity(inner, entry)
            members.append("".join(entry))
        parts += (f"S{len(members)}:", *sorted(members))
    elif cls is Struct:
        parts.append(f"U{key.name} {len(key.fields)}:")
        for field, value in key.fields:
            parts.append(f"{field} ")
            _add_identity(value, parts)
    elif cls is FunctionName:
        parts.append(f"N{key.module} {key.name} {key.arity}.")
    elif cls is Raised:
        parts.append(f"R{len(key.type)} {len(key.text)} {key.type}{key.text}{key.traceback}.")
    else:
        parts.append(f"o{id(key)}.")


def charlist(text: str) -> list[int]:
    """Returns the characters of *text* as the list of numbers that Erlang's older functions want.

    `charlist("hi")` is `[104, 105]`, Elixir's `~c"hi"`; many functions of Erlang's modules take texts so.
    """
    return list(map(ord, text))


def keyword(**values: Any) -> list[tuple[Atom, Any]]:
    """Returns a keyword list, as Elixir's functions take options: `keyword(a=1)` is Elixir's `[a: 1]`."""
    return [(Atom(name), value) for name, value in values.items()]
