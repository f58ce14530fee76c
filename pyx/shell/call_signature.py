"""The parameters of what is called at the cursor, read without running code.

`inspect.signature` would ask an object for its `__signature__`, `__wrapped__` and `__text_signature__`, which
may be the user's properties.  Here the code object of a function and the text signature of a C function tell
them.
"""

from __future__ import annotations

import functools
import sys
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    WrapperDescriptorType,
)
from typing import Any, Final, NamedTuple

from pyx.introspection import class_attribute, class_mro, definer, is_builtin, is_class
from pyx.shell.input_scanner import InputScanner
from pyx.shell.partial_values import BoundFunction, function_of_helper

_PLAIN_DEFAULTS: Final = (bool, bytes, float, int, str, type(None), type(...))
_LONGEST_DEFAULT: Final = 20
_MOST_WRAPPERS: Final = 10
_C_FUNCTIONS: Final = (
    BuiltinFunctionType,
    MethodDescriptorType,
    ClassMethodDescriptorType,
    WrapperDescriptorType,
    type("".__len__),  # MethodWrapperType
)
_WRAPPING: Final = (FunctionType, type(functools.cache(len)))
"""The types of which an instance may have `__wrapped__` in its `__dict__`: also that of `functools.cache`."""


class CallSignature(NamedTuple):
    """The parameters of a call as they are written: `a`, `/`, `b=1`, `*args`, `*`, `key=None`, `**kwargs`."""

    name: str
    parameters: list[str]

    def keywords(self) -> list[str]:
        """Returns the names that may be given as `name=`."""
        named = [text.partition("=")[0] for text in self.parameters]
        first = named.index("/") + 1 if "/" in named else 0
        return [name for name in named[first:] if name.isidentifier()]

    def active(self, argument: int, keyword: str | None = None) -> int | None:
        """Returns the number of the parameter that is given at the cursor; None if there is none.

        Args:
            argument: the number of arguments before the cursor.
            keyword: the name before the `=` of the argument at the cursor.
        """
        named = [text.partition("=")[0] for text in self.parameters]
        rest = next((at for at, name in enumerate(named) if name.startswith("**")), None)
        if keyword is not None:
            return named.index(keyword) if keyword in named else rest
        positions: list[int] = []
        for at, name in enumerate(named):
            if name.startswith("*"):
                if name != "*" and not name.startswith("**"):
                    return positions[argument] if argument < len(positions) else at
                break
            if name != "/":
                positions.append(at)
        return positions[argument] if argument < len(positions) else None


def call_signature(function: object, name: str) -> CallSignature | None:
    """Returns the parameters of what is called; None if they are not known without running code.

    Args:
        function: as `static_values.known_value` returns it.
        name: as it is written.
    """
    parameters = _parameters(function, 0)
    return None if parameters is None else CallSignature(name.rpartition(".")[2], parameters)


def is_client_function(value: object) -> bool:
    """Returns True for a client function of a server's handler."""
    module: Any = sys.modules.get("pyx.otp.client_functions")  # loaded by the first server
    return module is not None and type(value) in {module.CallClient, module.CastClient}


def _parameters(function: Any, depth: int) -> list[str] | None:
    if depth > _MOST_WRAPPERS:
        return None
    kind = type(function)
    if kind is BoundFunction:
        return _without_first(_parameters(function.function, depth + 1))
    if is_client_function(function):
        return ["server", "/", *(_without_first(_parameters(function.__wrapped__, depth + 1)) or [])]
    if (helper := function_of_helper(function)) is not None:
        return _parameters(helper, depth + 1)
    if kind in _WRAPPING:
        wrapped = kind.__dict__["__dict__"].__get__(function).get("__wrapped__")
        if wrapped is not None:
            return _parameters(wrapped, depth + 1)
        return _of_code(function) if kind is FunctionType else None
    if kind is MethodType:
        return _without_first(_parameters(function.__func__, depth + 1))
    if kind is functools.partial:
        return _without(len(function.args), _parameters(function.func, depth + 1))
    if kind in _C_FUNCTIONS:
        return _of_text(kind.__dict__["__text_signature__"].__get__(function), is_method=kind)
    if is_class(function):
        return _of_class(function, depth)
    call = class_attribute(class_mro(kind), "__call__")
    return _without_first(_of_code(call)) if type(call) is FunctionType else None


def _of_class(cls: Any, depth: int) -> list[str] | None:
    mro = class_mro(cls)
    call = definer(class_mro(type(cls)), "__call__")
    if call is not type:
        return None
    init, new = definer(mro, "__init__"), definer(mro, "__new__")
    if init is not None and not is_builtin(init):
        return _without_first(_parameters(class_attribute(mro, "__init__"), depth + 1))
    if new is not None and not is_builtin(new):
        made = class_attribute(mro, "__new__")
        return _without_first(_parameters(made.__func__ if type(made) is staticmethod else made, depth + 1))
    if is_builtin(cls):
        return _of_text(type.__dict__["__text_signature__"].__get__(cls), is_method=type)
    return [] if init is object and new is object else None


def _of_code(function: FunctionType) -> list[str]:
    code = function.__code__
    positional = list(code.co_varnames[: code.co_argcount])
    keywords = list(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    extra = iter(code.co_varnames[code.co_argcount + code.co_kwonlyargcount :])
    defaults = function.__defaults__ or ()
    of_keywords = function.__kwdefaults__ or {}
    first_default = len(positional) - len(defaults)
    parameters: list[str] = []
    for at, name in enumerate(positional):
        parameters.append(name if at < first_default else f"{name}={_shown(defaults[at - first_default])}")
        if at + 1 == code.co_posonlyargcount:
            parameters.append("/")
    if code.co_flags & 0x04:  # CO_VARARGS
        parameters.append(f"*{next(extra)}")
    elif keywords:
        parameters.append("*")
    parameters += [
        f"{name}={_shown(of_keywords[name])}" if name in of_keywords else name for name in keywords
    ]
    if code.co_flags & 0x08:  # CO_VARKEYWORDS
        parameters.append(f"**{next(extra)}")
    return parameters


def _shown(default: object) -> str:
    """Returns a default as text; `...` for one whose `repr` may be the user's, or is long."""
    if type(default) in {tuple, list, dict, set, frozenset} and not default:
        return repr(default)
    text = repr(default) if type(default) in _PLAIN_DEFAULTS else "..."
    return text if len(text) <= _LONGEST_DEFAULT else "..."


def _of_text(text: object, *, is_method: type) -> list[str] | None:
    """Returns the parameters in a text signature such as `($self, sep=None, /)`; None if there is none."""
    if type(text) is not str:
        return None
    inside = text.partition("(")[2].rpartition(")")[0]
    parameters = [part.strip() for part in _split(inside) if part.strip()]
    if parameters[:1] and parameters[0].startswith("$"):
        del parameters[0]
        if parameters[:1] == ["/"]:
            del parameters[0]
    elif is_method is not type and is_method is not BuiltinFunctionType and parameters[:1] == ["self"]:
        del parameters[0]
    return parameters


def _split(text: str) -> list[str]:
    """Splits parameters at the commas outside of brackets and strings."""
    parts: list[str] = []
    start = 0
    for at, character in enumerate(text):
        if character == ",":
            scan = InputScanner(text[start:at])
            if scan.quote is None and not scan.open:
                parts.append(text[start:at])
                start = at + 1
    return [*parts, text[start:]]


def _without(number: int, parameters: list[str] | None) -> list[str] | None:
    for _ in range(number):
        parameters = _without_first(parameters)
    return parameters


def _without_first(parameters: list[str] | None) -> list[str] | None:
    """Leaves out the parameter that is given already; `*args` stays."""
    if not parameters or parameters[0].startswith("*"):
        return parameters
    return parameters[2:] if parameters[1:2] == ["/"] else parameters[1:]
