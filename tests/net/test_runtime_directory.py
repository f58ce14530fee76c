"""runtime_directory.py: The directory of this user's locks and sockets; unsafe ones are refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pyx.errors import PyxError, RuntimeDirectoryUnsafe
from pyx.net.runtime_directory import RuntimeDirectory


def located() -> str:
    return RuntimeDirectory.of_environment().locate()


class TestRuntimeDirectory:
    def test_runtime_directory_is_made_for_its_owner_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "pyx"))
        assert located() == str(tmp_path / "pyx")
        assert stat.S_IMODE((tmp_path / "pyx").stat().st_mode) == 0o700
        assert located() == str(tmp_path / "pyx")

    def test_default_runtime_directory_is_in_run_user_or_tmp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        monkeypatch.delenv("PYX_RUNTIME_DIR", raising=False)
        uid = os.geteuid()
        assert located() in {f"/run/user/{uid}/pyx", f"/tmp/pyx-{uid}"}

    def test_runtime_directory_open_to_others_is_refused_with_a_hint(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "my pyx"
        path.mkdir()
        path.chmod(0o750)
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(path))
        with pytest.raises(RuntimeDirectoryUnsafe, match="has mode 0750, not 0700") as caught:
            located()
        assert caught.value.hint == f"chmod 700 '{path}'"

    def test_runtime_directory_of_another_user_is_refused_with_its_owner(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "pyx"))
        located()
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        with pytest.raises(RuntimeDirectoryUnsafe, match=f"belongs to user {owner}") as caught:
            located()
        assert caught.value.hint is not None
        assert f"sudo chown {owner + 1}" in caught.value.hint

    @pytest.mark.parametrize("kind", ["link", "file"])
    def test_runtime_directory_that_is_a_link_or_a_file_is_refused(
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
            located()

    def test_runtime_directory_too_deep_for_a_socket_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / ("d" * 100)))
        with pytest.raises(RuntimeDirectoryUnsafe, match="too long a path for a socket"):
            located()

    def test_runtime_directory_that_cannot_be_made_is_one_clear_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "no" / "such"))
        with pytest.raises(PyxError, match="cannot make the directory") as caught:
            located()
        assert caught.value.hint == "set PYX_RUNTIME_DIR to a directory of your own"

    def test_runtime_directory_follows_the_environment_of_the_nodes_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "one"))
        rule = RuntimeDirectory.of_environment()
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "two"))
        assert rule.locate() == str(tmp_path / "one")
        (tmp_path / "one").rmdir()
        assert rule.locate() == str(tmp_path / "one")
        assert (tmp_path / "one").is_dir()

    def test_relative_runtime_directory_survives_a_change_of_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A program may change its working directory while it is a node."""
        monkeypatch.setenv("PYX_RUNTIME_DIR", "run")
        monkeypatch.chdir(tmp_path)
        rule = RuntimeDirectory.of_environment()
        monkeypatch.chdir("/")
        assert rule.locate() == str(tmp_path / "run")

    def test_runtime_directory_relative_to_a_removed_folder_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "gone").mkdir()
        monkeypatch.setenv("PYX_RUNTIME_DIR", "run")
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        with pytest.raises(PyxError, match="is relative, and the working directory is gone") as caught:
            RuntimeDirectory.of_environment()
        assert caught.value.hint == "set it to an absolute path"


class TestXdgRuntimeDir:
    """The directory of the session, as the XDG base directory specification names it."""

    @pytest.fixture
    def session(self, short_directory: str, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.delenv("PYX_RUNTIME_DIR", raising=False)
        monkeypatch.setenv("XDG_RUNTIME_DIR", short_directory)
        return Path(short_directory)

    def test_xdg_runtime_dir_is_used(self, session: Path) -> None:
        assert located() == str(session / "pyx")

    def test_xdg_runtime_dir_yields_to_pyx_runtime_dir(
        self, session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path / "pyx"))
        assert located() == str(tmp_path / "pyx")

    @pytest.mark.parametrize("value", ["", "relative", "/nowhere/at/all", "/tmp/\0", "/" + "d" * 90])
    def test_xdg_runtime_dir_that_is_not_a_directory_is_ignored(self, value: str) -> None:
        assert "pyx-" in RuntimeDirectory(None, value).locate() or "/run/user" in located()

    def test_xdg_runtime_dir_of_another_user_or_open_to_others_is_ignored(
        self, session: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session.chmod(0o750)
        assert not located().startswith(str(session))
        session.chmod(0o700)
        assert located() == str(session / "pyx")
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        (session / "pyx").rmdir()
        rule = RuntimeDirectory.of_environment()
        assert rule.path() == Path(f"/tmp/pyx-{owner + 1}")
