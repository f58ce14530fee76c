"""A call that has been sent, and whose reply is fetched later: OTP's `gen_server:send_request`."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

from pyx.execution import context
from pyx.otp.call_errors import CallTimeout
from pyx.otp.call_failures import value_of
from pyx.otp.server_calls import ask, asked_of
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyx.otp.server_calls import Server


class CallRequest(concurrent.futures.Future[Any]):
    """A call that has been sent, OTP's `send_request`: its reply is fetched later, on any thread.

    `result(timeout)` waits on a thread, `await` in a coroutine; both raise as `call`, `result` also
    CallTimeout, after which it can be asked again.  `done()` says whether the outcome is there.  `cancel()`
    gives the call up.

    Raises:
        CallingSelf, EncodeError: as `server_calls.call`.
        NodeBusy: as `send`.
    """

    def __init__(self, server: Server, request: Any) -> None:
        super().__init__()
        self._here = this_node()
        self._asked = asked_of(self._here, server, request)
        self._pending = PendingAnswer(self._here, self)
        ask(self._here, self._pending, self._asked, is_system=False, is_sent_only=True)
        self.add_done_callback(lambda done: self._pending.abandon() if done.cancelled() else None)

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

    def wake(self) -> None:
        """Has a warm thread decode the reply: a large one must not delay the transport."""
        self._here.pool.run(self._fill)

    def _fill(self) -> None:
        if not self.set_running_or_notify_cancel():
            return
        try:
            self.set_result(value_of(self._here, self._asked, self._pending))
        except BaseException as error:
            self.set_exception(error)
