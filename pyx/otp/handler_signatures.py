"""Requests of decorated methods: from a client's arguments to a request, and from a request to arguments.

The request of a method is its name, or a tuple of the name and the arguments by position, so that Elixir's
`GenServer.call(server, {:add, "nike", 3})` is the same one.  Arguments that are given by name are put into
their positions; keyword-only ones follow all positions as one dict.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BY_POSITION: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME: Final = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
_UNLIMITED: Final = 2**31


class HandlerSignature:
    """The parameters of a handler, without `self`.

    Raises:
        TypeError: there is no `self`; or a request could not tell the arguments apart: there are both `*args`
            and keyword-only ones.
    """

    __slots__ = ("by_name", "fewest", "most", "needs_names", "signature")

    def __init__(self, function: Callable[..., Any]) -> None:
        signature = inspect.signature(function)
        if not signature.parameters:
            msg = f"{function.__qualname__} takes no `self`: a handler is a method"
            raise TypeError(msg)
        _, *parameters = signature.parameters.values()
        self.signature = signature.replace(parameters=parameters)
        positional = [one for one in parameters if one.kind in _BY_POSITION]
        self.fewest = sum(one.default is one.empty for one in positional)
        takes_more = any(one.kind is one.VAR_POSITIONAL for one in parameters)
        self.most = _UNLIMITED if takes_more else len(positional)
        """Arguments by position."""
        self.by_name = any(one.kind in _BY_NAME for one in parameters)
        """True if a dict of keyword-only arguments may follow."""
        self.needs_names = any(
            one.kind is one.KEYWORD_ONLY and one.default is one.empty for one in parameters
        )
        """True if it has to follow."""
        if self.by_name and takes_more:
            msg = (
                f"{function.__qualname__} takes *args and keyword-only arguments: a request cannot hold both"
            )
            raise TypeError(msg)

    def __str__(self) -> str:
        """Returns the parameters without their annotations: `(name, qty=1)`."""
        bare = [one.replace(annotation=one.empty) for one in self.signature.parameters.values()]
        return str(self.signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))

    def of_client(self) -> inspect.Signature:
        """Returns the parameters of the client function: a server, and those of the handler."""
        server = inspect.Parameter("server", inspect.Parameter.POSITIONAL_ONLY)
        return self.signature.replace(parameters=[server, *self.signature.parameters.values()])

    def request(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, shown: str) -> Any:
        """Returns the request for a client's arguments.

        Raises:
            TypeError: the handler, which is *shown* so, does not take them.
        """
        if kwargs or self.needs_names or not self.fewest <= len(args) <= self.most:
            bound = self._bound(args, kwargs, shown)
            named = {key: value for key, value in kwargs.items() if self._is_by_name(key)}
            if named or len(bound.args) < len(bound.arguments):  # a default stands before what was given
                bound.apply_defaults()
            args = bound.args
            if named:
                args = (*args, named)
        return (name, *args) if args else name

    def _bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], shown: str) -> inspect.BoundArguments:
        try:
            return self.signature.bind(*args, **kwargs)
        except TypeError as error:
            takes = str(self)[1:-1]
            msg = f"{shown} takes ({', '.join(filter(None, ('server', takes)))}): {error}"
            raise TypeError(msg) from None

    def _is_by_name(self, key: str) -> bool:
        parameter = self.signature.parameters.get(key)
        return parameter is None or parameter.kind is parameter.KEYWORD_ONLY

    def arguments(self, given: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Returns the arguments in a request, by position and by name; None if the handler takes no such."""
        if self.fewest <= len(given) <= self.most and not self.needs_names:
            return given, {}
        if self.by_name and len(given) == self.most + 1 and type(given[-1]) is dict:
            *first, named = given
            try:
                self.signature.bind(*first, **named)
            except TypeError:
                return None
            return tuple(first), named
        return None
