"""Pids, references, node names, and the data that stands for exceptions, code and classes in messages.

All values are frozen, hashable and printable.  The one piece of state is the table that numbers the
incarnations of other nodes in the order in which this OS process met them: `#PID<3.112.0>` is printed and
parsed by it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn

from pyx.atoms import Atom, is_module, written, written_key
from pyx.errors import NodeNameInvalid
from pyx.printable import on_one_line

MAX_NODE_NAME_BYTES: Final = 255
"""The length of a name is one byte on the wire, as in EPMD."""


_LONGEST_NAME: Final = 1000
"""Characters of the name of a class or a function in a repr."""

LONGEST_WORD: Final = 255
"""Characters of a text that is an atom in Erlang: a registered name, an exit reason that is a str."""


REASON_WORDS: Final = frozenset(
    ("normal", "kill", "killed", "shutdown", "noproc", "noconnection", "timeout", "nosuspend")
)
"""Exit reasons that are texts here and atoms in Erlang, both ways: OTP and this kernel decide by them."""


class Incarnation(NamedTuple):
    """One start of a node: its name, and 32 random bits that are not 0."""

    name: str
    creation: int


class _Frozen:
    """The base of Pid and Ref: slots that are set once, in `__init__`."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        msg = f"{type(self).__name__} is frozen"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> NoReturn:
        msg = f"{type(self).__name__} is frozen"
        raise AttributeError(msg)


_set = object.__setattr__


class _SortsAs:
    """The name and creation by which the pids and references of this node sort among those of others."""

    here: tuple[str, int] = ("nonode@nohost", 0)


def sort_this_node_as(name: str, creation: int) -> None:
    """Has the pids and references of this node sort by its name and creation, from its start to its stop."""
    _SortsAs.here = (name, creation)


class Pid(_Frozen):
    """The address of a process; its repr is that of IEx.

    In memory a pid of *this* node has `node == ""` and `creation == 0`, so that its pids stay valid when the
    node is started or stopped; `pyx.node(pid)` gives the name.  `number` counts the processes of a node,
    `serial` its wraps.  Pids sort as in OTP: by serial and number, and then by the name of the node and its
    creation.  Differs from IEx: a pid and a value of another type have no order.
    """

    __slots__ = ("_hash", "creation", "node", "number", "serial")
    number: int
    serial: int
    node: str
    creation: int
    _hash: int

    def __init__(self, number: int, serial: int = 0, node: str = "", creation: int = 0) -> None:
        _set_number(self, number)
        _set_serial(self, serial)
        _set_node(self, node)
        _set_creation(self, creation)
        # The name first: its hash differs in each OS process, so a peer cannot choose numbers that collide.
        _set_hash(self, hash((node, creation, number, serial)))

    @property
    def is_local(self) -> bool:
        """True for a pid of this node."""
        return not self.node

    @property
    def incarnation(self) -> Incarnation | None:
        """The incarnation of its node; None for this node."""
        return Incarnation(self.node, self.creation) if self.node else None

    def __eq__(self, other: object) -> bool:
        if type(other) is not Pid:
            return NotImplemented
        return (
            self.number == other.number
            and self.node == other.node
            and self.creation == other.creation
            and self.serial == other.serial
        )

    @property
    def _order(self) -> tuple[int, int, tuple[str, int]]:
        where = (self.node, self.creation) if self.node else _SortsAs.here
        return self.serial, self.number, where

    def __lt__(self, other: object) -> bool:
        return self._order < other._order if type(other) is Pid else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._order <= other._order if type(other) is Pid else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._order > other._order if type(other) is Pid else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._order >= other._order if type(other) is Pid else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"#PID<{incarnation_number(self.node, self.creation)}.{self.number}.{self.serial}>"

    def __reduce__(self) -> NoReturn:
        msg = "a Pid travels in messages, never in a pickle"
        raise TypeError(msg)

    def __copy__(self) -> Pid:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Pid:
        return self


# The descriptors of the slots, called directly, take less time [measured 0.47, 0.63 µs a pid].
_set_number, _set_serial, _set_node, _set_creation, _set_hash = (
    Pid.__dict__[name].__set__ for name in ("number", "serial", "node", "creation", "_hash")
)


class Ref(_Frozen):
    """A reference that is unique in the mesh: of one request, monitor, alias or timer.

    `node` and `creation` are as in `Pid`.  `number` has 64 bits; that of an Erlang node up to 160, printed as
    words of 32.  References sort as in OTP: by the name of the node and its creation, and then by number.
    """

    __slots__ = ("_hash", "creation", "node", "number")
    number: int
    node: str
    creation: int
    _hash: int

    def __init__(self, number: int, node: str = "", creation: int = 0) -> None:
        _set(self, "number", number)
        _set(self, "node", node)
        _set(self, "creation", creation)
        _set(self, "_hash", hash((number, node, creation, "ref")))

    @property
    def is_local(self) -> bool:
        """True for a reference made on this node."""
        return not self.node

    @property
    def incarnation(self) -> Incarnation | None:
        """The incarnation of its node; None for this node."""
        return Incarnation(self.node, self.creation) if self.node else None

    def __eq__(self, other: object) -> bool:
        if type(other) is not Ref:
            return NotImplemented
        return self.number == other.number and self.node == other.node and self.creation == other.creation

    @property
    def _order(self) -> tuple[tuple[str, int], int]:
        where = (self.node, self.creation) if self.node else _SortsAs.here
        return where, self.number

    def __lt__(self, other: object) -> bool:
        return self._order < other._order if type(other) is Ref else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._order <= other._order if type(other) is Ref else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._order > other._order if type(other) is Ref else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._order >= other._order if type(other) is Ref else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        number = self.number
        words = f"{number >> 32}.{number & _WORD}" if number < _LONG else _in_words(number)
        return f"#Ref<{incarnation_number(self.node, self.creation)}.{words}>"

    def __reduce__(self) -> NoReturn:
        msg = "a Ref travels in messages, never in a pickle"
        raise TypeError(msg)

    def __copy__(self) -> Ref:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Ref:
        return self


REFERENCE_BITS: Final = 160
"""The width of a reference's number; those of Erlang nodes have up to five words of 32 bits."""

_WORD: Final = 0xFFFFFFFF
_LONG: Final = 1 << 64
"""The least number of a reference that only Erlang nodes make."""


def _in_words(number: int) -> str:
    """Returns the number of a wide reference, its highest word first."""
    words = []
    while number:
        words.append(str(number & _WORD))
        number >>= 32
    return ".".join(reversed(words))


# ---------------------------------------------------------------- incarnations of other nodes

_numbers = itertools.count(1)
_incarnations: dict[tuple[str, int], int] = {("", 0): 0}
"""(name, creation) -> the first number of its pids here.  Only grows; 0 is this node."""


def incarnation_number(node: str, creation: int) -> int:
    """Returns the number by which a node's incarnation is printed here, a new one for a new incarnation."""
    # setdefault is atomic under the GIL, so threads that meet one incarnation at once agree on its number.
    # The counter gives each incarnation another one; a lost race leaves a number unused, which is harmless.
    number = _incarnations.get((node, creation))
    return number if number is not None else _incarnations.setdefault((node, creation), next(_numbers))


def incarnations() -> dict[int, Incarnation]:
    """Returns the incarnations met so far, by their numbers, without 0, which is this node."""
    return {
        number: Incarnation(*incarnation) for incarnation, number in _incarnations.copy().items() if number
    }


_PRINTED: Final = r"(?:#PID|#Ref)?<?(\d+(?:\.\d+){2,5})>?"


def parse_pid(text: str) -> Pid:
    """Parses a printed pid: `"0.5.0"`, `"<0.5.0>"` or `"#PID<0.5.0>"`.

    Raises:
        ValueError: the text has another form, or its first number is not of a node met here.
    """
    first, number, serial = _parse(text, "pid", "0.5.0")
    incarnation = _incarnation_numbered(first, text)
    return Pid(number, serial, incarnation.name, incarnation.creation)


def parse_ref(text: str) -> Ref:
    """Parses a printed reference: `"0.1.2"`, `"<0.1.2>"` or `"#Ref<0.1.2>"`; raises as `parse_pid`."""
    first, *words = _parse(text, "reference", "0.1.2")
    incarnation = _incarnation_numbered(first, text)
    number = 0
    for word in words:
        number = number << 32 | word
    return Ref(number, incarnation.name, incarnation.creation)


def _parse(text: object, what: str, example: str) -> list[int]:
    found = re.fullmatch(_PRINTED, text.strip()) if isinstance(text, str) else None
    numbers = found[1].split(".") if found else []
    if not 3 <= len(numbers) <= (3 if what == "pid" else 6):
        msg = f"{text!r} is not a printed {what}; one looks like {example!r}"
        raise ValueError(msg)
    first, second, *rest = (int(part) if len(part) < 40 else 2**64 for part in numbers)
    if max(first, second) >= 2**64 or max(rest) >= 2**32 or (len(rest) > 1 and second >= 2**32):
        msg = f"{text!r} is not a printed {what}: its numbers are too large"
        raise ValueError(msg)
    return [first, second, *rest]


def _incarnation_numbered(number: int, text: str) -> Incarnation:
    for incarnation, known in _incarnations.copy().items():
        if known == number:
            return Incarnation(*incarnation)
    msg = f"{text!r}: no node met here has the number {number}"
    raise ValueError(msg)


# ---------------------------------------------------------------- node names

_OF_PART: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_OF_HOST: Final = _OF_PART | frozenset(".:%")
"""The characters that the two parts of a node name may hold."""


def full_name(name: str, host: str) -> str:
    """Checks a node name and returns it in full, with *host* where it has no host part (`"gus"`).

    Raises:
        NodeNameInvalid: the text is not a node name; its sentence says why.
        TypeError: *name* is not a str.
    """
    if type(name) is Atom:
        name = str(name)
    if type(name) is not str:
        msg = f"a node name is a str such as 'gus@{host}', not {name!r}"
        raise TypeError(msg)
    first, at, given_host = name.partition("@")
    if not first:
        raise NodeNameInvalid(name, "the part before @ is empty" if at else "it is empty")
    if not _OF_PART.issuperset(first):
        raise NodeNameInvalid(name, "the part before @ may hold a-z, A-Z, 0-9, _ and - only")
    if "@" in given_host:
        raise NodeNameInvalid(name, "it holds more than one @")
    if at and not given_host:
        raise NodeNameInvalid(name, "the host after @ is empty")
    complete = name if at else f"{name}@{host}"
    if not (hosts := given_host if at else host) or not _OF_HOST.issuperset(hosts):
        raise NodeNameInvalid(complete, "the host after @ may hold a-z, A-Z, 0-9 and . _ : - only")
    if len(complete) > MAX_NODE_NAME_BYTES:
        raise NodeNameInvalid(name, f"it is longer than {MAX_NODE_NAME_BYTES} characters")
    return complete


def is_full_name(name: str) -> bool:
    """Returns True for a valid node name with a host part, as names from other nodes have to be."""
    try:
        return full_name(name, "host") == name
    except NodeNameInvalid:
        return False


def short_host(hostname: str) -> str:
    """Returns the host part of short node names on a host named *hostname*.

    That is the part before the first dot, or `localhost` where that part is not valid in a node name, as in
    `Gus's PC`; all nodes of a host get the same.
    """
    first = hostname.partition(".")[0]
    return first if first and _OF_PART.issuperset(first) else "localhost"


def host_of(name: str) -> str:
    """Returns the part of a node name after the @; `""` without one."""
    return name.partition("@")[2]


def is_long(host: str) -> bool:
    """Returns True for the host part of a long name: an address, or a name with a dot, as in Erlang."""
    return "." in host or ":" in host


# ---------------------------------------------------------------- exceptions, code and classes as data


def _shown(name: str) -> str:
    """Returns the text of a name that another node has chosen, made printable."""
    return on_one_line(name, _LONGEST_NAME)


@dataclass(frozen=True, slots=True, repr=False)
class Raised:
    """An exception as data, as in the exit reason of a crashed process; it can be matched on any node.

    `type` is the name of the class (`"ValueError"`, or `"product_stock.Empty"` for a user's), `text` the
    message, `traceback` the user's frames as text.  `frames` are the last of these, the innermost at the end,
    as (file, line, function, number of its parameters): Erlang nodes show them in their own way.  Exceptions
    that differ in `frames` alone are equal.
    """

    type: str
    text: str
    traceback: str = ""
    frames: tuple[tuple[str, int, str, int], ...] = field(default=(), compare=False, kw_only=True)

    def __repr__(self) -> str:
        text = on_one_line(self.text, len(self.text))
        return f"Raised({_shown(self.type)}: {text})" if text else f"Raised({_shown(self.type)})"


@dataclass(frozen=True, slots=True, repr=False)
class Struct:
    """A dataclass, enum or namedtuple of a peer whose class is not loaded here, or has other fields here.

    `name` is that of the class (`"module.Class"`), `fields` are its (field, value) pairs in order.  A struct
    of an Elixir node, `%Shop.Item{}`, is one named `"Shop.Item"`, and is printed as Elixir prints it.
    """

    name: str
    fields: tuple[tuple[str, Any], ...]

    @property
    def is_elixirs(self) -> bool:
        """True for a struct of Elixir's, `%Shop.Item{}`: a module there begins with a capital letter."""
        return is_module(f"Elixir.{self.name}")

    def __getitem__(self, field: str) -> Any:
        for name, value in self.fields:
            if name == field:
                return value
        raise KeyError(field)

    def __repr__(self) -> str:
        if self.is_elixirs:
            inner = ", ".join(f"{written_key(name)}{value!r}" for name, value in self.fields)
            return f"%{_shown(self.name)}{{{inner}}}"
        inner = ", ".join(f"{_shown(name)}={value!r}" for name, value in self.fields)
        return f"Struct({_shown(self.name)}: {inner})" if inner else f"Struct({_shown(self.name)})"


@dataclass(frozen=True, slots=True, repr=False)
class FunctionName:
    """A function or class of a peer that is not loaded here, by its name there.

    `arity` is the number of arguments of a function of an Erlang node, whose `&String.upcase/1` is
    `FunctionName("Elixir.String", "upcase", 1)`; None for Python's.
    """

    module: str
    name: str
    arity: int | None = None

    def __repr__(self) -> str:
        if self.arity is not None:
            return f"&{Atom(self.module)!r}.{written(self.name)}/{self.arity}"
        return f"FunctionName({_shown(self.module)}.{_shown(self.name)})"


@dataclass(frozen=True, slots=True)
class Literal:
    """In a receive pattern: a class or function that is compared as a value, not used as a test."""

    value: Any
