"""A server's object without a process, for tests of its methods."""

from __future__ import annotations

import asyncio
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from pyx.otp.handler_results import HandlerResult, Ignore, Stop, as_result
from pyx.otp.start_errors import StartFailed
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pyx.otp.served_object import ServedObject

S = TypeVar("S", bound="ServedObject")


def harness(kind: type[S], /, *args: Any, **kwargs: Any) -> S:
    """See `GenServer.harness`."""
    server = object.__new__(kind)
    server.frm = Pid(0), Ref(0)
    try:
        value = server.init(*args, **kwargs)
        if type(value) is CoroutineType:
            value = asyncio.run(_awaited(value))
    except HandlerResult as thrown:
        value = thrown
    match as_result(value):
        case Stop(reason=reason):
            raise StartFailed(kind.__qualname__, reason)
        case Ignore():
            raise StartFailed(kind.__qualname__, "ignore")
    return server


async def _awaited(value: Coroutine[Any, Any, Any]) -> Any:
    return await value
