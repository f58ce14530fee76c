"""erlang_cookie.py: The cookie of Erlang nodes, where `erl` looks for it, made strong if there is none."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

import pytest

from pyx.errors import CookieUnsafe, PyxError
from pyx.net.cookie import Cookie
from pyx.net.erlang_cookie import read_erlang_cookie, weaknesses

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


def written(path: Path, text: str, mode: int = 0o400) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_cookie_is_made_before_erl_makes_a_weak_one(home: Path) -> None:
    cookie = read_erlang_cookie(None)
    file = home / ".erlang.cookie"
    assert re.fullmatch("[A-Za-z0-9]{20}", cookie.text)
    assert stat.S_IMODE(file.stat().st_mode) == 0o400
    assert read_erlang_cookie(None) == cookie
    assert file.read_text().strip() == cookie.text


def test_cookie_of_the_configuration_directory_counts_where_the_home_has_none(home: Path) -> None:
    written(home / ".config" / "erlang" / ".erlang.cookie", "theirs \n")
    assert read_erlang_cookie(None).text == "theirs"
    written(home / ".erlang.cookie", "own")
    assert read_erlang_cookie(None).text == "own"


def test_file_that_others_can_read_is_refused(home: Path) -> None:
    written(home / ".erlang.cookie", "secret", 0o640)
    with pytest.raises(CookieUnsafe, match="open to others"):
        read_erlang_cookie(None)


def test_given_file_is_read_and_never_made(home: Path) -> None:
    assert read_erlang_cookie(written(home / "ck", "ck\n")).text == "ck"
    with pytest.raises(PyxError, match="cannot read or make the cookie file"):
        read_erlang_cookie(str(home / "missing"))
    with pytest.raises(PyxError, match="name of the cookie file of Erlang's dialect is empty"):
        read_erlang_cookie("")


def test_characters_that_erlang_refuses_are_refused(home: Path) -> None:
    with pytest.raises(CookieUnsafe, match="does not take"):
        read_erlang_cookie(written(home / "ck", "größe und mehr\n"))


def test_weak_cookies_are_named() -> None:
    own = Cookie("pyx1-" + "0" * 43)
    assert list(weaknesses(Cookie("aB3" * 7), own, beyond=True)) == []
    assert "one under 20 can be guessed" in next(weaknesses(Cookie("short"), own, beyond=False))
    assert "also that of pyx nodes" in next(weaknesses(own, own, beyond=False))
    made_by_erl = Cookie("ABCDEFGHIJKLMNOPQRST")
    assert list(weaknesses(made_by_erl, own, beyond=False)) == []
    assert "36 random bits" in next(weaknesses(made_by_erl, own, beyond=True))
