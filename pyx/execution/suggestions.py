"""What the user may have meant by a name that does not exist, for the last line of a traceback.

Python suggests the closest name: from 3.12 on also in the tracebacks that `traceback` makes.  Here are the
words of OTP and Elixir for what pyx or Python calls otherwise, which no spelling leads to; and for Python
3.11 what later ones suggest.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from pyx.close_words import close_word
from pyx.execution.foreign_syntax import meant_by_syntax
from pyx.execution.stacks import locals_of
from pyx.introspection import (
    attributes_of_module,
    class_dict,
    class_module,
    class_mro,
    class_qualname,
    instance_dict_descriptor,
    is_class,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

OTP_NAMES: Final = {
    "nil": "None",
    "true": "True",
    "false": "False",
    "is_alive": "Process.is_alive",
    "alive": "Process.is_alive",
    "nodes": "Node.list",
    "ping": "Node.ping",
    "whereis": "Process.whereis",
    "register": "Process.register",
    "unregister": "Process.unregister",
    "registered": "Process.registered",
    "processes": "Process.list",
    "process_info": "Process.info",
    "process_flag": "Process.flag",
    "group_leader": "Process.group_leader",
    "link": "Process.link",
    "unlink": "Process.unlink",
    "demonitor": "Process.demonitor",
    "monitor": "Process.monitor",
    "monitor_node": "Node.monitor",
    "monitor_nodes": "Node.monitor_nodes",
    "send_after": "Process.send_after",
    "get_cookie": "Node.get_cookie",
    "set_cookie": "Node.set_cookie",
    "gen_server": "GenServer",
    "supervisor": "Supervisor",
    "halt": "exit",
    "erpc": "rpc",
    "net_kernel": "Node",
    "net_adm": "Node",
    "IEx": "breakpoint",
    "pry": "breakpoint",
    "dbg": "breakpoint",
    "IO": "print",
    "length": "len",
}
"""Bare words of Erlang, Elixir and IEx: what to write here."""

OTP_ATTRIBUTES: Final = {
    "Process": {
        "alive": "is_alive",
        "processes": "list",
        "spawn": "spawn",
        "self": "self",
        "process_flag": "flag",
        "name": "register",
        "whereis_name": "whereis",
        "apply_after": "send_after",
        "apply_interval": "send_interval",
    },
    "Node": {
        "alive": "is_alive",
        "nodes": "list",
        "name": "self",
        "whoami": "self",
        "monitor_node": "monitor",
        "connect_node": "connect",
        "halt": "stop",
        "get": "info",
        "node_info": "info",
        "nodes_info": "info",
        "allow": "set_cookie",
    },
    "GenServer": {
        "send_request": "request",
        "multicall": "multi_call",
        "exit": "stop",
        "start_monitor": "start",
    },
    "Supervisor": {
        "children": "which_children",
        "remove_child": "delete_child",
        "stop_child": "terminate_child",
    },
    "DynamicSupervisor": {"children": "which_children", "delete_child": "terminate_child"},
    "Task": {"async": "async_", "await": "await_", "yield": "yield_", "wait": "await_"},
    "Registry": {"whereis": "whereis_name", "match": "select"},
    "Sys": {"code_change": "change_code", "state": "get_state", "status": "get_status"},
    "rpc": {
        "multi_call": "multicall",
        "block_call": "call",
        "async": "async_call",
        "send_request": "async_call",
        "yield_": "async_call",
        "nb_yield": "async_call",
        "receive_response": "async_call",
        "multicast": "eval_everywhere",
        "sbcast": "abcast",
        "parallel_eval": "pmap",
        "pinfo": "Process.info",
        "server_call": "GenServer.call",
        "multi_server_call": "GenServer.multi_call",
    },
    "pg": {"members": "get_members", "local_members": "get_local_members", "groups": "which_groups"},
}
"""Attributes of pyx's classes and modules likewise."""

_PYTHONS: Final = re.compile(r"\. Did you mean:? '[^']*'\?$")
_CANNOT_IMPORT: Final = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_MOST_NAMES: Final = 750  # as Python itself: a suggestion must not take long


def with_suggestion(error: BaseException, line: str) -> str:
    """Returns the last *line* of a traceback with what was meant, if that is known and not said yet.

    Args:
        error: the exception; its frames are those of the user.
        line: the class and the message, without a newline.
    """
    if type(error) is NameError and type(error.name) is str:
        meant = OTP_NAMES.get(error.name)
    elif type(error) is AttributeError and type(error.name) is str:
        meant = _otp_attribute(error.obj, error.name)
        if meant == error.name:
            return f"{_PYTHONS.sub('', line)}. Did you mean: '{meant}', a word of its own?"
    elif type(error) is SyntaxError and type(error.text) is str:
        meant = meant_by_syntax(error.text, error.offset)
        return line if meant is None else f"{_PYTHONS.sub('', line)}. Did you mean: {meant}"
    elif type(error) is ImportError and type(error.msg) is str:
        return _with_imported_name(error.msg, line)
    else:
        return line
    if meant is not None:
        return f"{_PYTHONS.sub('', line)}. Did you mean: '{meant}'?"
    if sys.version_info >= (3, 12):
        return line
    if (close := _close_name(error, error.name)) is not None:
        return f"{line}. Did you mean: '{close}'?"
    if type(error) is NameError and error.name in sys.stdlib_module_names:
        return f"{line}. Did you forget to import '{error.name}'?"
    return line


def _with_imported_name(message: str, line: str) -> str:
    """Returns the last *line* of a failed `from`, with the name that Python suggests from 3.12 on."""
    refused = _CANNOT_IMPORT.match(message)
    module = sys.modules.get(refused[2]) if refused is not None else None
    if refused is None or sys.version_info >= (3, 12) or not issubclass(type(module), ModuleType):
        return line
    found = attributes_of_module(module)
    public = found.get("__all__")  # a module that loads its names late, as pyx does, has them here alone
    names = [*found, *(public if type(public) in {list, tuple} else ())]
    close = close_word(refused[1], sorted({name for name in names if type(name) is str}))
    return line if close is None else f"{line}. Did you mean: '{close}'?"


def _otp_attribute(owner: object, name: str) -> str | None:
    if issubclass(type(owner), ModuleType):
        module = attributes_of_module(owner).get("__name__")
        owners = [module.removeprefix("pyx.")] if type(module) is str and module.startswith("pyx.") else []
    else:
        mro = class_mro(owner if is_class(owner) else type(owner))
        owners = [class_qualname(cls) for cls in mro if str(class_module(cls)).startswith("pyx.")]
    return next(
        (found for one in owners if (found := OTP_ATTRIBUTES.get(one, {}).get(name)) is not None), None
    )


def _close_name(error: NameError | AttributeError, wrong: str) -> str | None:
    names = {name for name in _names_there(error) if type(name) is str}
    if wrong[:1] != "_":
        names = {name for name in names if name[:1] != "_"}
    if len(names) > _MOST_NAMES:
        return None
    return close_word(wrong, sorted(names))


def _names_there(error: NameError | AttributeError) -> Iterator[Any]:
    """Yields the names that the code could have used; runs none of the user's code."""
    if isinstance(error, NameError):
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if place is not None:
            frame = place.tb_frame
            yield from (*locals_of(frame), *frame.f_globals, *frame.f_builtins)
    elif issubclass(type(error.obj), ModuleType):
        yield from attributes_of_module(error.obj)
    else:
        mro = class_mro(error.obj if is_class(error.obj) else type(error.obj))
        for cls in mro:
            yield from class_dict(cls)
        descriptor = None if is_class(error.obj) else instance_dict_descriptor(mro)
        yield from () if descriptor is None else descriptor.__get__(error.obj)
