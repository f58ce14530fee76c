"""name_guard.py: A socket without a file shows that the holder of a name is alive."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pyx.net import name_guard
from pyx.net.name_guard import NameGuard, NameGuarded
from tests.net.conftest import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sockets without a file are Linux's")


class TestNameGuard:
    def test_name_guard_is_held_by_one_node(self, short_directory: str) -> None:
        guard, other = NameGuard("gus@vm"), NameGuard("gus@vm")
        guard.hold(short_directory)
        guard.hold(short_directory)
        with pytest.raises(NameGuarded, match=f"pid {os.getpid()}"):
            other.hold(short_directory)
        guard.close()
        other.hold(short_directory)
        other.close()

    def test_name_guard_is_for_one_name_in_one_directory(self, short_directory: str, tmp_path: Path) -> None:
        guards = [NameGuard("gus@vm"), NameGuard("bob@vm"), NameGuard("gus@vm")]
        for guard, directory in zip(guards, [short_directory, short_directory, str(tmp_path)], strict=True):
            guard.hold(directory)
        for guard in guards:
            guard.close()

    def test_name_guard_moves_with_the_directory(self, short_directory: str, tmp_path: Path) -> None:
        guard, other = NameGuard("gus@vm"), NameGuard("gus@vm")
        guard.hold(short_directory)
        guard.hold(str(tmp_path))
        other.hold(short_directory)
        guard.close()
        other.close()

    def test_name_guard_refuses_more_claims_than_its_backlog_holds(self, short_directory: str) -> None:
        guard, other = NameGuard("gus@vm"), NameGuard("gus@vm")
        guard.hold(short_directory)
        for _ in range(3):
            for _ in range(100):
                with pytest.raises(NameGuarded):
                    other.hold(short_directory)
            guard.drain()
        guard.close()
        guard.drain()

    def test_name_guard_of_another_user_is_ignored(
        self, short_directory: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        guard, other = NameGuard("gus@vm"), NameGuard("gus@vm")
        guard.hold(short_directory)
        monkeypatch.setattr(name_guard, "uid_of", lambda _: os.geteuid() + 1)
        other.hold(short_directory)
        guard.close()
        other.close()

    def test_name_guard_without_a_directory_guards_nothing(self) -> None:
        guard, other = NameGuard("gus@vm"), NameGuard("gus@vm")
        guard.hold("/nowhere/at/all")
        other.hold("/nowhere/at/all")
        guard.close()

    def test_name_guard_ends_with_its_os_process(self, short_directory: str) -> None:
        printed = run(
            """
            import os, signal, sys
            from pyx.net.name_guard import NameGuard, NameGuarded
            held, holds = os.pipe()
            child = os.fork()
            if not child:
                guard = NameGuard("gus@vm")
                guard.hold(sys.argv[1])
                os.write(holds, b"x")
                signal.pause()
            os.read(held, 1)
            try:
                NameGuard("gus@vm").hold(sys.argv[1])
            except NameGuarded as guarded:
                print(guarded.os_pid == child)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            guard = NameGuard("gus@vm")
            guard.hold(sys.argv[1])
            guard.close()
            """,
            short_directory,
        )
        assert printed == "True\n"
