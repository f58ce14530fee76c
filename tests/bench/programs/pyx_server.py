"""The program of a measured pyx node that is asked: `pyx --sname server --no-halt -S DIR FILE`.

`work` is imported by its short name from the project directory, as a user's module is.
"""

from __future__ import annotations

import importlib
import os

import pyx
from tests.bench.programs.sampling import end_with_the_parent

importlib.import_module("work")
end_with_the_parent()
print("READY", os.getpid(), pyx.__file__, flush=True)
