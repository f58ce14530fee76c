"""Who has which name on this host: claims that race, holders that die, and those who only look."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from pyx.errors import NameTaken, PyxError, RuntimeDirectoryUnsafe
from pyx.net.directory import Claim, Entry, HostDirectory, runtime_directory
from tests.net.conftest import run


@pytest.fixture
def directory(short_directory: str) -> HostDirectory:
    return HostDirectory(short_directory)


class TestTheRuntimeDirectory:
    def test_is_made_for_me_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "pyx"))
        assert runtime_directory() == str(tmp_path / "pyx")
        assert stat.S_IMODE((tmp_path / "pyx").stat().st_mode) == 0o700
        assert runtime_directory() == str(tmp_path / "pyx")

    def test_lies_in_the_session_or_in_tmp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PYX_RUNTIME_DIR", raising=False)
        uid = os.geteuid()
        assert runtime_directory() in {f"/run/user/{uid}/pyx", f"/tmp/pyx-{uid}"}

    def test_open_to_others_is_refused_with_the_cure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "my pyx"
        path.mkdir()
        path.chmod(0o750)
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(path))
        with pytest.raises(RuntimeDirectoryUnsafe, match="has mode 0750, not 0700") as caught:
            runtime_directory()
        assert caught.value.hint == f"chmod 700 '{path}'"

    def test_of_somebody_else_is_refused_with_its_owner(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "pyx"))
        runtime_directory()
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        with pytest.raises(RuntimeDirectoryUnsafe, match=f"belongs to user {owner}") as caught:
            runtime_directory()
        assert caught.value.hint is not None
        assert f"sudo chown {owner + 1}" in caught.value.hint

    @pytest.mark.parametrize("kind", ["link", "file"])
    def test_that_is_none_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        path = tmp_path / "pyx"
        if kind == "link":
            (tmp_path / "real").mkdir(0o700)
            path.symlink_to(tmp_path / "real")
        else:
            path.touch()
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(path))
        expected = "is a symbolic link" if kind == "link" else "is not a directory"
        with pytest.raises(RuntimeDirectoryUnsafe, match=expected):
            runtime_directory()

    def test_too_deep_for_a_socket_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / ("d" * 100)))
        with pytest.raises(RuntimeDirectoryUnsafe, match="too long a path for a socket"):
            runtime_directory()

    def test_that_cannot_be_made_is_one_clear_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "no" / "such"))
        with pytest.raises(PyxError, match="cannot make the directory") as caught:
            runtime_directory()
        assert caught.value.hint == "set PYX_RUNTIME_DIR to a directory of your own"


class TestAClaim:
    def test_is_seen_by_those_who_look(self, directory: HostDirectory) -> None:
        assert directory.lookup("gus@vm") is None
        claim = directory.claim("gus@vm", 7, 4242)
        assert directory.lookup("gus@vm") == claim.socket_path
        assert directory.entries() == [Entry("gus@vm", 4242, 7)]
        claim.release()
        assert directory.lookup("gus@vm") is None
        assert directory.entries() == []

    def test_is_refused_while_the_name_is_held(self, directory: HostDirectory) -> None:
        claim = directory.claim("gus@vm", 7, 4242)
        with pytest.raises(
            NameTaken, match=r"the name gus@vm is in use by another node \(pid 4242\)"
        ) as caught:
            directory.claim("gus@vm", 8, 5)
        assert caught.value.os_pid == 4242
        claim.release()
        directory.claim("gus@vm", 8, 5).release()

    def test_is_refused_without_a_pid_by_a_holder_who_has_not_written_it_yet(
        self, directory: HostDirectory, short_directory: str
    ) -> None:
        claim = directory.claim("gus@vm", 7, 4242)
        os.truncate(f"{short_directory}/gus@vm.lock", 0)
        with pytest.raises(NameTaken) as caught:
            directory.claim("gus@vm", 8, 5)
        assert caught.value.os_pid is None
        assert directory.lookup("gus@vm") == claim.socket_path
        assert directory.entries() == []
        claim.release()

    def test_leaves_nothing_behind(self, directory: HostDirectory, short_directory: str) -> None:
        claim = directory.claim("gus@vm", 7, 4242)
        claim.listen().close()
        assert len(list(Path(short_directory).iterdir())) == 2
        claim.release()
        claim.release()
        assert list(Path(short_directory).iterdir()) == []

    def test_names_of_any_length_have_their_files(self, directory: HostDirectory) -> None:
        names = ["n" * 252 + "@vm", "n" * 251 + "@vm2", "n@vm"]
        claims = [directory.claim(name, 7, number + 1) for number, name in enumerate(names)]
        assert {entry.name for entry in directory.entries()} == set(names)
        for claim in claims:
            claim.listen().close()
            claim.release()

    def test_replaces_what_a_dead_node_left(self, directory: HostDirectory, short_directory: str) -> None:
        run(
            """
            import os, sys
            from pyx.net.directory import HostDirectory
            claim = HostDirectory(sys.argv[1]).claim("gus@vm", 7, os.getpid())
            claim.listen()
            os.kill(os.getpid(), 9) if os.fork() == 0 else os._exit(0)
            """,
            short_directory,
        )
        assert len(list(Path(short_directory).iterdir())) == 2
        assert directory.lookup("gus@vm") is None
        claim = directory.claim("gus@vm", 8, 5)
        listening = claim.listen()
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.connect(claim.socket_path)
        listening.close()
        assert directory.entries() == [Entry("gus@vm", 5, 8)]
        claim.release()

    def test_is_not_kept_by_a_forked_child(self, short_directory: str) -> None:
        printed = run(
            """
            import os, sys
            from pyx.net.directory import HostDirectory
            directory = HostDirectory(sys.argv[1])
            claimed, claims = os.pipe()
            kept, keeps = os.pipe()
            if os.fork() == 0:
                claim = directory.claim("gus@vm", 7, os.getpid())
                if os.fork() == 0:
                    claim.release()                    # not its to release
                    os.write(claims, b"x")
                    os.close(keeps)
                    os.read(kept, 1)                   # outlives its parent
                    os._exit(0)
                os.read(claimed, 1)
                os.write(claims, b"y" if directory.lookup("gus@vm") else b"n")
                os._exit(0)
            os.wait()
            print(os.read(claimed, 1), directory.lookup("gus@vm"))
            """,
            short_directory,
        )
        assert printed == "b'y' None\n"

    @pytest.mark.parametrize("call", ["open", "pwrite"])
    def test_that_cannot_be_written_is_one_clear_error(
        self, directory: HostDirectory, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        def fail(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(PyxError, match=r"cannot claim the name gus@vm in .*: No space left"):
                directory.claim("gus@vm", 7, 4242)
        directory.claim("gus@vm", 7, 4242).release()

    def test_whose_socket_cannot_be_bound_is_one_clear_error(self, directory: HostDirectory) -> None:
        claim = directory.claim("gus@vm", 7, 4242)
        Path(claim.socket_path).mkdir()
        with pytest.raises(PyxError, match="cannot listen on"):
            claim.listen()
        Path(claim.socket_path).rmdir()
        claim.release()


class TestRaces:
    def test_with_a_leaving_holder_do_not_end_in_two_holders(
        self, directory: HostDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file that a claimer has opened is unlinked by its holder, and the name claimed anew, before he
        locks it: his lock would be on a file that nobody finds any more."""
        leaving = directory.claim("gus@vm", 7, 1)
        successors: list[Claim | None] = []
        really_open = os.open

        def open_and_be_late(*arguments: Any) -> int:
            descriptor = really_open(*arguments)
            if not successors:
                successors.append(None)
                leaving.release()
                successors.append(directory.claim("gus@vm", 8, 2))
            return descriptor

        monkeypatch.setattr(os, "open", open_and_be_late)
        with pytest.raises(NameTaken, match="pid 2"):
            directory.claim("gus@vm", 9, 3)
        assert directory.entries() == [Entry("gus@vm", 2, 8)]
        successor = successors[1]
        assert successor is not None
        successor.release()

    def test_of_sixty_processes_for_one_name_have_one_winner(self, short_directory: str) -> None:
        """The rounds start from nothing, from a dead holder's files, and from a name just released."""
        printed = run(
            """
            import os, signal, sys
            from pyx.errors import NameTaken
            from pyx.net.directory import HostDirectory
            directory = HostDirectory(sys.argv[1])
            parent = os.getpid()
            lookers = []
            for _ in range(3):
                lookers.append(os.fork())
                if not lookers[-1]:
                    while os.getppid() == parent:
                        directory.lookup("gus@vm")
                        directory.entries()
            for round in range(6):
                start, starts = os.pipe()
                told, tells = os.pipe()
                end, ends = os.pipe()
                children = []
                for _ in range(60):
                    children.append(os.fork())
                    if not children[-1]:
                        os.close(starts)
                        os.close(ends)
                        os.read(start, 1)
                        try:
                            claim = directory.claim("gus@vm", 7, os.getpid())
                        except NameTaken as taken:
                            os.write(tells, b"%9d" % (taken.os_pid or 0))
                        else:
                            claim.listen()
                            os.write(tells, b"%9d" % -os.getpid())
                            os.read(end, 1)
                            if round % 2:
                                claim.release()
                        os._exit(0)
                os.close(starts)
                answers = [int(os.read(told, 9)) for _ in children]
                winners = [-answer for answer in answers if answer < 0]
                (entry,) = directory.entries()
                print(len(winners), winners == [entry.os_pid], directory.lookup("gus@vm") is not None)
                os.close(ends)
                for child in children:
                    os.waitpid(child, 0)
                print(directory.lookup("gus@vm"))
                for descriptor in (start, told, tells, end):
                    os.close(descriptor)
            for looker in lookers:
                os.kill(looker, signal.SIGKILL)
            """,
            short_directory,
        )
        assert printed == "1 True True\nNone\n" * 6

    def test_with_those_who_look_cost_nobody_a_name(self, short_directory: str) -> None:
        printed = run(
            """
            import os, signal, sys
            from pyx.net.directory import HostDirectory
            directory = HostDirectory(sys.argv[1])
            parent = os.getpid()
            open(sys.argv[1] + "/gus@vm.lock", "w").close()
            lookers = []
            looks, looking = os.pipe()
            for _ in range(4):
                lookers.append(os.fork())
                if not lookers[-1]:
                    directory.lookup("gus@vm")
                    os.write(looking, b"x")
                    while os.getppid() == parent:
                        directory.lookup("gus@vm")
            for _ in lookers:
                os.read(looks, 1)
            for round in range(500):
                claim = directory.claim("gus@vm", 7, 1)       # never NameTaken
                claim.close_in_child()                         # as if it had died: the file stays
            for looker in lookers:
                os.kill(looker, signal.SIGKILL)
            print("had it 500 times")
            """,
            short_directory,
        )
        assert printed == "had it 500 times\n"
