"""Tells user code from the code of pyx, the standard library and installed packages.

A kill is raised in user code only: between a library's `lock.acquire()` and the `try` after it, it would
leave the lock taken for ever.  See `tracebacks.py` for the frames that a traceback shows.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

# Paths are str, not `Path`: each is compared with `co_filename`, a str, for every frame that is looked at.
_PATH: Final = os.path
PYX: Final = _PATH.join(_PATH.dirname(_PATH.dirname(_PATH.abspath(__file__))), "")

# As `sysconfig` says, which costs each start a millisecond; compiled modules have no frames.
_VERSION: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
_LIBRARY: Final = tuple(
    _PATH.join(folder, "")
    for folder in {
        _PATH.dirname(os.__file__),
        _PATH.join(sys.base_prefix, sys.platlibdir, _VERSION),
        _PATH.join(sys.exec_prefix, sys.platlibdir, _VERSION),
    }
)
_PACKAGES: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def is_user_file(filename: str) -> bool:
    """Returns True unless *filename* is a file of pyx, of the standard library or of an installed package."""
    return not (filename.startswith((PYX, *_LIBRARY)) or _is_of_a_package(filename))


def is_user_code(frame: FrameType) -> bool:
    """Returns True unless *frame* runs code of pyx, of the standard library or of an installed package."""
    filename = filename_of(frame)
    return not (filename.startswith(PYX) or is_standard_library(frame) or _is_of_a_package(filename))


def is_standard_library(frame: FrameType) -> bool:
    """Returns True for code of Python itself: `threading`, the importer, a class made by `namedtuple`."""
    filename = filename_of(frame)
    if filename.startswith("<"):
        made_for = frame.f_globals.get("__name__")
        return filename.startswith("<frozen") or str(made_for).startswith("namedtuple_")
    return filename.startswith(_LIBRARY) and not _is_of_a_package(filename)


def _is_of_a_package(filename: str) -> bool:
    return any(packages in filename for packages in _PACKAGES)


def filename_of(frame: FrameType) -> str:
    """Returns the file of the frame's code; of generated code (a dataclass's), the file of its module."""
    filename = frame.f_code.co_filename
    if filename.startswith("<") and not filename.startswith("<frozen"):
        made_in = frame.f_globals.get("__file__")
        if type(made_in) is str:
            return made_in
    return filename
