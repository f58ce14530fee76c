"""Pids and references in payloads, written and read from the point of view of one node.

A pid of the node that encodes is written without a node; the receiver fills in the encoder's incarnation
(`origin`), and drops its own (`here`).
"""

from __future__ import annotations

from typing import Any, Final, Protocol, cast

from pyx.printable import short_repr
from pyx.terms import Incarnation, Pid, Ref, is_full_name
from pyx.wire.messages import format
from pyx.wire.messages.format import MalformedPayload, exact
from pyx.wire.messages.names import Unsendable

_OUT_OF_RANGE: Final = "cannot be an address: its numbers are too large, or below 0"
"""Shifting a number below 0 to the right leaves -1, so one test finds both."""

_KNOWN_NAMES: Final = 4096
_known_names: set[str] = set()
"""Node names already validated: the pids in a stream of payloads are of few nodes.  Emptied when full."""

_PID = format.tag(format.PID)
_REF = format.tag(format.REF)


def reduce_pid(value: Pid) -> list[Any]:
    """The array that stands in a payload for a Pid."""
    if value.number >> 64 or value.serial >> 32:
        raise Unsendable(_OUT_OF_RANGE)
    if value.node:
        return [_PID, value.number, value.serial, value.node, value.creation]
    return [_PID, value.number, value.serial]


def reduce_ref(value: Ref) -> list[Any]:
    """The array that stands in a payload for a Ref."""
    if value.number >> 64:
        raise Unsendable(_OUT_OF_RANGE)
    return [_REF, value.number, value.node, value.creation] if value.node else [_REF, value.number]


class Viewpoint(Protocol):
    """Whose pids are which: `origin` encoded the payload (None: this node), `here` decodes it."""

    origin: Incarnation | None
    here: Incarnation | None


def build_pid(view: Viewpoint, items: list[Any]) -> Pid:
    """The Pid of a tagged array, as this node writes it."""
    _, number, serial, *incarnation = items
    return Pid(_checked(number, 64), _checked(serial, 32), *_incarnation(view, incarnation))


def build_ref(view: Viewpoint, items: list[Any]) -> Ref:
    """The Ref of a tagged array, as this node writes it."""
    _, number, *incarnation = items
    return Ref(_checked(number, 64), *_incarnation(view, incarnation))


def _incarnation(view: Viewpoint, parts: list[Any]) -> tuple[str, int]:
    """Name and creation of the node that a pid or reference belongs to; ("", 0) for this node."""
    if parts:
        name, creation = parts
        incarnation = Incarnation(_node_name(name), _checked(creation, 32))
        if not creation:
            raise MalformedPayload("the creation of a pid or reference is 0")
    elif view.origin is None:
        return "", 0
    else:
        incarnation = view.origin
    return ("", 0) if incarnation == view.here else incarnation


def _node_name(name: Any) -> str:
    if exact(name, str) not in _known_names:
        if not is_full_name(name):
            raise MalformedPayload("a pid or reference has an invalid node name")
        if len(_known_names) >= _KNOWN_NAMES:
            _known_names.clear()
        _known_names.add(name)
    return cast("str", name)


def _checked(value: Any, bits: int) -> int:
    if type(value) is not int or value < 0 or value >> bits:
        raise MalformedPayload(f"a pid or reference has {short_repr(value)} for a number of {bits} bits")
    return value
