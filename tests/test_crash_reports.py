"""How a test that crashes its worker is reported (`crash_reports.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash_reports import told
from tests.inner_pytest import run_pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("xdist")

CRASH = """
import faulthandler, threading
def test_crashes():
    for _ in range(3):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    crashes()
def crashes():
    faulthandler._sigsegv()
"""


@pytest.mark.parametrize("workers", [[], ["--numprocesses", "1"]], ids=["alone", "worker"])
def test_report_of_a_crash_shows_signal_and_stack(workers: list[str], tmp_path: Path) -> None:
    (tmp_path / "test_crash.py").write_text(CRASH)
    (tmp_path / "conftest.py").write_text("from tests.crash_reports import *")
    done = run_pytest(tmp_path, *workers, "test_crash.py")
    text = done.stdout + done.stderr
    assert text.count("Fatal Python error: Segmentation fault") == 1
    assert "in crashes\n" in text
    assert "in test_crashes\n" in text
    assert "in wait\n" not in text  # of the other threads


def test_worker_that_just_ended_says_so() -> None:
    assert told("") == "It ended without a signal that faulthandler knows."
