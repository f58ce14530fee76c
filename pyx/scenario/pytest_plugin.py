"""The pytest plugin: collects `*.pyxt` files, and Markdown on the command line that holds sessions.

A file is one item; its failure is the report of `pyx replay`.  Every pytest of the environment loads this
entry point, so the rest of pyx is imported only when such a file is collected.  The fixtures of users' own
tests are those of `otp/pytest_fixtures.py`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import pytest

from pyx.otp.pytest_fixtures import (  # noqa: F401 - pytest finds them in the plugin
    _no_process_is_left,
    pytest_pyfunc_call,
    pyx_process,
    start_supervised,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SUFFIX: Final = ".pyxt"
_MARKDOWN: Final = (".md", ".markdown")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Pytest's hook: returns the collector of a scenario or a page with sessions, None for other files."""
    if file_path.suffix == _SUFFIX:
        return ScenarioFile.from_parent(parent, path=file_path)
    if file_path.suffix.lower() in _MARKDOWN and parent.session.isinitpath(file_path):
        from pyx.scenario.markdown_sessions import has_sessions

        try:
            has_scenario = has_sessions(file_path.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            has_scenario = True  # so that it fails as an item: an error here would end the run
        if has_scenario:
            return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """The collector of one file."""

    def collect(self) -> Iterable[pytest.Item]:
        """Pytest's hook."""
        yield ScenarioItem.from_parent(self, name=self.path.name)


class ScenarioItem(pytest.Item):
    """The item of one file: all its sessions."""

    def runtest(self) -> None:
        """Pytest's hook."""
        from pyx.scenario.replay import Replay, ReplayOptions

        try:
            shown = str(self.path.relative_to(self.config.invocation_params.dir))
        except ValueError:
            shown = str(self.path)
        result = Replay(ReplayOptions()).play(shown)
        if result.skipped:
            text = _skipped(result.skipped, self.path.name)
            warnings.warn_explicit(text, ScenarioWarning, str(self.path), 1)
        if not result.passed:
            raise ScenarioFailed(result.text)
        if not result.played:
            pytest.skip(result.not_here)
        if result.not_here:
            text = f"sessions of {self.path.name} were not played: {result.not_here}"
            warnings.warn_explicit(text, ScenarioWarning, str(self.path), 1)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """Pytest's hook: the report alone, without a traceback through pyx."""
        if isinstance(excinfo.value, ScenarioFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Pytest's hook."""
        return self.path, None, f"scenario {self.path.name}"


def _skipped(number: int, name: str) -> str:
    if number == 1:
        return f"1 block of {name} is not played: it is not ```pyx"
    return f"{number} blocks of {name} are not played: they are not ```pyx"


class ScenarioWarning(pytest.PytestWarning):
    """A Markdown file has blocks or sessions that were not played."""


class ScenarioFailed(Exception):
    """A step failed; the message is the report."""
