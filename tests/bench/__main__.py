"""`python -m tests.bench`: see `command_line.py`."""

from __future__ import annotations

import signal
import sys

from tests.bench.command_line import main

signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: children end, results are shown
sys.exit(main(sys.argv[1:]))
