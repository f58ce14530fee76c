"""The intensity of restarts: how many within how many seconds a supervisor bears before it gives up."""

from __future__ import annotations

from typing import Final

from pyx.otp.child_errors import ChildSpecInvalid

DEFAULT_RESTARTS: Final = 3
DEFAULT_SECONDS: Final = 5.0


class RestartIntensity:
    """The restarts of the last *seconds*.

    Args:
        most: restarts within *seconds* that are borne; 0 for none at all.
        seconds: the length of the window.

    Raises:
        ChildSpecInvalid: one of them has no meaning.
    """

    def __init__(self, most: int = DEFAULT_RESTARTS, seconds: float = DEFAULT_SECONDS) -> None:
        if type(most) is not int or most < 0:
            msg = f"max_restarts is a number of restarts, 0 or more, not {most!r}"
            raise ChildSpecInvalid(msg, ("bad_start_spec", ("invalid_intensity", most)))
        if type(seconds) not in {int, float} or not seconds > 0:
            msg = f"max_seconds is a number of seconds above 0, not {seconds!r}"
            raise ChildSpecInvalid(msg, ("bad_start_spec", ("invalid_period", seconds)))
        self.most = most
        self.seconds = seconds
        self._times: list[float] = []

    @property
    def text(self) -> str:
        """The two numbers in words."""
        return f"{self.most} restart{'' if self.most == 1 else 's'} in {self.seconds:g} s"

    def add(self, now: float) -> int:
        """Counts a restart; returns the number of those in the window that ends *now* (monotonic seconds)."""
        since = now - self.seconds
        self._times = [time for time in self._times if time >= since]
        self._times.append(now)
        return len(self._times)

    def allows(self, used: int) -> bool:
        """True if that many restarts in one window are borne."""
        return used <= self.most
