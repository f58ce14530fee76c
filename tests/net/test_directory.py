"""directory.py, name_claim.py, name_locks.py: Claims of names on this host: races, holders
that die, lookups.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import NameTaken, PyxError, RuntimeDirectoryUnsafe
from pyx.net import name_claim
from pyx.net.directory import HostDirectory
from pyx.net.name_claim import NameClaim, Restored
from pyx.net.name_locks import LockEntry
from tests.net.conftest import run

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def directory(short_directory: str) -> HostDirectory:
    return HostDirectory(short_directory)


class TestClaim:
    def test_name_claim_is_found_by_lookups_until_its_release(self, directory: HostDirectory) -> None:
        assert directory.lookup("gus@vm") is None
        claim = directory.claim("gus@vm", 7, 4242)
        assert directory.lookup("gus@vm") == claim.socket_path
        assert directory.entries() == [LockEntry("gus@vm", 4242, 7)]
        claim.release()
        assert directory.lookup("gus@vm") is None
        assert directory.entries() == []

    def test_name_claim_is_refused_while_another_node_holds_the_name(self, directory: HostDirectory) -> None:
        claim = directory.claim("gus@vm", 7, 4242)
        with pytest.raises(
            NameTaken, match=r"the name gus@vm is in use by another node \(pid 4242\)"
        ) as caught:
            directory.claim("gus@vm", 8, 5)
        assert caught.value.os_pid == 4242
        claim.release()
        directory.claim("gus@vm", 8, 5).release()

    def test_name_claim_refused_by_a_holder_without_a_written_pid_has_no_pid(
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

    def test_name_claim_released_by_two_threads_closes_its_descriptor_once(
        self, directory: HostDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The number may belong to another file by the second time."""
        claim = directory.claim("gus@vm", 7, 4242)
        closed: list[int] = []

        def close(descriptor: int) -> None:
            closed.append(descriptor)
            if len(closed) == 1:
                claim.release()  # by another thread, while this one is in the system call

        monkeypatch.setattr(name_claim, "os", SimpleNamespace(**{**vars(os), "close": close}))
        claim.release()
        os.close(closed[0])
        assert len(closed) == 1

    def test_released_name_claim_leaves_no_files(
        self, directory: HostDirectory, short_directory: str
    ) -> None:
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

    def test_name_claim_replaces_the_files_of_a_dead_node(
        self, directory: HostDirectory, short_directory: str
    ) -> None:
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
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(claim.socket_path)
        listening.close()
        assert directory.entries() == [LockEntry("gus@vm", 5, 8)]
        claim.release()

    def test_name_claim_is_not_kept_by_a_forked_child(self, short_directory: str) -> None:
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
                    claim.release()                    # has no effect in a child
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
    def test_name_claim_that_cannot_be_written_is_one_clear_error(
        self, directory: HostDirectory, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        def fail(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(PyxError, match=r"cannot claim the name gus@vm in .*: No space left"):
                directory.claim("gus@vm", 7, 4242)
        directory.claim("gus@vm", 7, 4242).release()

    def test_name_claim_whose_socket_cannot_be_bound_is_one_clear_error(
        self, directory: HostDirectory
    ) -> None:
        claim = directory.claim("gus@vm", 7, 4242)
        Path(claim.socket_path).mkdir()
        with pytest.raises(PyxError, match="cannot listen on"):
            claim.listen()
        Path(claim.socket_path).rmdir()
        claim.release()


class TestRestore:
    """New nodes find a node by files that programs other than pyx may remove."""

    @pytest.fixture
    def claim(self, directory: HostDirectory) -> Iterator[NameClaim]:
        claim = directory.claim("gus@vm", 7, 4242)
        with claim.listen():
            yield claim
        claim.release()

    def assert_is_whole(self, directory: HostDirectory, claim: NameClaim) -> None:
        assert directory.entries() == [LockEntry("gus@vm", 4242, 7)]
        with pytest.raises(NameTaken, match="pid 4242"):
            directory.claim("gus@vm", 8, 5)
        assert claim.restore() == Restored()

    def reach(self, directory: HostDirectory) -> None:
        path = directory.lookup("gus@vm")
        assert path is not None
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)

    def test_restore_changes_nothing_where_no_file_is_missing(
        self, directory: HostDirectory, claim: NameClaim
    ) -> None:
        assert claim.restore() == Restored()
        self.assert_is_whole(directory, claim)

    def test_removed_lock_file_is_restored(
        self, directory: HostDirectory, claim: NameClaim, short_directory: str
    ) -> None:
        Path(short_directory, "gus@vm.lock").unlink()
        assert directory.lookup("gus@vm") is None
        assert claim.restore() == Restored(("lock",))
        self.assert_is_whole(directory, claim)

    def test_removed_socket_is_restored(self, directory: HostDirectory, claim: NameClaim) -> None:
        Path(claim.socket_path).unlink()
        restored = claim.restore()
        assert restored is not None
        assert restored.gone == ("socket",)
        assert restored.listening is not None
        self.reach(directory)
        self.assert_is_whole(directory, claim)
        restored.listening.close()

    def test_removed_directory_is_restored(
        self, directory: HostDirectory, claim: NameClaim, short_directory: str
    ) -> None:
        shutil.rmtree(short_directory)
        restored = claim.restore()
        assert restored is not None
        assert restored.gone == ("lock", "socket")
        assert restored.listening is not None
        self.reach(directory)
        self.assert_is_whole(directory, claim)
        restored.listening.close()

    def test_restore_moves_the_files_to_the_directory_of_new_nodes(self) -> None:
        """`/run/user/UID` is removed at the last logout, and made again at the next login."""
        places = [tempfile.mkdtemp(prefix="pyx-", dir="/tmp") for _ in range(2)]
        now = [places[0]]
        directory = HostDirectory(places[0], lambda: now[0])
        claim = directory.claim("gus@vm", 7, 4242)
        claim.listen().close()
        now[0] = places[1]
        restored = claim.restore()
        assert restored is not None
        assert restored.gone == ("lock", "socket")
        assert restored.listening is not None
        assert directory.path == places[1]
        self.reach(directory)
        assert os.listdir(places[0]) == []
        restored.listening.close()
        claim.release()
        assert os.listdir(places[1]) == []
        for place in places:
            Path(place).rmdir()

    def test_restore_is_refused_while_a_newer_node_holds_the_name(
        self, directory: HostDirectory, claim: NameClaim, short_directory: str
    ) -> None:
        claim._guard.close()  # as on a system without name guards
        Path(short_directory, "gus@vm.lock").unlink()
        newcomer = directory.claim("gus@vm", 9, 77)
        listening = newcomer.listen()
        with pytest.raises(NameTaken, match="pid 77"):
            claim.restore()
        self.reach(directory)
        assert directory.entries() == [LockEntry("gus@vm", 77, 9)]
        newcomer.release()
        listening.close()
        restored = claim.restore()
        assert restored is not None
        assert restored.gone == ("lock", "socket")
        assert restored.listening is not None
        restored.listening.close()
        self.assert_is_whole(directory, claim)

    def test_release_leaves_the_files_of_a_newer_node_with_the_name(
        self, directory: HostDirectory, claim: NameClaim, short_directory: str
    ) -> None:
        claim._guard.close()  # as on a system without name guards
        Path(short_directory, "gus@vm.lock").unlink()
        newcomer = directory.claim("gus@vm", 9, 77)
        listening = newcomer.listen()
        claim.release()
        self.reach(directory)
        assert directory.entries() == [LockEntry("gus@vm", 77, 9)]
        listening.close()
        newcomer.release()

    def test_restore_error_says_why_the_directory_cannot_be_made(
        self, claim: NameClaim, short_directory: str
    ) -> None:
        shutil.rmtree(short_directory)
        Path(short_directory).touch()
        with pytest.raises(RuntimeDirectoryUnsafe, match="is not a directory"):
            claim.restore()
        Path(short_directory).unlink()
        restored = claim.restore()
        assert restored is not None
        assert restored.listening is not None
        restored.listening.close()

    def test_restore_is_postponed_while_another_process_locks_the_new_file(
        self, claim: NameClaim, short_directory: str
    ) -> None:
        lock = Path(short_directory, "gus@vm.lock")
        lock.unlink()
        with lock.open("w") as reader:
            fcntl.flock(reader, fcntl.LOCK_SH)
            assert claim.restore() is None
        assert claim.restore() == Restored(("lock",))

    @pytest.mark.skipif(sys.platform != "linux", reason="sockets without a file are Linux's")
    def test_name_with_missing_files_is_refused_to_other_nodes(
        self, directory: HostDirectory, short_directory: str
    ) -> None:
        claim = directory.claim("gus@vm", 7, 4242)
        shutil.rmtree(short_directory)
        Path(short_directory).mkdir(0o700)
        with pytest.raises(NameTaken, match=f"pid {os.getpid()}"):
            directory.claim("gus@vm", 8, 5)
        assert os.listdir(short_directory) == []
        directory.claim("bob@vm", 8, 5).release()
        claim.release()
        directory.claim("gus@vm", 8, 5).release()

    def test_restore_after_the_release_makes_no_files(self, claim: NameClaim, short_directory: str) -> None:
        claim.release()
        assert claim.restore() is None
        assert os.listdir(short_directory) == []

    @pytest.mark.parametrize("call", ["open", "pwrite"])
    def test_restore_on_a_full_disk_is_one_clear_error(
        self, claim: NameClaim, short_directory: str, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        def fail(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        Path(short_directory, "gus@vm.lock").unlink()
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(PyxError, match=r"cannot claim the name gus@vm in .*: No space left"):
                claim.restore()
        assert claim.restore() == Restored(("lock",))


class TestRaces:
    def test_name_claim_during_the_holders_release_does_not_make_two_holders(
        self, directory: HostDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file that a claimer has opened is unlinked by its holder, and the name claimed anew, before the
        claimer locks it: its lock would be on a file that no node finds any more."""
        leaving = directory.claim("gus@vm", 7, 1)
        successors: list[NameClaim | None] = []
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
        assert directory.entries() == [LockEntry("gus@vm", 2, 8)]
        successor = successors[1]
        assert successor is not None
        successor.release()

    def test_sixty_concurrent_claims_of_one_name_have_one_winner(self, short_directory: str) -> None:
        """The rounds start from nothing, from a dead holder's files, and from a name just released."""
        printed = run(
            """
            import os, signal, sys
            from pyx.errors import NameTaken
            from pyx.net.directory import HostDirectory
            directory = HostDirectory(sys.argv[1])
            parent = os.getpid()
            readers = []
            for _ in range(3):
                readers.append(os.fork())
                if not readers[-1]:
                    while os.getppid() == parent:
                        directory.lookup("gus@vm")
                        directory.entries()
                    os._exit(0)
            for round in range(6):
                start, starts = os.pipe()
                results, report = os.pipe()
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
                            os.write(report, b"%9d" % (taken.os_pid or 0))
                        else:
                            claim.listen()
                            os.write(report, b"%9d" % -os.getpid())
                            os.read(end, 1)
                            if round % 2:
                                claim.release()
                        os._exit(0)
                os.close(starts)
                answers = [int(os.read(results, 9)) for _ in children]
                winners = [-answer for answer in answers if answer < 0]
                (entry,) = directory.entries()
                print(len(winners), winners == [entry.os_pid], directory.lookup("gus@vm") is not None)
                os.close(ends)
                for child in children:
                    os.waitpid(child, 0)
                print(directory.lookup("gus@vm"))
                for descriptor in (start, results, report, end):
                    os.close(descriptor)
            for reader in readers:
                os.kill(reader, signal.SIGKILL)
            """,
            short_directory,
        )
        assert printed == "1 True True\nNone\n" * 6

    def test_name_claims_during_concurrent_lookups_always_succeed(self, short_directory: str) -> None:
        printed = run(
            """
            import os, signal, sys
            from pyx.net.directory import HostDirectory
            directory = HostDirectory(sys.argv[1])
            parent = os.getpid()
            open(sys.argv[1] + "/gus@vm.lock", "w").close()
            readers = []
            looks, looking = os.pipe()
            for _ in range(2):
                readers.append(os.fork())
                if not readers[-1]:
                    directory.lookup("gus@vm")
                    os.write(looking, b"x")
                    while os.getppid() == parent:
                        directory.lookup("gus@vm")
                    os._exit(0)
            for _ in readers:
                os.read(looks, 1)
            for round in range(200):
                claim = directory.claim("gus@vm", 7, 1)       # never NameTaken
                claim.close_in_child()                         # as if it had died: the file stays
            for reader in readers:
                os.kill(reader, signal.SIGKILL)
            print("had it 200 times")
            """,
            short_directory,
        )
        assert printed == "had it 200 times\n"
