"""The code of an application: found by its name, and called as it starts and stops; OTP's `application`.

    def application():                     # "shop:application": a function, which returns what is started
        return [child(Stock, name="stock")]

    class Shop:                            # "shop:Shop": a class, whose object is told of the stop too
        def start(self): ...               # as the function above
        def prep_stop(self): ...           # before the tree is stopped
        def stop(self): ...                # after it

All of it runs in the process of the application's master.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import ProcessKilled
from pyx.execution import tracebacks
from pyx.execution.node_log import log
from pyx.otp.application_errors import ApplicationInvalid
from pyx.runtime.local_node import this_node
from pyx.runtime.rpc_functions import is_coroutine_function

if TYPE_CHECKING:
    from collections.abc import Callable

START: Final = "start"
PREP_STOP: Final = "prep_stop"
STOP: Final = "stop"


class ApplicationCallbacks:
    """The code of an application.

    Args:
        name: of the application.
        code: a class that has `start`; whatever else can be called is the function.
    """

    def __init__(self, name: str, code: Callable[[], Any]) -> None:
        self.name = name
        self._code = code
        self._made: Any = None
        """The object, once it is made; None for a function."""

    @property
    def shown_start(self) -> str:
        """What starts the tree, for a sentence."""
        return "the function" if self._made is None else "start()"

    def start(self) -> Any:
        """Calls the function, or `start` of a new object; returns what that returns."""
        if not hasattr(self._code, START):
            return self._code()
        self._made = self._code()
        return self._made.start()

    def prep_stop(self) -> None:
        """Calls `prep_stop`, if there is one, with the tree as it is; an exception is logged."""
        self._tell(PREP_STOP)

    def stop(self) -> None:
        """Calls `stop`, if there is one, once the tree has ended; an exception is logged."""
        self._tell(STOP)

    def _tell(self, callback: str) -> None:
        function = getattr(self._made, callback, None)
        if function is None:
            return
        try:
            function()
        except (KeyboardInterrupt, ProcessKilled):
            raise
        except BaseException as error:  # the application stops all the same, as in OTP
            text = tracebacks.traceback_text(error)
            with this_node().dispatch.critical_section():  # no kill may leave the log's lock taken
                log.error("application %s: %s() raised an exception\n%s", self.name, callback, text)


def callbacks_of(application: Any) -> ApplicationCallbacks:
    """Returns the code of an application by its name, `"shop:application"`; imports the module.

    Raises:
        ApplicationInvalid: *application* names no function or class, or an `async def`.
        Exception: the import of the module raised.
    """
    module, _, name = application.partition(":") if type(application) is str else ("", "", "")
    if not (module and name):
        raise misnamed(application)
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # of the module itself: it imports one that is missing
        msg = f"there is no module {error.name}, for the application {application}"
        raise ApplicationInvalid(application, msg) from None
    code = getattr(loaded, name, None)
    if not callable(code):
        msg = (
            f"there is no function or class {name} in the module {module}, for the application {application}"
        )
        raise ApplicationInvalid(application, msg)
    _check(application, code)
    return ApplicationCallbacks(module, code)


def misnamed(application: Any) -> ApplicationInvalid:
    """Returns the refusal of what is not the name of an application."""
    msg = f"an application is named by its module and function, not {application!r}"
    return ApplicationInvalid(str(application), msg, hint='Application.start("shop:application")')


def _check(application: str, code: Any) -> None:
    """Raises ApplicationInvalid for what would have to be awaited."""
    functions = [code]
    if hasattr(code, START):
        functions += [getattr(code, callback, None) for callback in (START, PREP_STOP, STOP)]
    for function in functions:
        if function is not None and is_coroutine_function(function):
            msg = f"{function.__qualname__} is an async def, and the application {application} takes a def"
            raise ApplicationInvalid(application, msg)
