"""The terms of Erlang that Python lacks, reduced to arrays and rebuilt.

Loaded with the first of them (`reduce`), or before payloads of peers are decoded (`codec.load_for_peers`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Map, Port
from pyx.terms import is_full_name
from pyx.wire.messages import format
from pyx.wire.messages.format import MalformedPayload, exact

if TYPE_CHECKING:
    from collections.abc import Callable

_IMPROPER_LIST = format.tag(format.IMPROPER_LIST)
_MAP = format.tag(format.MAP)
_BIT_STRING = format.tag(format.BIT_STRING)
_PORT = format.tag(format.PORT)
_BEAM_FUNCTION = format.tag(format.BEAM_FUNCTION)


def _reduce_improper_list(value: ImproperList) -> list[Any]:
    return [_IMPROPER_LIST, value.tail, *value.items]


def _build_improper_list(items: list[Any]) -> ImproperList:
    return ImproperList(items[2:], items[1])


def _reduce_map(value: Map) -> list[Any]:
    return [_MAP, *(each for pair in value.pairs for each in pair)]


def _build_map(items: list[Any]) -> Map:
    return Map(zip(items[1::2], items[2::2], strict=True))


def _reduce_bit_string(value: BitString) -> list[Any]:
    return [_BIT_STRING, value.data, value.bits]


def _build_bit_string(items: list[Any]) -> BitString:
    _, data, bits = items
    return BitString(data, bits)


def _reduce_port(value: Port) -> list[Any]:
    return [_PORT, value.node, value.number, value.creation]


def _build_port(items: list[Any]) -> Port:
    _, node, number, creation = items
    if not is_full_name(exact(node, str)) or exact(number, int) >> 64 or exact(creation, int) >> 32:
        raise MalformedPayload("a port has an invalid address")
    return Port(node, number, creation)


def _reduce_function(value: BeamFunction) -> list[Any]:
    return [_BEAM_FUNCTION, value.data]


def _build_function(items: list[Any]) -> BeamFunction:
    _, data = items
    return BeamFunction(exact(data, bytes))


REDUCERS: Final[dict[type, Callable[[Any], list[Any]]]] = {
    ImproperList: _reduce_improper_list,
    Map: _reduce_map,
    BitString: _reduce_bit_string,
    Port: _reduce_port,
    BeamFunction: _reduce_function,
}
"""By class: from a value to the array that stands for it in a payload."""

_BUILDERS: Final[dict[int, Callable[[list[Any]], Any]]] = {
    format.IMPROPER_LIST: _build_improper_list,
    format.MAP: _build_map,
    format.BIT_STRING: _build_bit_string,
    format.PORT: _build_port,
    format.BEAM_FUNCTION: _build_function,
}


def build(kind: int, items: list[Any]) -> Any:
    """Returns the value of a tagged array of one of these kinds."""
    return _BUILDERS[kind](items)
