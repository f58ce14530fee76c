"""The context of the inputs of one prompt: context variables set by one input are seen by the next.

Statements run on the prompt's thread, the coroutine of an `await` on the process loop; both in this context.
"""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pyx.errors import ProcessKilled
from pyx.execution.context import acting, current
from pyx.execution.runner import sleep
from pyx.execution.slots import LockSlot

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyx.execution.runner import Runner
    from pyx.execution.tasks import CoroutineRun
    from pyx.runtime.local_node import LocalNode

T = TypeVar("T")

person_is_elsewhere: Final[contextvars.ContextVar[bool]] = contextvars.ContextVar(
    "person_is_elsewhere", default=False
)
"""True in the context of an input that was typed on another node."""

_CANCEL_SECONDS: Final = 5.0
"""How long a cancelled coroutine may take to clean up before the prompt returns."""


class EvaluationContext:
    """The context of the inputs of one prompt.

    Args:
        node: of the process that evaluates.
        is_remote: True where the inputs are typed on another node.
    """

    def __init__(self, node: LocalNode, *, is_remote: bool = False) -> None:
        self._node = node
        self._context = contextvars.copy_context()
        self._context.run(person_is_elsewhere.set, is_remote)

    def belongs_to(self, runner: Runner) -> None:
        """Lets inputs run as the process of *runner* from now on."""
        self._context.run(current.set, runner)

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Calls *function* on this thread."""
        return self._context.run(function, *args)

    def run_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine on the process loop, as the calling process, and waits for its value.

        Raises:
            KeyboardInterrupt, ProcessKilled: Ctrl-C, a kill; the coroutine is cancelled first.
        """
        done = LockSlot()
        begun: list[CoroutineRun] = []
        runner = acting()
        try:
            with self._node.dispatch.critical_section():
                begun.append(self._node.tasks.run(runner, coroutine, done, self._context))
            sleep(runner, done, None, lambda: begun[0].over)
        except (KeyboardInterrupt, ProcessKilled):
            if not begun:
                coroutine.close()
            elif not begun[0].over:
                begun[0].cancel()
                try:
                    done.wait(_CANCEL_SECONDS)
                finally:
                    if not begun[0].over:  # it goes on in that context, which two threads cannot enter
                        self._context = self._context.copy()
            raise
        return begun[0].outcome()
