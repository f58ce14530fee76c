"""cookie.py: The cookie file is made once and whole, and refused if another user may have changed it."""

from __future__ import annotations

import copy
import errno
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pyx.errors import CookieUnsafe, PyxError
from pyx.net.cookie import (
    Cookie,
    given_cookie,
    given_cookie_file,
    home_cookie_path,
    make_cookie,
    read_given_cookie,
    read_home_cookie,
)
from pyx.wire.handshake.proof import MADE_COOKIE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory; yields the path of its cookie file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYX_COOKIE_FILE", raising=False)
    return tmp_path / ".pyx.cookie"


def refusal(path: Path) -> CookieUnsafe:
    with pytest.raises(CookieUnsafe) as caught:
        read_home_cookie(str(path))
    return caught.value


class TestCookie:
    def test_cookie_repr_shows_a_fingerprint_only(self) -> None:
        cookie = Cookie("monster")
        assert repr(cookie) == str(cookie) == f"{cookie}" == "Cookie(sha256 beaa…)"
        assert cookie.text == "monster"

    def test_cookies_of_the_same_text_are_equal(self) -> None:
        assert Cookie("a") == Cookie("a")
        assert hash(Cookie("a")) == hash(Cookie("a"))
        assert Cookie("a") != Cookie("b")
        assert Cookie("a") != "a"

    def test_cookie_is_immutable_and_cannot_be_copied(self) -> None:
        with pytest.raises(AttributeError):
            Cookie("a").text = "b"
        with pytest.raises(TypeError):
            copy.copy(Cookie("a"))

    def test_cookie_of_other_than_encodable_text_is_refused(self) -> None:
        with pytest.raises(ValueError, match="a cookie cannot hold a lone surrogate") as refused:
            Cookie("secret\ud800")
        assert "secret" not in str(refused.value)
        with pytest.raises(TypeError, match="a cookie is a str, not of type bytes"):
            Cookie(b"secret")  # type: ignore[arg-type]

    def test_cookie_made_by_pyx_has_the_form_that_needs_no_stretching(self) -> None:
        assert MADE_COOKIE.fullmatch(make_cookie(bytes(range(32))).text)
        assert make_cookie(bytes(32)) != make_cookie(bytes(31) + b"\1")


class TestCookieFile:
    def test_cookie_file_is_made_on_first_use_and_readable_by_its_owner_alone(self, home: Path) -> None:
        cookie = read_home_cookie(home_cookie_path())
        assert MADE_COOKIE.fullmatch(cookie.text)
        assert stat.S_IMODE(home.stat().st_mode) == 0o400
        assert read_home_cookie(home_cookie_path()) == cookie
        assert list(home.parent.iterdir()) == [home]

    def test_cookie_file_made_by_concurrent_starts_is_the_same_for_all(self, home: Path) -> None:
        together = threading.Barrier(16)

        def start() -> Cookie:
            together.wait(10)
            return read_home_cookie(str(home))

        with ThreadPoolExecutor(16) as pool:
            cookies = [future.result(10) for future in [pool.submit(start) for _ in range(16)]]
        assert len(set(cookies)) == 1
        assert list(home.parent.iterdir()) == [home]

    def test_cookie_file_content_is_stripped(self, home: Path) -> None:
        home.write_text("  monster\n\n")
        home.chmod(0o600)
        assert read_home_cookie(home_cookie_path()) == Cookie("monster")

    @pytest.mark.parametrize("mode", [0o440, 0o404, 0o410, 0o401, 0o602, 0o644])
    def test_cookie_file_open_to_others_is_refused(self, home: Path, mode: int) -> None:
        home.write_text("monster")
        home.chmod(mode)
        error = refusal(home)
        assert str(error) == f"the cookie file {home} is open to others (mode {mode:04o})"
        assert error.hint == f"chmod 400 {home}"

    def test_cookie_file_of_another_user_is_refused(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home.write_text("monster")
        home.chmod(0o400)
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        error = refusal(home)
        assert str(error) == f"the cookie file {home} belongs to user {owner}, not to this user ({owner + 1})"
        assert error.hint == f"sudo chown {owner + 1} {home}"

    def test_cookie_file_that_is_a_symlink_is_refused(self, home: Path) -> None:
        home.with_name("elsewhere").write_text("monster")
        home.symlink_to(home.with_name("elsewhere"))
        error = refusal(home)
        assert "is a symbolic link" in str(error)
        assert error.hint is not None
        assert "--cookie-file" in error.hint

    def test_cookie_file_that_is_a_pipe_is_refused_without_waiting(self, home: Path) -> None:
        os.mkfifo(home, 0o400)
        assert "is not a regular file" in str(refusal(home))

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "is empty"),
            (b" \n", "is empty"),
            (b"\xff\xfe", "is not UTF-8 text"),
            (b"x" * 5000, "holds more than 4096 bytes"),
        ],
    )
    def test_cookie_file_without_a_cookie_is_refused(self, home: Path, content: bytes, problem: str) -> None:
        home.write_bytes(content)
        home.chmod(0o400)
        error = refusal(home)
        assert error.problem == problem
        assert error.hint is not None
        assert f"rm {home}" in error.hint

    def test_full_disk_at_the_first_use_is_one_error_and_leaves_no_cookie_file(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(
            PyxError, match=r"cannot read or make the cookie file .*: No space left on device"
        ):
            read_home_cookie(home_cookie_path())
        assert list(home.parent.iterdir()) == []

    def test_missing_home_directory_is_one_clear_error(self, tmp_path: Path) -> None:
        with pytest.raises(PyxError, match="No such file or directory"):
            read_home_cookie(str(tmp_path / "nowhere" / ".pyx.cookie"))


class TestGivenCookieFile:
    def test_cookie_file_argument_precedes_the_environment_variable(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYX_COOKIE_FILE", "second")
        assert given_cookie_file("first") == "first"
        assert given_cookie_file(None) == "second"
        monkeypatch.setenv("PYX_COOKIE_FILE", "")
        assert given_cookie_file(None) is None

    def test_given_cookie_file_with_an_empty_name_is_refused(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As `--cookie-file "$SECRET"` in a script where the variable is not set."""
        monkeypatch.setenv("PYX_COOKIE_FILE", "second")
        with pytest.raises(PyxError, match="the name of the cookie file is empty") as caught:
            given_cookie_file("")
        assert caught.value.hint is not None
        assert not home.exists()

    @pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
    def test_given_cookie_file_may_be_a_symlink_to_a_mounted_secret(self, tmp_path: Path, mode: int) -> None:
        secret = tmp_path / "secret"
        secret.write_text("mounted")
        secret.chmod(mode)
        (tmp_path / "link").symlink_to(secret)
        assert read_given_cookie(str(tmp_path / "link")) == Cookie("mounted")

    @pytest.mark.parametrize("mode", [0o444, 0o644, 0o604, 0o602, 0o660, 0o666])
    def test_given_cookie_file_that_others_may_read_or_change_is_refused(
        self, tmp_path: Path, mode: int
    ) -> None:
        secret = tmp_path / "the secret"
        secret.write_text("monster")
        secret.chmod(mode)
        with pytest.raises(CookieUnsafe) as caught:
            read_given_cookie(str(secret))
        assert str(caught.value) == f"the cookie file {secret} is open to others (mode {mode:04o})"
        assert caught.value.hint == f"chmod g-w,o= '{secret}' (a mounted secret: give it the mode 0440)"

    def test_given_cookie_file_that_is_a_pipe_is_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe", 0o600)
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read_given_cookie, str(tmp_path / "pipe"))
            (tmp_path / "pipe").write_text("monster\n")
            assert reading.result(10) == Cookie("monster")

    def test_given_cookie_file_that_is_a_pipe_open_to_others_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "pipe").chmod(0o644)
        with pytest.raises(CookieUnsafe):
            read_given_cookie(str(tmp_path / "pipe"))

    def test_given_cookie_file_that_is_empty_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "empty").touch(0o600)
        with pytest.raises(CookieUnsafe, match="is empty"):
            read_given_cookie(str(tmp_path / "empty"))

    @pytest.mark.parametrize("name", ["missing", "."])
    def test_given_cookie_file_that_cannot_be_read_is_one_clear_error(
        self, tmp_path: Path, name: str
    ) -> None:
        with pytest.raises(PyxError, match="cannot read the cookie file"):
            read_given_cookie(str(tmp_path / name))


class TestGivenCookie:
    def test_given_cookie_is_stripped(self) -> None:
        assert given_cookie(" monster\n") == Cookie("monster")

    @pytest.mark.parametrize("text", ["", " ", "\n"])
    def test_given_cookie_that_is_empty_is_refused(self, text: str) -> None:
        """As `--cookie "$SECRET"` in a script where the variable is not set."""
        with pytest.raises(PyxError, match="the given cookie is empty") as caught:
            given_cookie(text)
        assert caught.value.hint is not None

    def test_given_cookie_that_cannot_be_encoded_is_refused(self) -> None:
        with pytest.raises(PyxError, match="characters that cannot be encoded"):
            given_cookie("monster\ud800")


def test_error_for_a_user_without_a_home_names_the_cookie_file_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pyx.net.cookie.home_directory", lambda: None)
    with pytest.raises(PyxError, match=r"there is no home directory for ~/\.pyx\.cookie") as caught:
        home_cookie_path()
    assert caught.value.hint is not None
    assert "--cookie-file F" in caught.value.hint
