"""pytest collects `*.pyxt` files, and Markdown on its command line that holds sessions: one item a file.

Installed as an entry point, so it is loaded by every pytest of the environment: it imports nothing else of
pyx until there is such a file.  A failure shows the same report as `pyx replay`.  Not here: playing
(`replay.py`).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SUFFIX: Final = ".pyxt"
_MARKDOWN: Final = (".md", ".markdown")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Pytest's hook: our file, or None for anybody else's."""
    if file_path.suffix == _SUFFIX:
        return ScenarioFile.from_parent(parent, path=file_path)
    if file_path.suffix.lower() in _MARKDOWN and parent.session.isinitpath(file_path):
        from pyx.scenario.markdown_sessions import has_sessions

        try:
            is_ours = has_sessions(file_path.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            is_ours = True  # so that it fails as an item: an error here would end the run
        if is_ours:
            return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A file with one item in it."""

    def collect(self) -> Iterable[pytest.Item]:
        """Pytest's hook."""
        yield ScenarioItem.from_parent(self, name=self.path.name)


class ScenarioItem(pytest.Item):
    """All sessions of a file."""

    def runtest(self) -> None:
        """Pytest's hook."""
        from pyx.scenario.replay import Replay, ReplayOptions

        try:
            shown = str(self.path.relative_to(self.config.invocation_params.dir))
        except ValueError:
            shown = str(self.path)
        result = Replay(ReplayOptions()).play(shown)
        if result.skipped:
            told = _skipped(result.skipped, self.path.name)
            warnings.warn_explicit(told, ScenarioWarning, str(self.path), 1)
        if not result.passed:
            raise ScenarioFailed(result.text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """Pytest's hook: the report alone, without a traceback through the runner."""
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
    """Blocks of Markdown hold a prompt and are not played."""


class ScenarioFailed(Exception):
    """A step was not as the file says; the message is the report."""
