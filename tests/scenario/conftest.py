"""Fixtures of the scenario tests.  The logs of scenarios that fail are removed: no report names them here."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest

from pyx.scenario import player, running_nodes, step_failure
from tests.scenario.transcripts import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Removes the sandboxes of a test and its child processes (pytest's own directory is made before)."""
    assert tmp_path.is_dir()
    short = tempfile.mkdtemp(prefix="pyx-", dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", short)
    monkeypatch.setenv("TMPDIR", short)
    yield
    shutil.rmtree(short, ignore_errors=True)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes have longer to start and to answer than a person would wait: a machine may be slow."""
    monkeypatch.setattr(player, "START_SECONDS", 120.0)
    for module in (step_failure, running_nodes):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 60.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def good_scenario(folder: Path) -> None:
    """A scenario that passes: `scenarios/good.pyxt`."""
    (folder / "scenarios/deep").mkdir(parents=True)
    (folder / "scenarios/good.pyxt").write_text(GOOD)
