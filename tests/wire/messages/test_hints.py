"""hints.py: Each well-known type that is not data has its hint."""

from __future__ import annotations

import argparse
import array
import asyncio
import collections
import concurrent.futures
import contextvars
import fractions
import functools
import io
import ipaddress
import itertools
import logging
import mmap
import pathlib
import queue
import re
import socket
import sqlite3
import sys
import tempfile
import threading
import time
import types
import typing
import zoneinfo
from datetime import UTC, datetime
from typing import Any

import pytest

from pyx.errors import EncodeError
from pyx.wire.codec import encode
from pyx.wire.messages.hints import hint

LOCAL = "it works in its own process alone: let that process answer messages"


class Text(str):
    __slots__ = ()


class Count(int):
    pass


class Row(dict[str, int]):
    pass


class Moment(datetime):
    pass


class Plain:
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (bytearray(b"x"), "send bytes(x)"), (memoryview(b"x"), "send bytes(x)"),
        (mmap.mmap(-1, 1), "send bytes(x)"),
        (pathlib.Path("/x"), "send str(x)"), (pathlib.PureWindowsPath("x"), "send str(x)"),
        (ipaddress.ip_address("1.2.3.4"), "send str(x)"), (ipaddress.ip_network("::/64"), "send str(x)"),
        (ipaddress.ip_interface("1.2.3.4/8"), "send str(x)"), (zoneinfo.ZoneInfo("UTC"), "send str(x)"),
        (collections.deque(), "send list(x)"), (range(3), "send list(x)"), ({}.keys(), "send list(x)"),
        ({}.items(), "send list(x)"), (collections.UserList(), "send list(x)"),
        (collections.Counter(), "send dict(x)"), (collections.OrderedDict(), "send dict(x)"),
        (collections.defaultdict(list), "send dict(x)"), (collections.ChainMap(), "send dict(x)"),
        (types.MappingProxyType({}), "send dict(x)"), (Row(), "send dict(x)"),
        (collections.UserDict(), "send dict(x)"), (collections.UserString("a"), "send str(x)"),
        (2j, "send (x.real, x.imag)"),
        (fractions.Fraction(1, 3), "send (x.numerator, x.denominator), or str(x)"),
        (slice(1), "send (x.start, x.stop, x.step)"), (array.array("i"), "send x.tolist()"),
        (types.SimpleNamespace(a=1), "send vars(x)"), (argparse.Namespace(a=1), "send vars(x)"),
        (UTC, "send x.utcoffset(None), or a datetime that has this zone"),
        (..., "send a word that both sides know; `...` itself belongs into patterns"),
        (NotImplemented, "send None, or a word that both sides know"),
        (sys, "send x.__name__; the receiver imports it"), (re.compile("x"), "send x.pattern"),
        (re.match("x", "x"), "send x.groups(), or x.group()"),
        (functools.partial(len), "send the function and its arguments"),
        (concurrent.futures.Future(), "send x.result()"), (io.BytesIO(), "send x.getvalue()"),
        (io.StringIO(), "send x.getvalue()"), (logging.getLogger("x"), "send x.name"),
        (time.gmtime(), "send tuple(x)"), (list[int], "send str(x)"), (int | str, "send str(x)"),
        (typing.Optional[int], "send str(x)"),  # noqa: UP045 - an object of another class
        (threading.Lock(), LOCAL), (threading.Thread(), LOCAL), (threading.Event(), LOCAL),
        (queue.Queue(), LOCAL), (queue.SimpleQueue(), LOCAL), (sys._getframe(), LOCAL),
        (asyncio.Lock(), LOCAL), (asyncio.Queue(), LOCAL),
        (contextvars.copy_context(), LOCAL), (threading.local(), LOCAL),
        (Text("a"), "send str(x)"), (Count(1), "send int(x)"), (Moment(2024, 1, 1), "send str(x)"),
        (itertools.count(), "send a list of what it yields: list(...)"),
        (type(None), "send its name as a str"),
        (Plain(), "make its class a dataclass, or send a dict of its fields"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_value_that_is_not_data_has_its_hint(value: Any, expected: str) -> None:
    for message in (value, [value], {"a": (value, 1)}):
        with pytest.raises(EncodeError) as caught:
            encode(message)
        assert caught.value.value is value
        assert caught.value.hint == expected


def test_open_file_and_socket_have_their_hints() -> None:
    path = "send its path, or what was read from it"
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile("w") as text, socket.socket() as conn:
        assert [hint(each) for each in (file, text, conn)] == [path, path, LOCAL]
    base = sqlite3.connect(":memory:")
    assert hint(base) == LOCAL
    base.close()


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("numpy", "ndarray", "send x.tolist()"), ("numpy", "generic", "send x.item()"),
        ("pandas.core.frame", "DataFrame", "send x.to_dict('records')"),
        ("pandas.core.series", "Series", "send x.to_list()"),
    ],
)  # fmt: skip
def test_type_of_a_package_has_its_hint_by_name(module: str, name: str, expected: str) -> None:
    """The package need not be installed; a subclass (`numpy.int64` of `numpy.generic`) has the same hint."""
    base = type(name, (), {"__module__": module})
    for cls in (base, type("int64", (base,), {"__module__": module})):
        assert hint(cls()) == expected


def test_time_zone_has_its_hint() -> None:
    assert hint(UTC) == "send x.utcoffset(None), or a datetime that has this zone"
