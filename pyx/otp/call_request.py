"""A call that has been sent, and whose reply is fetched later: OTP's `gen_server:send_request`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import weakref
from typing import TYPE_CHECKING, Any

from pyx.errors import ProcessKilled
from pyx.execution import context
from pyx.otp.call_errors import CallTimeout
from pyx.otp.call_failures import value_of
from pyx.otp.server_calls import ask, asked_of
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pyx.otp.server_calls import Server


class CallRequest(concurrent.futures.Future[Any]):
    """A call that has been sent, OTP's `send_request`: its reply is fetched later, on any thread.

    `result(timeout)` waits on a thread, `await` in a coroutine; both raise as `call`, `result` also
    CallTimeout, after which it can be asked again.  `done()` says whether the outcome is there.

    A request is given up by `cancel()`, and by the end of the process that has made it: `done()` is True
    then, and `result` raises CancelledError.  One without callbacks is given up too when nothing refers to it
    any more.  A request that is given up keeps nothing, here or at its server.

    Raises:
        CallingSelf, EncodeError: as `server_calls.call`.
        NodeBusy: as `send`.
    """

    def __init__(self, server: Server, request: Any) -> None:
        super().__init__()
        self._here = this_node()
        self._asked = asked_of(self._here, server, request)
        self._slot = _RequestSlot(self)
        self._pending = PendingAnswer(self._here, self._slot)
        runner = context.current.get()
        if runner is not None:
            runner.requests.add(self)
        ask(self._here, self._pending, self._asked, is_system=False, is_sent_only=True)
        weakref.finalize(self, _give_up, self._pending).atexit = False
        super().add_done_callback(functools.partial(_is_over, self._slot, self._pending))

    def add_done_callback(self, fn: Callable[[concurrent.futures.Future[Any]], object]) -> None:
        """Has *fn* called with the request once its outcome is there, or it is given up."""
        if not self.done():
            self._slot.kept = self
        super().add_done_callback(fn)

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.wrap_future(self).__await__()

    def result(self, timeout: float | None = None) -> Any:
        """Returns the reply, and waits for it *timeout* seconds (None: no limit)."""
        if not self.done():
            context.forbid_running_loop("CallRequest.result()", "request")
        try:
            return super().result(timeout)
        except concurrent.futures.TimeoutError:
            if self.done():  # meanwhile, or the handler's own time-out
                return super().result()
            assert timeout is not None
            raise CallTimeout(self._asked.server, self._asked.request, timeout) from None

    def fill_later(self) -> None:
        """Has a warm thread decode the reply: a large one must not delay the transport."""
        self._here.pool.run(self._fill)

    def _fill(self) -> None:
        if not self.set_running_or_notify_cancel():
            return
        try:
            self.set_result(value_of(self._here, self._asked, self._pending))
        except BaseException as error:
            self.set_exception(error)


class _RequestSlot:
    """What the kernel wakes: it refers to a request weakly, so that a request may be given up."""

    __slots__ = ("_request", "kept")

    def __init__(self, request: CallRequest) -> None:
        self._request = weakref.ref(request)
        self.kept: CallRequest | None = None
        """The request, while it has a callback to call."""

    def wake(self) -> None:
        """Fills the request in, if there still is one."""
        request, self.kept = self._request(), None
        if request is not None:
            request.fill_later()


def _is_over(slot: _RequestSlot, pending: PendingAnswer, request: concurrent.futures.Future[Any]) -> None:
    slot.kept = None
    if request.cancelled():
        _give_up(pending)


def _give_up(pending: PendingAnswer) -> None:
    """Gives up the answer to a request, unless it is there; on any thread, in an ended process too."""
    if pending.outcome is None:
        with contextlib.suppress(ProcessKilled):  # it is given up all the same
            pending.abandon()
