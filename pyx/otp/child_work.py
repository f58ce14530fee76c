"""What a supervisor keeps to start a child again and again: its function, and copies of its arguments.

    client    request = request_for(node, spec)     asks a supervisor, of this node or another one
    server    spec = spec_in(request, origin)       raises RpcRefused, by the policy on remote work

The arguments are encoded once, so what a caller does with its own values later changes no restart.  On this
node a specification is handed over as it is, and may hold a function without a name; to another node travels
what names it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from pyx.otp.child_errors import ChildSpecInvalid
from pyx.otp.children import ChildSpec
from pyx.otp.remote_work import LocalWork, WorkRequest, admitted, work_for
from pyx.runtime.encoding import encoded
from pyx.runtime.local_node import this_node
from pyx.runtime.rpc_functions import is_coroutine_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.terms import Incarnation


class StartWork(Protocol):
    """What starts a child, or is its function: `LocalWork`, `NamedWork`, or the start of a task."""

    @property
    def initial_call(self) -> tuple[str, str, int]:
        """Module, function and number of arguments."""

    def __call__(self) -> Any:
        """Calls the function."""


@dataclass(frozen=True, slots=True)
class ChildWork:
    """The `what` of a specification that a supervisor keeps.

    With `is_spawned` the work is a function that becomes a process, else a `start_link`.
    """

    work: StartWork
    is_spawned: bool

    @property
    def body(self) -> Callable[[], Any]:
        """What the process of a spawned child runs: an `async def` for one."""
        work = self.work
        if isinstance(work, LocalWork) and is_coroutine_function(work.function):

            async def on_loop() -> Any:
                return await work()

            return on_loop
        return work


def kept(spec: ChildSpec, *, is_spawned: bool | None = None) -> ChildSpec:
    """Returns a specification as a supervisor of this node keeps it.

    Args:
        spec: as `child` makes it.
        is_spawned: False if `what` is a function that starts the child itself; None: by its kind.

    Raises:
        EncodeError: the id or an argument is not data.
    """
    if isinstance(spec.what, ChildWork):
        return spec
    here = this_node()
    encoded(spec.id, here.max_message_bytes, what="id")
    function = spec.what if spec.is_function else spec.what.start_link
    work = LocalWork(here, function, spec.args, spec.kwargs)
    spawned = spec.is_function if is_spawned is None else is_spawned
    return replace(spec, what=ChildWork(work, spawned), args=(), kwargs={})


def request_for(node: str, spec: ChildSpec) -> WorkRequest | tuple[str, Any]:
    """Returns the request that has a supervisor start a child.

    Args:
        node: the supervisor's; `""` for this one.
        spec: of the child.

    Raises:
        EncodeError: the id or an argument is not data; or, to another node, *what* has no name.
    """
    here = this_node()
    if here.kernel.tables.is_here(node):
        return WorkRequest("start_child", kept(spec))
    encoded(spec.id, here.max_message_bytes, what="id")
    function = spec.what if spec.is_function else spec.what.start_link
    options = (spec.id, spec.restart, spec.shutdown, spec.type, spec.significant)
    work = work_for("start_child", node, function, spec.args, spec.kwargs)
    return "start_child", (options, spec.is_function, work)


def spec_in(request: Any, origin: Incarnation | None) -> ChildSpec:
    """Returns the specification that a request to start a child has in its second place.

    Raises:
        RpcRefused: a peer asks, and the policy of this node forbids it to choose that function.
        ChildSpecInvalid: it is not a specification.
    """
    if origin is None and type(request) is ChildSpec and type(request.what) is ChildWork:
        return request
    match request:
        case ((id, restart, shutdown, type_, significant), bool(is_spawned), work):
            try:
                what = ChildWork(admitted(origin, work), is_spawned)
            except ValueError as error:
                raise ChildSpecInvalid(str(error), ("start_spec", "invalid_child_spec")) from None
            if type(significant) is bool:
                return ChildSpec(
                    id, what, restart=restart, shutdown=shutdown, type=type_, significant=significant
                )
    raise ChildSpecInvalid(
        "a child is started by Supervisor.start_child or DynamicSupervisor.start_child",
        ("start_spec", "invalid_child_spec"),
    )
