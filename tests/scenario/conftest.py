"""Scenarios that fail keep their logs for the reader of a report; here there is none."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process, and those it starts, leave nothing behind (pytest's own directory is made before)."""
    assert tmp_path.is_dir()
    short = tempfile.mkdtemp(prefix="pyx-", dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", short)
    monkeypatch.setenv("TMPDIR", short)
    yield
    shutil.rmtree(short, ignore_errors=True)
