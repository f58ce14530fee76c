"""directory_log.py: Log lines about the files of a node's name, while they are removed and restored."""

from __future__ import annotations

import logging

from pyx.errors import NameTaken, PyxError, RuntimeDirectoryUnsafe
from pyx.net.directory_log import DirectoryLog, LogLine

RUN = "/run/user/1000/pyx"


class TestLog:
    def test_log_is_empty_while_no_file_is_missing(self) -> None:
        log = DirectoryLog("gus@vm")
        assert log.restored((), RUN) is None
        assert log.restored((), RUN) is None

    def test_log_names_the_restored_files(self) -> None:
        log = DirectoryLog("gus@vm")
        assert log.restored(("socket",), RUN) == LogLine(
            logging.WARNING, "the socket of gus@vm was missing in /run/user/1000/pyx: restored"
        )
        assert log.restored((), RUN) is None
        assert log.restored(("lock", "socket"), RUN) == LogLine(
            logging.WARNING, "the lock and socket of gus@vm were missing in /run/user/1000/pyx: restored"
        )

    def test_log_names_the_newer_node_with_the_name_once(self) -> None:
        log = DirectoryLog("gus@vm")
        assert log.failed(NameTaken("gus@vm", 77), RUN) == LogLine(
            logging.ERROR,
            "new nodes find another gus@vm (pid 77) instead of this one, whose lock was removed from "
            "/run/user/1000/pyx: end one of the two",
        )
        assert log.failed(NameTaken("gus@vm", 77), RUN) is None
        line = log.failed(NameTaken("gus@vm", None), RUN)
        assert line is not None
        assert "another gus@vm instead" in line.text

    def test_log_says_why_files_cannot_be_restored_once_for_each_reason(self) -> None:
        log = DirectoryLog("gus@vm")
        unsafe = RuntimeDirectoryUnsafe(RUN, "belongs to user 0, not to this user (1000)", hint="sudo chown")
        line = log.failed(unsafe, RUN)
        assert line is not None
        assert line.level == logging.ERROR
        assert line.text.startswith("new nodes cannot find gus@vm: /run/user/1000/pyx")
        assert line.text.endswith("belongs to user 0, not to this user (1000) (hint: sudo chown)")
        assert log.failed(unsafe, RUN) is None
        assert log.failed(PyxError("no space left"), RUN) is not None

    def test_log_says_when_the_node_can_be_found_again(self) -> None:
        log = DirectoryLog("gus@vm")
        log.failed(PyxError("no space left"), RUN)
        assert log.restored((), RUN) == LogLine(logging.WARNING, "new nodes find gus@vm again")
        assert log.restored((), RUN) is None
        log.failed(PyxError("no space left"), RUN)
        line = log.restored(("lock",), RUN)
        assert line is not None
        assert line.text.endswith("restored")
