"""The public names of pyx, which every prompt has."""

from __future__ import annotations

from typing import Any

import pyx


def public_names() -> dict[str, Any]:
    """Returns name -> value, as `from pyx import *` would bind them."""
    return {name: getattr(pyx, name) for name in pyx.__all__}
