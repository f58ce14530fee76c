"""The switch of all fast paths: code that does for a common case what a general path does for all cases.

A fast path means what the general path means; tests run both.  Each is one function in a file named for it,
whose docstring has the measured gain.
"""

from __future__ import annotations

import os

enabled: bool = os.environ.get("PYX_FAST_PATHS", "1") != "0"
"""False turns all fast paths off: `PYX_FAST_PATHS=0` in the environment, read when pyx is imported."""
