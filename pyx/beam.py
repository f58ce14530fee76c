"""What programs say about Erlang and Elixir nodes, beyond what all nodes share.

    from pyx import beam

    @beam.struct("Shop.Item")
    @dataclass
    class Item:
        name: str
        qty: int = 1

`docs/elixir.md` has the table of what becomes what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyx.atoms import is_module
from pyx.wire.beam.named_structs import name_class

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["struct"]

C = TypeVar("C", bound=type[Any])


def struct(name: str) -> Callable[[C], C]:
    """Makes a class, as a decorator, stand for a struct of Elixir, both ways.

    An object of the class is sent to Elixir nodes as `%Shop.Item{}`, and a struct of that name with exactly
    the fields of the class arrives as an object, made without its `__init__`.  A struct with other fields
    arrives as a `Struct`.

    Args:
        name: the struct's module as Elixir writes it, `"Shop.Item"`.

    Returns:
        the decorator, which returns the class.  It raises TypeError unless this is a dataclass or namedtuple.

    Raises:
        ValueError: *name* is not the name of a module of Elixir.
    """
    if type(name) is not str or not is_module(f"Elixir.{name}"):
        msg = f"a struct is named as its module in Elixir, such as 'Shop.Item', not {name!r}"
        raise ValueError(msg)

    def named(cls: C) -> C:
        name_class(cls, name)
        return cls

    return named
