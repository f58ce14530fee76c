"""Work that one process asks another to run: how it travels, and the policy on what peers may have run here.

A task supervisor, a dynamic supervisor, an agent and `Sys` run functions that their callers choose.  A caller
of another node is a peer, and a peer runs only what `--rpc` allows, as by `rpc.call` and `Node.spawn`:

    client    work = work_for("Agent.get", node, target, args, kwargs)       a part of the request
    server    origin = search.origin                                          of the message: `ReceiveSearch`
              run = admitted(origin, work)                                    raises RpcRefused
              run(state)                                                      finds the function, and calls it

What decides is the origin of the message, which the node notes beside its bytes as they arrive.  Nothing in
the message is asked: a pid there is what the peer wrote.  A message that a process of this node passes on for
a peer is a message of that process, which decides itself whom it serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyx.errors import EncodeError
from pyx.runtime import rpc_functions
from pyx.runtime.call_forms import callee_of_function, is_function, named_callee
from pyx.runtime.chosen_functions import check_choice, chosen_function
from pyx.runtime.encoding import decoded, encoded
from pyx.runtime.local_node import this_node
from pyx.runtime.rpc_client import meet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyx.runtime.local_node import LocalNode
    from pyx.signals import Payload
    from pyx.terms import Incarnation

    NamedParts: TypeAlias = tuple[str, str, list[Any], Mapping[str, Any], tuple[Any, ...] | None]
    """Module, function, arguments, those by name, source: a `Callee`, as it travels."""

_FORM: Final = "work is (module, function, args, kwargs, source)"


class LocalWork:
    """A function as it is, with copies of its arguments: for a process of this node.

    It is not data: no message to another node holds one, and none from there.
    """

    __slots__ = ("_args", "_kwargs", "function", "initial_call")

    def __init__(
        self, here: LocalNode, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        limit = here.max_message_bytes
        self.function: Final = function
        self.initial_call: Final = rpc_functions.initial_call(function, len(args) + len(kwargs))
        self._args: Payload | None = encoded(args, limit, what="args") if args else None
        self._kwargs: Payload | None = encoded(dict(kwargs), limit, what="kwargs") if kwargs else None

    def __call__(self, *leading: Any) -> Any:
        """Calls the function with *leading*, and with new copies of the arguments after that."""
        kernel = this_node().kernel
        args = decoded(self._args, kernel) if self._args is not None else ()
        kwargs = decoded(self._kwargs, kernel) if self._kwargs is not None else {}
        return self.function(*leading, *args, **kwargs)

    def __repr__(self) -> str:
        module, name, _ = self.initial_call
        return f"<function {module}.{name}>"


class NamedWork:
    """A function that a request has named, or whose source came with it, for a process of this node."""

    __slots__ = ("_origin", "_parts", "initial_call")

    def __init__(self, origin: Incarnation | None, parts: NamedParts) -> None:
        module, function, args, kwargs, _ = parts
        self._origin: Final = origin
        self._parts: Final = parts
        self.initial_call: Final = module, function, len(args) + len(kwargs)
        """Module, function and number of arguments, as `Process.info` shows them."""

    def __call__(self, *leading: Any) -> Any:
        """Finds the function and calls it with *leading* and the arguments.

        Raises:
            RpcRefused: the policy has been changed meanwhile, or the function is not marked any more.
            UndefinedFunction: there is no such function.
            Exception: what the function raises, or the import of its module.
        """
        module, function, args, kwargs, source = self._parts
        tables = this_node().kernel.tables
        return chosen_function(tables, self._origin, module, function, [*leading, *args], kwargs, source)()


class WorkRequest:
    """A request with work in it: goes to a process of this node as it is, to another node as its parts.

    It is not data, so no peer can send one.  Its repr names functions, and leaves out their source.
    """

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts: Final = parts

    def __repr__(self) -> str:
        return repr(tuple(map(_Named.shown, self.parts)))


class _Named:
    """A function that travels, in the repr of a request: its name."""

    __slots__ = ("_module", "_name")

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __repr__(self) -> str:
        return f"<function {self._module}.{self._name}>"

    @staticmethod
    def shown(part: Any) -> Any:
        """Returns a part of a request as its repr shows it."""
        match part:
            case (str(module), str(function), list(), dict(), None | tuple()):
                return _Named(module, function)
        return part


def shown_message(message: Any) -> Any:
    """Returns a message to a server that runs work of peers, as reports show it."""
    match message:
        case (str(tag), caller, tuple() as request):
            return tag, caller, WorkRequest(*request)
        case (str(tag), tuple() as request):
            return tag, WorkRequest(*request)
    return message


def parts_of(request: Any) -> Any:
    """Returns what a request says, whether it has stayed in this node or not."""
    return request.parts if type(request) is WorkRequest else request


# ---------------------------------------------------------------- the side that asks


def work_for(
    api: str, node: str, target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> LocalWork | NamedParts:
    """Returns the work to be put into a request.

    Args:
        api: the public function, for errors.
        node: where the work will run; `""` or this node's name: the request stays here.
        target: a function; or a module or its name, which are followed by a function's name and a list.
        args: what follows *target*.
        kwargs: the same by name.

    Returns:
        For this node a function as it is; else its name, or its source, as `rpc.call` sends it.

    Raises:
        EncodeError: an argument is not data, or the function cannot be sent to another node; no server of an
            Erlang node takes one.
        TypeError: neither form fits.
    """
    here = this_node()
    if node and here.speaks_with_erlang and here.is_erlang(node):
        hint = (
            f'servers there take no work from Python; call what they offer: rpc.call("{node}", module, ...)'
        )
        raise EncodeError("function", target, "cannot run in a server of an Erlang node", hint=hint)
    if not is_function(target):
        called = named_callee(api, target, args, kwargs)
    elif here.kernel.tables.is_here(node):
        return LocalWork(here, target, args, kwargs)
    else:
        called = callee_of_function(target, list(args), kwargs)
    # Checked now: the sentence about a request that cannot be sent would name a place in the request.
    encoded(called.args, here.max_message_bytes, what="args")
    encoded(dict(called.kwargs), here.max_message_bytes, what="kwargs")
    return called.module, called.function, called.args, dict(called.kwargs), called.source


async def meet_server(node: str) -> None:
    """Connects to the node of a server, so that an Erlang node is known as one; `""` is this node."""
    here = this_node()
    if node and here.speaks_with_erlang:
        await meet(here, node)


# ---------------------------------------------------------------- the side that is asked


def admitted(origin: Incarnation | None, work: Any) -> LocalWork | NamedWork:
    """Returns the work of a request as something to be called, if the policy of this node allows it.

    Nothing is imported and no code of the user's runs: the function itself is found by the call, so a process
    that must not wait leaves the call to another one.

    Args:
        origin: of the message that held the request, `ReceiveSearch.origin`; never from the message itself.
        work: from that request.

    Raises:
        RpcRefused: a peer asks, and `--rpc` forbids that function.
        ValueError: a peer has sent something else in place of the work.
    """
    if type(work) is LocalWork:
        return work
    match work:
        case (
            str(module),
            str(function),
            list(args),
            dict(kwargs),
            None | tuple() as source,
        ) if type(work) is tuple and all(type(key) is str for key in kwargs):
            check_admitted(origin, module, function, has_source=source is not None)
            return NamedWork(origin, (module, function, args, kwargs, source))
    raise ValueError(f"{_FORM}, not {work!r}")


def check_admitted(
    origin: Incarnation | None, module: str, function: str, *, has_source: bool = False
) -> None:
    """Raises RpcRefused if a peer asks for a function that the policy of this node forbids.

    Args:
        origin: as of `admitted`.
        module: of the function.
        function: its name; dots lead into classes.
        has_source: the function has come as source.
    """
    check_choice(this_node().kernel.tables, origin, module, function, has_source=has_source)
