"""The process of a supervisor: a server of OTP's kind around a `SupervisorServer`.

It is a `def` process, with a thread of its own: as in OTP the `start_link` of a child runs in it, which is
the user's code and may block, and it waits there until the child is ready.  As a coroutine it would hold up
all `async def` processes of its node meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pyx.errors import brief
from pyx.otp.genserver import GenServer
from pyx.otp.handler_results import Stop
from pyx.otp.server_loop import run_on_thread, serve
from pyx.otp.supervisor_server import TRY_AGAIN, log_line, own_name
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.otp.protocol import From
    from pyx.otp.supervisor_server import SupervisorServer


def run_supervisor(server: SupervisorServer, *, is_linked: bool) -> None:
    """Runs a supervisor in the running process to its end, which is an exception.

    With *is_linked* it ends with the process that has started it.
    """
    run_on_thread(serve(SupervisorProcess, is_linked, server))


class SupervisorProcess(GenServer):
    """The callbacks."""

    __behaviour__: ClassVar[str] = "Supervisor"
    __asks_origin__: ClassVar[bool] = True

    def init(self, server: SupervisorServer) -> Stop | None:
        """Starts the children; one that fails stops the earlier ones, and the start."""
        self._server = server
        failed = server.init()
        if failed is None:
            return None
        return Stop(("shutdown", ("failed_to_start_child", failed.spec.id, failed.reason)))

    def handle_call(self, request: Any, frm: From) -> Any:  # noqa: ARG002 - OTP's callback
        """Answers a request."""
        return self._server.handle_call(request, self.origin)

    def handle_cast(self, request: Any) -> Stop | None:
        """Repeats a restart that has failed."""
        match request:
            case (str(word), child) if word == TRY_AGAIN and self.origin is None:
                return None if self._server.handle_retry(child) else Stop("shutdown")
        self._unknown(request)
        return None

    def handle_info(self, message: Any) -> Stop | None:
        """Notes the end of a linked process."""
        match message:
            case ("EXIT", Pid() as pid, reason):
                return None if self._server.handle_exit(pid, reason) else Stop("shutdown")
        self._unknown(message)
        return None

    def terminate(self, reason: Any) -> None:  # noqa: ARG002 - OTP's callback
        """Stops the children."""
        self._server.terminate()

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `Sys.get_state` shows."""
        return self._server.state()

    def _unknown(self, message: Any) -> None:
        log_line(f"supervisor {own_name()} got a message that it does not know: {brief(message)}")
