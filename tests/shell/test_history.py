"""Statements kept between sessions."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pyx.shell.history import MOST_BYTES, History, history_path


def no_warning(text: str) -> None:
    raise AssertionError(text)


def test_statements_of_many_lines_come_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history = History(path, no_warning)
    history.append("x = 1")
    history.append("def f():\n\n    return '''a\nb'''\n")
    assert History(path, no_warning).load() == ["x = 1", "def f():\n\n    return '''a\nb'''"]


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.touch(mode=0o644)
    History(path, no_warning).append("x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_repeats_blanks_and_secrets_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = History(path, no_warning)
    for statement in ("x", "x", "  ", 'Node.set_cookie("secret")', "Node.set_cookie ('secret')", "y"):
        history.append(statement)
    assert history.load() == ["x", "y"]


def test_a_cookie_that_came_into_force_by_another_way_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "history"
    cookies: list[str] = []
    history = History(path, no_warning, lambda: cookies)
    other = History(path, no_warning)
    for statement in ("s = Node.set_cookie", "c = 'a secret of mine'"):
        history.append(statement)
    other.append("between")
    history.append("s('a secret of mine')")
    cookies.append("a secret of mine")
    history.append("Node.set_cookie('a secret of mine')")
    history.forget_cookies()
    history.append("print('a secret of mine')")
    history.append("y")
    assert History(path, no_warning).load() == ["s = Node.set_cookie", "between", "y"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_shells_share_a_file_and_a_torn_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "history"
    one, two = History(path, no_warning), History(path, no_warning)
    one.append("a")
    two.append("b")
    with path.open("ab") as file:
        file.write(b'"torn\n\xff\n7\n')
    one.append("c")
    assert two.load() == ["a", "b", "c"]


def test_no_file_yet_is_no_trouble(tmp_path: Path) -> None:
    assert History(tmp_path / "history", no_warning).load() == []


def test_a_place_that_cannot_be_written_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    warnings: list[str] = []
    history = History(tmp_path / "file" / "history", warnings.append)
    history.append("x")
    history.append("y")
    assert warnings == [f"the history is not kept: {tmp_path}/file/history: Not a directory"] or (
        len(warnings) == 1 and "File exists" in warnings[0]
    )


def test_a_long_file_keeps_its_newest_half(tmp_path: Path) -> None:
    path = tmp_path / "history"
    statement = "x" * 1000
    path.write_bytes(b"".join(f'"{n} {statement}"\n'.encode() for n in range(MOST_BYTES // 1000 + 1)))
    loaded = History(path, no_warning).load()
    assert loaded[-1] == f"{MOST_BYTES // 1000} {statement}"
    assert path.stat().st_size < MOST_BYTES * 0.6
    assert History(path, no_warning).load() == loaded


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PYX_HISTORY": "/a/b"}, "/a/b"),
        ({"XDG_STATE_HOME": "/state"}, "/state/pyx/history"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/gus"}, "/home/gus/.local/state/pyx/history"),
        ({"HOME": "/home/gus"}, "/home/gus/.local/state/pyx/history"),
    ],
)
def test_where_it_is(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYX_HISTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert history_path() == Path(expected)
