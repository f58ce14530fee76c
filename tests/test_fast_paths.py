"""fast_paths.py: One variable of the environment turns all fast paths off."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("value", "answer"), [("0", "False"), ("1", "True"), (None, "True")])
def test_the_environment_decides_whether_fast_paths_are_enabled(value: str | None, answer: str) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "PYX_FAST_PATHS"}
    if value is not None:
        environment["PYX_FAST_PATHS"] = value
    program = "from pyx import fast_paths; print(fast_paths.enabled)"
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == answer
