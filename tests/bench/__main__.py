"""`python -m tests.bench`: see `command_line.py`."""

from __future__ import annotations

import sys

from tests.bench.command_line import main

sys.exit(main(sys.argv[1:]))
