"""Hints for values that are not data: what to send instead, for each well-known type.

Types are known by name, so nothing is imported for a hint and no code of the object runs.
"""

from __future__ import annotations

from typing import Final

from pyx.introspection import class_dict, class_mro
from pyx.wire.messages.names import Unsendable, class_name

_PROCESS_LOCAL: Final = "it works in its own process alone: let that process answer messages"
_AS_LIST: Final = "send list(x)"
_YIELDS: Final = "send a list of what it yields: list(...)"
_YIELDS_ASYNC: Final = "send a list of what it yields: [item async for item in ...]"
_AS_TEXT: Final = "send str(x)"
_AS_DICT: Final = "send dict(x)"

_HINTS: Final = {
    cls: text
    for text, classes in {
        "send bytes(x)": "bytearray memoryview mmap.mmap",
        _AS_LIST: "range dict_keys dict_values dict_items collections.deque collections.UserList",
        _YIELDS_ASYNC: "async_generator",
        _AS_DICT: "collections.OrderedDict collections.defaultdict collections.Counter collections.ChainMap "
        "collections.UserDict mappingproxy types.MappingProxyType odict_items os._Environ",
        _AS_TEXT: "pathlib.PurePath pathlib._local.PurePath ipaddress._IPAddressBase collections.UserString "
        "urllib.parse.ParseResult types.GenericAlias types.UnionType typing.Union typing._Final "
        "zoneinfo.ZoneInfo zoneinfo._common.ZoneInfo",
        "send (x.real, x.imag)": "complex",
        "send (x.numerator, x.denominator), or str(x)": "fractions.Fraction",
        "send (x.start, x.stop, x.step)": "slice",
        "send x.tolist()": "array.array numpy.ndarray",
        "send x.item()": "numpy.generic",
        "send x.to_dict('records')": "pandas.DataFrame pandas.core.frame.DataFrame",
        "send x.to_list()": "pandas.Series pandas.core.series.Series",
        "send x.to_pydatetime()": "pandas._libs.tslibs.timestamps.Timestamp",
        "send vars(x)": "types.SimpleNamespace argparse.Namespace",
        "send x.utcoffset(None), or a datetime that has this zone": "datetime.timezone datetime.tzinfo",
        "send a word that both sides know; `...` itself belongs into patterns": "ellipsis",
        "send None, or a word that both sides know": "NotImplementedType",
        "send x.__name__; the receiver imports it": "module",
        "send x.pattern": "re.Pattern",
        "send x.groups(), or x.group()": "re.Match",
        "send the function and its arguments": "functools.partial functools.partialmethod",
        "await it, and send the result": "coroutine _asyncio.Future _asyncio.Task asyncio.Future",
        "send x.result()": "concurrent.futures._base.Future",
        "send x.getvalue()": "_io.BytesIO _io.StringIO",
        "send its path, or what was read from it": "_io._IOBase",
        "send x.name": "logging.Logger tempfile._TemporaryFileWrapper",
        "send tuple(x)": "time.struct_time os.stat_result sqlite3.Row",
        "send the text of it: traceback.format_tb(x)": "traceback",
        "send x.tobytes(), or the path of a file": "PIL.Image.Image",
        "send x.decode()": "numpy.bytes_",
        _PROCESS_LOCAL: "_thread.lock _thread.RLock threading.Thread threading.Event threading.Condition "
        "threading.Semaphore threading.Barrier threading.local _thread._local queue.Queue _queue.SimpleQueue "
        "asyncio.locks.Lock asyncio.locks.Event asyncio.queues.Queue socket.socket _socket.socket "
        "ssl.SSLSocket sqlite3.Connection sqlite3.Cursor subprocess.Popen frame code _contextvars.Context "
        "weakref.ReferenceType _ctypes._SimpleCData _ctypes.Structure select.epoll",
    }.items()
    for cls in classes.split()
}  # fmt: skip

_BUILTIN_DATA: Final = ("bool", "int", "float", "str", "bytes", "list", "tuple", "dict", "set", "frozenset")


def hint(value: object) -> str:
    """Returns what to send instead of an object that is not data."""
    is_own_class = True
    for cls in class_mro(type(value)):
        try:
            module, name = class_name(cls)
        except Unsendable:
            continue
        text = _HINTS.get(name if module == "builtins" else f"{module}.{name}")
        if text is not None:
            return text
        if module == "builtins" and name in _BUILTIN_DATA and not is_own_class:
            return f"send {name}(x)"
        if module.partition(".")[0] in {"datetime", "decimal", "uuid"} and not is_own_class:
            return _AS_TEXT
        is_own_class = False
    if any("__next__" in class_dict(cls) for cls in class_mro(type(value))):
        return _YIELDS
    return "make its class a dataclass, or send a dict of its fields"
