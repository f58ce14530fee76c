"""accept_failures.py: What the log says while connections cannot be accepted."""

from __future__ import annotations

import errno

from pyx.runtime.accept_failures import AcceptFailures


class TestTheLog:
    def test_says_it_at_once_and_then_once_a_minute(self) -> None:
        shortage = AcceptFailures()
        line = "cannot accept a connection: Too many open files"
        hint = " (hint: this process has as many open files as `ulimit -n` allows)"
        assert shortage.failed(errno.EMFILE, 5000.0) == line + hint
        for tries in range(100):
            assert shortage.failed(errno.EMFILE, 5000.1 + tries / 50) is None
        assert shortage.failed(errno.EMFILE, 5060.0) == f"{line}, 100 times since the last line{hint}"
        assert shortage.failed(errno.EMFILE, 5120.0) == line + hint

    def test_names_what_else_the_system_says(self) -> None:
        assert (
            AcceptFailures().failed(errno.ENOMEM, 1.0) == "cannot accept a connection: Cannot allocate memory"
        )
