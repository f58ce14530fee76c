"""The texts of `h` and `exports`: the list of helpers, the page of a thing, the calls of a module."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from pyx.introspection import is_class
from pyx.shell.documentation import (
    docstring,
    home_of,
    is_server_class,
    public_members,
    signature,
    summary,
)
from pyx.shell.wrapping import wrapped_item

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALSO: Final = (
    "  See also h(Node), h(Process), h(rpc), h(aio), and spawn, send, receive, self.",
    "  _ is the last value.  Tab completes, Ctrl-C interrupts, Ctrl-D leaves.",
)


def helper_list(helpers: Sequence[tuple[str, str]], columns: int) -> str:
    """Returns the calls of the helpers, each with what it does."""
    width = max(len(usage) for usage, _ in helpers)
    items = [f"  {usage:<{width}}  {about}" for usage, about in helpers]
    return "\n".join(wrapped_item([item], columns) for item in (*items, "", *_ALSO))


def page_of(thing: Any, name: str, columns: int) -> str:
    """Returns signature and docstring of a thing, or the functions of a module, a server, a class of pyx."""
    is_public = is_class(thing) and home_of(thing).startswith("pyx.")
    if issubclass(type(thing), ModuleType) or is_public or is_server_class(thing):
        items = [f"  {key}{signature(item)}  {summary(item)}".rstrip() for key, item in public_members(thing)]
        return "\n".join(
            [name, docstring(thing, columns), *(wrapped_item([item], columns) for item in items)]
        )
    call = f"{name}{signature(thing) if callable(thing) else ''}"
    return f"{wrapped_item([call], columns)}\n{docstring(thing, columns)}"


def exports_of(module: ModuleType | type, columns: int) -> str:
    """Returns the calls of the functions of a module or class, in rows."""
    calls = [f"{key}{signature(item)}" for key, item in public_members(module)]
    width = max((len(call) for call in calls), default=0) + 2
    across = max(columns // width, 1)
    rows = [calls[start : start + across] for start in range(0, len(calls), across)]
    lines = ["".join(f"{call:<{width}}" for call in row).rstrip() for row in rows]
    return "\n".join(wrapped_item([line], columns) for line in lines)
