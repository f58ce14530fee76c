"""user_code.py: Frames are user code or not by the file that they were compiled from."""

from __future__ import annotations

import asyncio
import dataclasses
import queue
import site
import sys
import sysconfig
from collections import namedtuple
from typing import TYPE_CHECKING

import pytest

from pyx.execution.user_code import is_standard_library, is_user_code

if TYPE_CHECKING:
    from types import FrameType


def frame_of(filename: str, **names: object) -> FrameType:
    """Returns a frame of code compiled as if it were in *filename*."""
    frame: FrameType = eval(compile("look()", filename, "eval"), {"look": caller, **names})
    return frame


def caller() -> FrameType:
    return sys._getframe(1)


@pytest.mark.parametrize("kind", ["stdlib", "platstdlib"])
def test_folders_of_sysconfig_are_the_standard_library(kind: str) -> None:
    assert is_standard_library(frame_of(f"{sysconfig.get_path(kind)}/queue.py"))


@pytest.mark.parametrize(
    "filename", ["/home/ann/shop.py", "<stdin>", "<pyx 3>", "<string>", "/srv/app/lib/python/stock.py"]
)
def test_file_of_the_user_is_user_code(filename: str) -> None:
    assert is_user_code(frame_of(filename))


@pytest.mark.parametrize(
    "filename",
    [
        queue.__file__,
        asyncio.base_events.__file__,
        "<frozen importlib._bootstrap>",
    ],
)
def test_file_of_the_standard_library_is_not_user_code(filename: str) -> None:
    assert is_standard_library(frame_of(filename))
    assert not is_user_code(frame_of(filename))


@pytest.mark.parametrize(
    "filename",
    [f"{site.getsitepackages()[0]}/urllib3/pool.py", "/usr/lib/python3/dist-packages/x.py"],
)
def test_file_of_an_installed_package_is_not_user_code(filename: str) -> None:
    assert not is_standard_library(frame_of(filename))
    assert not is_user_code(frame_of(filename))


def test_frames_of_pyx_are_not_user_code() -> None:
    import pyx.runtime.receiving

    assert not is_user_code(frame_of(pyx.runtime.receiving.__file__))


def test_code_made_by_dataclass_belongs_to_the_module_of_the_class() -> None:
    assert is_user_code(frame_of("<string>", __file__="/home/ann/shop.py"))
    assert not is_user_code(frame_of("<string>", __file__=dataclasses.__file__))


def test_code_made_by_namedtuple_is_not_user_code() -> None:
    point = namedtuple("point", "x")  # noqa: PYI024 - it is what this is about
    assert point.__new__.__code__.co_filename.startswith("<")
    assert not is_user_code(frame_of("<string>", __name__="namedtuple_point"))
