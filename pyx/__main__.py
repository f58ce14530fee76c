"""`python -m pyx` is `pyx`."""

from __future__ import annotations

import sys

from pyx.cli import main

sys.exit(main())
