"""restart_intensity.py: the window in which restarts are counted."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.otp.child_errors import ChildSpecInvalid
from pyx.otp.restart_intensity import RestartIntensity


def test_restarts_are_counted_in_a_window_that_moves() -> None:
    intensity = RestartIntensity(2, 5.0)
    assert [intensity.add(now) for now in (0.0, 1.0, 5.0, 5.5, 20.0)] == [1, 2, 3, 3, 1]
    assert [intensity.allows(used) for used in (1, 2, 3)] == [True, True, False]


def test_defaults_are_those_of_otp() -> None:
    assert (RestartIntensity().most, RestartIntensity().seconds) == (3, 5.0)


@pytest.mark.parametrize(("most", "seconds"), [(-1, 5), (1.5, 5), (True, 5), (3, 0), (3, -1), (3, "5")])
def test_numbers_without_a_meaning_are_refused(most: Any, seconds: Any) -> None:
    with pytest.raises(ChildSpecInvalid, match="max_"):
        RestartIntensity(most, seconds)
