"""The hosts on which the stories run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stories.host import Host

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """The host of all stories of a file: their nodes form one mesh."""
    with Host() as host:
        yield host


@pytest.fixture
def lone_host() -> Iterator[Host]:
    """The host of one story, which counts nodes or damages files."""
    with Host() as host:
        yield host
