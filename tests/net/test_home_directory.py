"""home_directory.py: The path of the user's home directory, or None."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import NoReturn

import pytest

from pyx.net.home_directory import home_directory


def unknown(uid: int) -> NoReturn:
    msg = f"getpwuid(): uid not found: {uid}"
    raise KeyError(msg)


def known(uid: int) -> pwd.struct_passwd:
    return pwd.struct_passwd(("bob", "x", uid, uid, "", "/home/of/bob", "/bin/sh"))


class TestHomeDirectory:
    def test_home_directory_is_taken_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/of/gus")
        assert home_directory() == Path("/home/of/gus")

    @pytest.mark.parametrize("value", [None, ""])
    def test_home_directory_is_else_taken_from_the_password_database(
        self, monkeypatch: pytest.MonkeyPatch, value: str | None
    ) -> None:
        if value is None:
            monkeypatch.delenv("HOME")
        else:
            monkeypatch.setenv("HOME", value)
        monkeypatch.setattr(pwd, "getpwuid", known)
        assert home_directory() == Path("/home/of/bob")
        monkeypatch.setattr(pwd, "getpwuid", unknown)
        assert home_directory() is None

    def test_home_directory_that_is_relative_is_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "somewhere")
        assert home_directory() is None
