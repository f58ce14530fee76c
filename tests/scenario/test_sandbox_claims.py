"""sandbox.py: sandboxes of killed replays are removed, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyx.scenario.sandbox import MARK, SandboxClaim, clear_stale, end_processes, is_claimed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyx-1").mkdir()
    (tmp_path / "pyx-1/file").touch()
    return tmp_path / "pyx-1"


def abandoned(folder: Path) -> None:
    """Makes the mark of a replay that was killed."""
    (folder / MARK).touch()


def test_sandbox_of_a_killed_replay_is_removed(folder: Path) -> None:
    abandoned(folder)
    clear_stale(folder.parent)
    assert not folder.exists()


def test_claim_ends_with_its_killed_process(folder: Path) -> None:
    code = (
        "import os, pathlib, sys; from pyx.scenario.sandbox import SandboxClaim\n"
        "claim = SandboxClaim(pathlib.Path(sys.argv[1])); print('claimed', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"claimed\n"
    clear_stale(folder.parent)
    assert is_claimed(folder)
    process.kill()
    process.communicate()
    clear_stale(folder.parent)
    assert not folder.exists()


def test_claimed_sandbox_stays(folder: Path) -> None:
    claim = SandboxClaim(folder)
    clear_stale(folder.parent)
    assert (folder / "file").exists()
    claim.release()
    clear_stale(folder.parent)  # it is kept
    assert (folder / "file").exists()
    assert not is_claimed(folder)


def test_other_directories_are_not_removed(folder: Path) -> None:
    (folder.parent / "other").mkdir()
    abandoned(folder.parent / "other")
    (folder.parent / "pyx-link").symlink_to(folder.parent / "other")
    clear_stale(folder.parent)
    assert (folder.parent / "other").exists()
    assert (folder / "file").exists()
    clear_stale(folder.parent / "nowhere")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells")
def test_processes_are_found_by_their_runtime_directory(folder: Path) -> None:
    def start(where: Path) -> subprocess.Popen[bytes]:
        program = "import time; time.sleep(7777)"
        environment = {**os.environ, "PYX_RUNTIME_DIR": str(where)}
        return subprocess.Popen([sys.executable, "-c", program], env=environment, start_new_session=True)

    mine, other = start(folder / "run"), start(Path(f"{folder}2/run"))
    try:
        deadline = time.monotonic() + 60
        while mine.poll() is None and time.monotonic() < deadline:
            end_processes(folder)  # again, as it has that environment only once it has begun
        assert mine.poll() == -9
        assert other.poll() is None
    finally:
        for one in (mine, other):
            one.kill()
            one.wait()
