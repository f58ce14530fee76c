"""start_collections.py: The collector is as it was after the modules of a start are loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """\
import gc
from pyx.shell.start_collections import has_frozen, no_collections

{before}
frozen = gc.get_freeze_count()
ran = []
gc.callbacks.append(lambda phase, info: ran.append(phase))
try:
    with no_collections(is_pyx={is_pyx}):
        made = [[] for _ in range(20_000)]
        inside = gc.isenabled(), len(ran)
        {inside}
except ValueError:
    pass
print(inside, gc.isenabled(), gc.get_freeze_count() > frozen, has_frozen())
"""


def run(before: str = "", inside: str = "", *, is_pyx: bool = True) -> str:
    program = PROGRAM.format(before=before, inside=inside, is_pyx=is_pyx)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


@pytest.mark.parametrize("inside", ["", "raise ValueError"])
def test_modules_are_loaded_without_collections_and_frozen(inside: str) -> None:
    steps_of_collections = 2 if sys.version_info < (3, 12) else 0  # one collection, before the block
    assert run(inside=inside) == f"(False, {steps_of_collections}) True True True"


def test_objects_of_a_program_that_calls_pyx_are_not_frozen() -> None:
    assert run(is_pyx=False) == "(False, 0) True False False"


def test_collector_that_was_off_stays_off() -> None:
    assert run(before="gc.disable()") == "(False, 0) False False False"
