"""The two forms of a call: a function with its own arguments, or a module and a function's name with a list.

    rpc.call("b", total, stock, currency="EUR")                         all that follows is the function's own
    rpc.call("b", "shop", "total", [stock], kwargs={"currency": "EUR"}) and options: timeout=0.5

`spawn`, `Node.spawn`, the functions of `rpc` and their relatives share them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from inspect import signature
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.atoms import Atom
from pyx.errors import EncodeError
from pyx.introspection import (
    attributes_of_module,
    belongs_to_no_module,
    class_module,
    is_class,
    is_of_prompt,
)
from pyx.runtime.arguments import checked_seconds
from pyx.wire.codec import name_of_callable

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_KWARGS: Final[Mapping[str, Any]] = {}

_INTO_A_MODULE: Final = "put the class into a module"

_OLD_OPTIONS: Final = frozenset({"args", "timeout"})
"""What followed a function by keyword in the old form, and is the function's own now."""


class Callee(NamedTuple):
    """A function, by name, and its arguments."""

    module: str
    function: str
    args: list[Any]
    kwargs: Mapping[str, Any]
    source: tuple[Any, ...] | None = None
    """Of a function that belongs to no module: see `travelling_functions.py`."""


def is_function(target: object) -> bool:
    """True if *target* begins the first form: a callable, and not a module, which may be callable too."""
    return callable(target) and not isinstance(target, ModuleType)


def callee(api: str, target: Any, rest: tuple[Any, ...], options: Mapping[str, Any]) -> Callee:
    """Returns what *api*`(node, target, *rest, **options)` calls.

    Args:
        api: the public function, for errors.
        target: a function, a module or its name.
        rest: of a function its positional arguments; else the function's name, and a list of arguments.
        options: of a function its keyword arguments; else `args` and `kwargs`.

    Raises:
        TypeError: the arguments have neither form; the sentence shows both.  Or the old form, in which a list
            held the arguments of a function.
        EncodeError: the function can be sent neither by name nor by source; the sentence says why.
    """
    if is_function(target):
        found = callee_of_function(target, list(rest), options)
        if len(rest) == 1 or not _OLD_OPTIONS.isdisjoint(options):
            _refuse_old_form(api, target, rest, options)
        return found
    return named_callee(api, target, rest, options)


def callee_of_function(target: Callable[..., Any], args: list[Any], kwargs: Mapping[str, Any]) -> Callee:
    """Returns the callee for a function: by its name, or by its source if it belongs to no module.

    Raises:
        EncodeError: the function can be sent neither by name nor by source; the sentence says why.
    """
    if is_class(target) and is_of_prompt(class_module(target)):
        raise EncodeError("function", target, "is a class that was typed here", hint=_INTO_A_MODULE)
    if type(target) is MethodType and is_class(target.__self__):
        return Callee(*_name_of_class_method(target), args, kwargs)
    if type(target) is not FunctionType or not belongs_to_no_module(target):
        return Callee(*name_of_callable(target), args, kwargs)
    from pyx.runtime.travelling_functions import packed  # few calls need it

    return Callee(str(target.__module__), target.__qualname__, args, kwargs, packed(target))


def _name_of_class_method(method: MethodType) -> tuple[str, str]:
    """Returns the module of the class that *method* is bound to, and the name that finds the method there.

    Raises:
        EncodeError: the class has no name that finds it, or it has another method of that name.
    """
    cls: Any = method.__self__
    if is_of_prompt(class_module(cls)):
        raise EncodeError("function", method, "is of a class that was typed here", hint=_INTO_A_MODULE)
    module, name = name_of_callable(cls)
    if getattr(cls, method.__name__, None) != method:
        raise EncodeError("function", method, f"is not what {name}.{method.__name__} is now")
    return module, f"{name}.{method.__name__}"


def plain_callee(target: Any, rest: tuple[Any, ...]) -> tuple[str, str, list[Any]] | None:
    """Returns module, function and arguments of the most frequent calls, as `callee` would, but in one call.

    None for all others: `callee` checks them, and explains what is wrong.
    """
    if type(target) is str:
        if len(rest) == 2 and type(rest[0]) is str and type(rest[1]) is list:
            return target, rest[0], rest[1]
        return None
    if type(target) is not FunctionType:
        return None
    if len(rest) == 1 and (type(rest[0]) is list or type(rest[0]) is tuple):  # perhaps the old form
        return None
    module, name = target.__module__, target.__qualname__
    if type(module) is not str or module == "__main__" or not name.isidentifier():
        return None
    loaded = sys.modules.get(module)
    if type(loaded) is not ModuleType or attributes_of_module(loaded).get(name) is not target:
        return None
    return module, name, list(rest)


def callee_within(
    api: str, target: Any, rest: tuple[Any, ...], options: dict[str, Any], seconds: float | None
) -> tuple[Callee, float | None]:
    """Returns `callee`, and its time limit: the `timeout` of the second form, else *seconds*."""
    if not is_function(target):
        if len(rest) == 3:
            *rest_of_two, seconds = rest
            rest = tuple(rest_of_two)
        seconds = options.pop("timeout", seconds)
    return callee(api, target, rest, options), checked_seconds(seconds)


def named_callee(api: str, module: Any, rest: tuple[Any, ...], options: Mapping[str, Any]) -> Callee:
    """Returns the function that `module, "function", [args], kwargs={...}` names; see `callee`."""
    if isinstance(module, ModuleType):
        module = module.__name__
    function, *args = rest or (options.get("function"),)
    module, function = (str(name) if type(name) is Atom else name for name in (module, function))
    if type(module) is not str or type(function) is not str:
        msg = (
            f'{api} takes a function and its arguments, or `module, "function", [args]` '
            f"(the module by name or itself), not {', '.join(map(_short, (module, *rest)))}"
        )
        raise TypeError(msg)
    if unknown := options.keys() - {"function", "args", "kwargs"}:
        msg = (
            f"{api} has no option {', '.join(sorted(unknown))} here: "
            "after a function's name its keyword arguments come as kwargs={...}"
        )
        raise TypeError(msg)
    kwargs = options.get("kwargs")
    if kwargs is not None and not (isinstance(kwargs, Mapping) and all(type(key) is str for key in kwargs)):
        msg = f"kwargs is a dict with names as its keys, not {kwargs!r}"
        raise TypeError(msg)
    listed = (*args, options["args"]) if "args" in options else args
    if not listed:
        return Callee(module, function, [], kwargs or _NO_KWARGS)
    if len(listed) != 1 or not isinstance(listed[0], (list, tuple)):
        msg = f"after a function's name its arguments come as one list, not as {', '.join(map(repr, listed))}"
        raise TypeError(msg)
    return Callee(module, function, list(listed[0]), kwargs or _NO_KWARGS)


# ---------------------------------------------------------------- the old form, refused in version 0.1


def _refuse_old_form(
    api: str, function: Callable[..., Any], rest: tuple[Any, ...], options: Mapping[str, Any]
) -> None:
    """Raises TypeError for a function with a list that would have been its arguments, or with options.

    A call that can only have the new meaning passes: the function takes a list, and could not be called with
    the items of that one.
    """
    name = getattr(function, "__name__", "f")
    ours = sorted(key for key in _OLD_OPTIONS & options.keys() if not _takes(function, rest, options))
    if ours:
        hint = (
            f"rpc.within(0.5).call(node, {name}, ...)" if "timeout" in ours else f"{api}(node, {name}, 1, 2)"
        )
        msg = f"{ours[0]}= after a function is its own argument, and {name} does not take it: write {hint}"
        raise TypeError(msg)
    if len(rest) != 1 or type(rest[0]) not in {list, tuple} or options:
        return
    if not _takes(function, tuple(rest[0]), {}):
        return
    listed, items = _short(rest[0]), ", ".join(map(_short, rest[0]))
    msg = (
        f"{api}(node, {name}, {listed}) once meant {name}({items}), and would now mean {name}({listed}): "
        f"write {', '.join(filter(None, (f'{api}(node, {name}', items)))}); "
        f"or, for the sequence as the argument, {api}(node, {_unambiguous(function, name, listed)})"
    )
    raise TypeError(msg)


def _takes(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """True if the function can be called so, or does not say."""
    try:
        signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


def _unambiguous(function: Callable[..., Any], name: str, listed: str) -> str:
    """Returns how a sequence is passed to a function as its only argument, beyond doubt."""
    try:
        first = next(iter(signature(function).parameters.values()), None)
    except ValueError:
        first = None
    if first is not None and first.kind is first.POSITIONAL_OR_KEYWORD:
        return f"{name}, {first.name}={listed}"
    return f'"{getattr(function, "__module__", "module")}", "{name}", [{listed}]'


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
