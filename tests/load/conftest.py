"""The environment of nodes that are OS processes of their own."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of nodes with a home and a runtime directory that no others use."""
    runtime = tempfile.mkdtemp(prefix="pyx-load-", dir="/tmp")  # a socket's path there is short enough
    yield {**os.environ, "HOME": str(tmp_path), "PYX_RUNTIME_DIR": runtime}
    shutil.rmtree(runtime)
