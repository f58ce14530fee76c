"""The values processes and nodes are called by: Pid, Ref, node names; and stand-ins for code and failures.

Everything here is frozen, hashable and printable.  Not here: how these become bytes (`wire/codec.py`), and
what may be done with them (`core`).  The one piece of state is the table that numbers the lives of foreign
nodes as this observer met them, so that `#PID<3.112.0>` can be printed and read back.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

from pyx.errors import NodeNameInvalid
from pyx.printable import on_one_line

MAX_NODE_NAME_BYTES: Final = 255
"""A name travels with a one-byte length, as in EPMD."""


_LONGEST_NAME: Final = 1000
"""Characters that are shown of the name of a class or a function."""

LONGEST_WORD: Final = 255
"""Characters of what is an atom in Erlang: the name of a process, an exit reason that is a word."""


class Incarnation(NamedTuple):
    """One life of a node: its name, and the 32 random bits of this start (never 0)."""

    name: str
    creation: int


class _Frozen:
    """What Pid and Ref share: slots that are set once, in `__init__`."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        msg = f"{type(self).__name__} is frozen"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> NoReturn:
        msg = f"{type(self).__name__} is frozen"
        raise AttributeError(msg)


_set = object.__setattr__


class Pid(_Frozen):
    """The address of a process; prints as in IEx.

    In memory a pid of *this* node has `node == ""` and `creation == 0`, so starting or stopping the node
    makes no old pid a stranger.  `number` counts up per node, `serial` counts its wraps.
    """

    __slots__ = ("_hash", "creation", "node", "number", "serial")
    number: int
    serial: int
    node: str
    creation: int
    _hash: int

    def __init__(self, number: int, serial: int = 0, node: str = "", creation: int = 0) -> None:
        _set(self, "number", number)
        _set(self, "serial", serial)
        _set(self, "node", node)
        _set(self, "creation", creation)
        # The name first: its hash differs in each interpreter, so a peer cannot choose numbers that collide.
        _set(self, "_hash", hash((node, creation, number, serial)))

    @property
    def is_local(self) -> bool:
        """True for a process of this node."""
        return not self.node

    @property
    def incarnation(self) -> Incarnation | None:
        """The node's life it belongs to; None for this node."""
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

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"#PID<{_incarnation_number(self.node, self.creation)}.{self.number}.{self.serial}>"

    def __reduce__(self) -> NoReturn:
        msg = "a Pid travels in messages, never in a pickle"
        raise TypeError(msg)

    def __copy__(self) -> Pid:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Pid:
        return self


class Ref(_Frozen):
    """A reference, unique in the mesh: the mark of one request, one monitor, one timer.

    `node` and `creation` are as in `Pid`; `number` is 64 bits wide.
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
        """The node's life it belongs to; None for this node."""
        return Incarnation(self.node, self.creation) if self.node else None

    def __eq__(self, other: object) -> bool:
        if type(other) is not Ref:
            return NotImplemented
        return self.number == other.number and self.node == other.node and self.creation == other.creation

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        high, low = divmod(self.number, 1 << 32)
        return f"#Ref<{_incarnation_number(self.node, self.creation)}.{high}.{low}>"

    def __reduce__(self) -> NoReturn:
        msg = "a Ref travels in messages, never in a pickle"
        raise TypeError(msg)

    def __copy__(self) -> Ref:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Ref:
        return self


# ---------------------------------------------------------------- the lives this observer has met

_numbers = itertools.count(1)
_incarnations: dict[tuple[str, int], int] = {("", 0): 0}
"""(name, creation) -> the first number of its pids here.  Only grows; 0 is this node."""


def _incarnation_number(node: str, creation: int) -> int:
    # setdefault is one step under the GIL, so two threads that meet one life at once agree on its number;
    # the counter keeps two lives met at once apart (a lost race leaves a gap, which harms nobody).
    number = _incarnations.get((node, creation))
    return number if number is not None else _incarnations.setdefault((node, creation), next(_numbers))


def incarnations() -> dict[int, Incarnation]:
    """The table of lives met so far: number -> life.  0, this node, is left out."""
    return {
        number: Incarnation(*incarnation) for incarnation, number in list(_incarnations.items()) if number
    }


_PRINTED = re.compile(r"(?:#PID|#Ref)?<?(\d+)\.(\d+)\.(\d+)>?")


def parse_pid(text: str) -> Pid:
    """Reads back a printed pid: `"0.5.0"`, `"<0.5.0>"` or `"#PID<0.5.0>"`.

    Raises:
        ValueError: it does not look like one, or its first number is of no node met here.
    """
    first, number, serial = _parse(text, "pid", "0.5.0")
    incarnation = _incarnation_numbered(first, text)
    return Pid(number, serial, incarnation.name, incarnation.creation)


def parse_ref(text: str) -> Ref:
    """Reads back a printed reference: `"0.1.2"`, `"<0.1.2>"` or `"#Ref<0.1.2>"`; raises as `parse_pid`."""
    first, high, low = _parse(text, "reference", "0.1.2")
    incarnation = _incarnation_numbered(first, text)
    return Ref((high << 32) | low, incarnation.name, incarnation.creation)


def _parse(text: object, what: str, example: str) -> tuple[int, int, int]:
    if not isinstance(text, str) or not (found := _PRINTED.fullmatch(text.strip())):
        msg = f"{text!r} is not a printed {what}; one looks like {example!r}"
        raise ValueError(msg)
    first, second, third = (int(part) if len(part) < 40 else 2**64 for part in found.groups())
    if max(first, second, third) >= 2**64 or third >= 2**32:
        msg = f"{text!r} is not a printed {what}: its numbers are too large"
        raise ValueError(msg)
    return first, second, third


def _incarnation_numbered(number: int, text: str) -> Incarnation:
    for incarnation, known in list(_incarnations.items()):
        if known == number:
            return Incarnation(*incarnation)
    msg = f"{text!r}: no node met here has the number {number}"
    raise ValueError(msg)


# ---------------------------------------------------------------- node names

_PART = re.compile(r"[A-Za-z0-9_-]+")
_HOST = re.compile(r"[A-Za-z0-9_.:%-]+")


def full_name(name: str, host: str) -> str:
    """A checked node name, completed with *host* where only the first part is given (`"gus"`).

    Raises:
        NodeNameInvalid: one sentence says what is wrong with it.
        TypeError: it is no str.
    """
    if type(name) is not str:
        msg = f"a node name is a str such as 'gus@{host}', not {name!r}"
        raise TypeError(msg)
    first, at, given_host = name.partition("@")
    if not first:
        raise NodeNameInvalid(name, "the part before @ is empty" if at else "it is empty")
    if not _PART.fullmatch(first):
        raise NodeNameInvalid(name, "the part before @ may hold a-z, A-Z, 0-9, _ and - only")
    if "@" in given_host:
        raise NodeNameInvalid(name, "it holds more than one @")
    if at and not given_host:
        raise NodeNameInvalid(name, "the host after @ is empty")
    complete = name if at else f"{name}@{host}"
    if not _HOST.fullmatch(given_host if at else host):
        raise NodeNameInvalid(complete, "the host after @ may hold a-z, A-Z, 0-9 and . _ : - only")
    if len(complete) > MAX_NODE_NAME_BYTES:
        raise NodeNameInvalid(name, f"it is longer than {MAX_NODE_NAME_BYTES} characters")
    return complete


def is_full_name(name: str) -> bool:
    """True for a node name that is complete and well formed, as names from other nodes have to be."""
    try:
        return full_name(name, "host") == name
    except NodeNameInvalid:
        return False


def short_host(hostname: str) -> str:
    """The host part of short node names on a host that is called *hostname*.

    That is what stands before the first dot; `localhost` where that cannot stand in a node name, as in
    `Gus's PC`: all nodes of such a host agree on it.
    """
    first = hostname.partition(".")[0]
    return first if _PART.fullmatch(first) else "localhost"


def host_of(name: str) -> str:
    """The part after the @."""
    return name.partition("@")[2]


def is_long(host: str) -> bool:
    """True for the host part of a long name: an address, or a name with a dot, as in Erlang."""
    return "." in host or ":" in host


# ---------------------------------------------------------------- stand-ins for code and failures


def _shown(name: str) -> str:
    """A name that another node has chosen; it may be any text."""
    return on_one_line(name, _LONGEST_NAME)


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as data: what a crashed process died of, readable and matchable on any node.

    `type` is the class name (`"ValueError"`, or `"product_stock.Empty"` for a user's class), `text` the
    message, `traceback` the user's frames as text.
    """

    type: str
    text: str
    traceback: str = ""

    def __repr__(self) -> str:
        text = on_one_line(self.text, len(self.text))
        return f"Raised({_shown(self.type)}: {text})" if text else f"Raised({_shown(self.type)})"


@dataclass(frozen=True, slots=True)
class Struct:
    """A dataclass, enum or namedtuple whose class is not loaded here, or has other fields here.

    `name` is the class (`"module.Class"`), `fields` its (field, value) pairs in order.
    """

    name: str
    fields: tuple[tuple[str, Any], ...]

    def __getitem__(self, field: str) -> Any:
        for name, value in self.fields:
            if name == field:
                return value
        raise KeyError(field)

    def __repr__(self) -> str:
        inner = ", ".join(f"{_shown(name)}={value!r}" for name, value in self.fields)
        return f"Struct({_shown(self.name)}: {inner})" if inner else f"Struct({_shown(self.name)})"


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function or class that is not loaded here, by the name it has elsewhere."""

    module: str
    name: str

    def __repr__(self) -> str:
        return f"FunctionName({_shown(self.module)}.{_shown(self.name)})"


@dataclass(frozen=True, slots=True)
class Literal:
    """In a receive pattern: the message *is* this value (a class or a function meant as a value)."""

    value: Any
