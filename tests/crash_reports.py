"""The signal that ended an OS process of pytest, and the stack it came in, where the reader of a log looks.

faulthandler writes the signal, and then the stacks of all threads, of which there are many here: the end of a
log does not show the signal.  So pytest writes the stack of the thread that crashed alone; and a worker of
pytest-xdist writes all of them to a file, of which the report of the test that it ran shows that part.
"""

from __future__ import annotations

import faulthandler
import tempfile
from pathlib import Path
from typing import Any, Final, TextIO

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

_FILE: Final = "crash_file"
_open_file: Final = pytest.StashKey[TextIO]()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Has faulthandler write what is read afterwards."""
    path = getattr(config, "workerinput", {}).get(_FILE)
    if path is not None:
        file = config.stash[_open_file] = Path(path).open("w")  # noqa: SIM115 - open as long as the process lives
        faulthandler.enable(file)
    elif fault_handler_stderr_fd_key in config.stash:
        faulthandler.enable(config.stash[fault_handler_stderr_fd_key], all_threads=False)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives a worker its file."""
    folder: Path = node.config._tmp_path_factory.getbasetemp()
    with tempfile.NamedTemporaryFile(prefix="crash-", dir=folder, delete=False) as file:
        node.workerinput[_FILE] = file.name


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(report: Any) -> None:
    """Adds what its worker wrote to the report of a test."""
    report.longrepr += "\n\n" + told(Path(report.node.workerinput[_FILE]).read_text())


def told(dump: str) -> str:
    """Returns the signal in a dump of faulthandler, and the stack of the thread that it came in."""
    signal, *stacks = dump.split("\n\n")
    crashed = [stack for stack in stacks if stack.startswith("Current thread")]
    return "\n\n".join((signal, *crashed)).strip() or "It ended without a signal that faulthandler knows."
