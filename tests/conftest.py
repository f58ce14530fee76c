"""Fixtures of nodes in this OS process, with a home and a runtime directory of their own."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from pyx import fast_paths
from pyx.execution.node_log import log
from tests import crash_reports
from tests.local_nodes import HANG, LocalNodes, new_runner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.logging import LogCaptureHandler

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode


_COLOURS = ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "PYTHON_COLORS", "CLICOLOR", "CLICOLOR_FORCE")
"""Variables that would colour, or not, what child processes of tests write; some tests set them."""

_EXAMPLES = os.environ.get("PYX_EXAMPLES")
"""How many examples hypothesis makes for each test; new ones at each run, if it is set."""

hypothesis.settings.register_profile(
    "pyx",
    database=None,  # a checkout may be read-only
    deadline=None,
    derandomize=_EXAMPLES is None,
    max_examples=int(_EXAMPLES or 200),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # a processor may be shared
)
hypothesis.settings.load_profile("pyx")


@pytest.hookimpl(trylast=True)  # after pytest's own plugin for crashes
def pytest_configure(config: pytest.Config) -> None:
    """Restores what child processes of tests inherit: colours, and signals ignored under `nohup` or `&`.

    Temporary directories are below `/tmp`: the path of a socket elsewhere may be too long.
    """
    config.pluginmanager.register(crash_reports)
    for name in _COLOURS:
        os.environ.pop(name, None)
    os.environ["TMPDIR"] = "/tmp"
    tempfile.tempdir = None  # found anew
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives the tests of a file, which share nodes and terminals, to one worker (`--dist` changes that)."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A home and a runtime directory of this test alone; the path of a socket there is short enough."""
    path = tempfile.mkdtemp(prefix="pyx-", dir="/tmp")
    monkeypatch.setenv("HOME", path)
    monkeypatch.setenv("PYX_RUNTIME_DIR", path)
    monkeypatch.delenv("PYX_COOKIE_FILE", raising=False)
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=[True, False], ids=["fast", "general"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Runs the test twice: with all fast paths, and without any; for nodes that are made after it."""
    monkeypatch.setattr(fast_paths, "enabled", request.param)
    return bool(request.param)


@pytest.fixture
def nodes(home: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNodes]:
    """Makes nodes, which end with the test."""
    with LocalNodes(monkeypatch) as nodes:
        yield nodes


@pytest.fixture
def node(nodes: LocalNodes) -> LocalNode:
    """A fresh node without a name; it is the node of this OS process as long as the test runs."""
    return nodes.make()


@pytest.fixture
def runner(node: LocalNode) -> Runner:
    """The runner of a process that has neither thread nor task."""
    return new_runner(node)


class SettledLog(pytest.LogCaptureFixture):  # type: ignore[misc] # a final class, which pytest offers no other way to change
    """The captured log, with the records of event loops, which another thread writes."""

    @property
    def handler(self) -> LogCaptureHandler:
        log.settle(HANG)
        return super().handler


@pytest.fixture
def caplog(request: pytest.FixtureRequest) -> Iterator[pytest.LogCaptureFixture]:
    """pytest's `caplog`, which also waits for records of event loops."""
    caplog = SettledLog(request.node, _ispytest=True)
    yield caplog
    caplog._finalize()
