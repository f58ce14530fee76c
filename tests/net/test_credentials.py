"""credentials.py: The user and the OS process at the other end of a unix socket."""

from __future__ import annotations

import os
import socket
import sys

from pyx.net.credentials import os_pid_of, uid_of


def test_uid_and_pid_of_the_other_end_are_returned() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert uid_of(here) == os.geteuid()
        assert os_pid_of(here) == (os.getpid() if sys.platform == "linux" else None)
