"""directory_log.py: What the log says while the files of a node's name vanish and come back."""

from __future__ import annotations

import logging

from pyx.errors import NameTaken, PyxError, RuntimeDirectoryUnsafe
from pyx.net.directory_log import DirectoryLog, LogLine

RUN = "/run/user/1000/pyx"


class TestTheLog:
    def test_log_is_empty_while_no_file_is_missing(self) -> None:
        upkeep = DirectoryLog("gus@vm")
        assert upkeep.restored((), RUN) is None
        assert upkeep.restored((), RUN) is None

    def test_log_names_the_restored_files(self) -> None:
        upkeep = DirectoryLog("gus@vm")
        assert upkeep.restored(("socket",), RUN) == LogLine(
            logging.WARNING, "the socket of gus@vm was missing in /run/user/1000/pyx: restored"
        )
        assert upkeep.restored((), RUN) is None
        assert upkeep.restored(("lock", "socket"), RUN) == LogLine(
            logging.WARNING, "the lock and socket of gus@vm were missing in /run/user/1000/pyx: restored"
        )

    def test_log_names_the_newer_node_with_the_name_once(self) -> None:
        upkeep = DirectoryLog("gus@vm")
        assert upkeep.failed(NameTaken("gus@vm", 77), RUN) == LogLine(
            logging.ERROR,
            "new nodes find another gus@vm (pid 77) instead of this one, whose lock was removed from "
            "/run/user/1000/pyx: end one of the two",
        )
        assert upkeep.failed(NameTaken("gus@vm", 77), RUN) is None
        line = upkeep.failed(NameTaken("gus@vm", None), RUN)
        assert line is not None
        assert "another gus@vm instead" in line.text

    def test_log_says_why_files_cannot_be_restored_once_for_each_reason(self) -> None:
        upkeep = DirectoryLog("gus@vm")
        unsafe = RuntimeDirectoryUnsafe(RUN, "belongs to user 0, not to this user (1000)", hint="sudo chown")
        line = upkeep.failed(unsafe, RUN)
        assert line is not None
        assert line.level == logging.ERROR
        assert line.text.startswith("new nodes cannot find gus@vm: /run/user/1000/pyx")
        assert line.text.endswith("belongs to user 0, not to this user (1000) (hint: sudo chown)")
        assert upkeep.failed(unsafe, RUN) is None
        assert upkeep.failed(PyxError("no space left"), RUN) is not None

    def test_log_says_when_the_node_can_be_found_again(self) -> None:
        upkeep = DirectoryLog("gus@vm")
        upkeep.failed(PyxError("no space left"), RUN)
        assert upkeep.restored((), RUN) == LogLine(logging.WARNING, "new nodes find gus@vm again")
        assert upkeep.restored((), RUN) is None
        upkeep.failed(PyxError("no space left"), RUN)
        line = upkeep.restored(("lock",), RUN)
        assert line is not None
        assert line.text.endswith("restored")
