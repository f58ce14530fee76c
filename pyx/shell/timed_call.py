"""`tc`: a call, and how long it took; OTP's `timer:tc`."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.execution import context
from pyx.execution.stdout_router import finish_line

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

_UNITS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def timed_call(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    show: Callable[[str], object],
) -> Any:
    """Calls *function*, shows how long that took, and returns its value.

    Of a coroutine the time until it is done is shown, and an awaitable is returned.
    """
    began = time.perf_counter()
    value = function(*args, **kwargs)
    if inspect.iscoroutine(value):
        return _awaited(value, show)
    _show_below(duration(time.perf_counter() - began), show)
    return value


async def _awaited(coroutine: Coroutine[Any, Any, Any], show: Callable[[str], object]) -> Any:
    began = time.perf_counter()
    value = await coroutine
    _show_below(duration(time.perf_counter() - began), show)
    return value


def _show_below(text: str, show: Callable[[str], object]) -> None:
    """Shows *text* on a line of its own, below what the call has printed."""
    runner = context.current.get()
    if runner is not None:
        finish_line(runner, newline=True)
    show(text)


def duration(seconds: float) -> str:
    """Returns `took 1.23 s`, `took 45.6 ms` or `took 789 us`: three digits."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size * 0.9995 or unit == "us")
    number = seconds / size
    digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"took {number:.{digits}f} {unit}"
