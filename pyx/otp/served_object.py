"""What the loop of a server knows of the user's object: its handlers, its callbacks, its state.

`GenServer` has all of these; the callbacks are described there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from pyx.otp.handler_table import HandlerTable
    from pyx.otp.protocol import From
    from pyx.terms import Incarnation


class ServedObject(Protocol):
    """The object of a server, which has no `__init__`."""

    __handlers__: ClassVar[HandlerTable]
    __behaviour__: ClassVar[str]
    __asks_origin__: ClassVar[bool]
    frm: From
    origin: Incarnation | None

    def init(self, *args: Any, **kwargs: Any) -> Any:
        """Prepares the server."""

    def handle_call(self, request: Any, frm: From) -> Any:
        """Handles a call."""

    def handle_cast(self, request: Any) -> Any:
        """Handles a cast."""

    def handle_info(self, message: Any) -> Any:
        """Handles any other message."""

    def handle_continue(self, argument: Any) -> Any:
        """Goes on after a handler."""

    def terminate(self, reason: Any) -> Any:
        """Is called before the end."""

    def code_change(self) -> None:
        """Is called once the class has been changed."""

    def __getstate__(self) -> Any:
        """Returns the state as it is shown."""

    def __setstate__(self, state: Any) -> None:
        """Sets the state."""
