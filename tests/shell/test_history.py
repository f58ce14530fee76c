"""history.py, history_file.py: Statements kept between sessions.

White box: `_write` alone, as a test cannot make a disk full in the middle of a line.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from pyx.shell.history import History, history_path
from pyx.shell.history_file import MOST_BYTES, _write


def no_warning(text: str) -> None:
    raise AssertionError(text)


def test_multi_line_statements_are_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history = History(path, no_warning)
    history.append("x = 1")
    history.append("def f():\n\n    return '''a\nb'''\n")
    assert History(path, no_warning).load() == ["x = 1", "def f():\n\n    return '''a\nb'''"]


def test_file_is_readable_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.touch(mode=0o644)
    History(path, no_warning).append("x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_repeats_blanks_and_cookies_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = History(path, no_warning)
    for statement in ("x", "x", "  ", 'Node.set_cookie("secret")', "Node.set_cookie ('secret')", "y"):
        history.append(statement)
    assert history.load() == ["x", "y"]


def test_statement_with_a_cookie_that_comes_into_force_later_is_removed(tmp_path: Path) -> None:
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


def test_missing_file_is_an_empty_history(tmp_path: Path) -> None:
    assert History(tmp_path / "history", no_warning).load() == []


def test_unwritable_path_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    warnings: list[str] = []
    history = History(tmp_path / "file" / "history", warnings.append)
    history.append("x")
    history.append("y")
    assert warnings == [f"the history is not saved: {tmp_path}/file/history: Not a directory"] or (
        len(warnings) == 1 and "File exists" in warnings[0]
    )


def test_long_file_keeps_its_newest_half(tmp_path: Path) -> None:
    path = tmp_path / "history"
    statement = "x" * 1000
    path.write_bytes(b"".join(f'"{n} {statement}"\n'.encode() for n in range(MOST_BYTES // 1000 + 1)))
    loaded = History(path, no_warning).load()
    assert loaded[-1] == f"{MOST_BYTES // 1000} {statement}"
    assert path.stat().st_size < MOST_BYTES * 0.6
    assert History(path, no_warning).load() == loaded


def test_torn_last_line_does_not_damage_the_next(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'"a"\n"torn')
    History(path, no_warning).append("b")
    assert History(path, no_warning).load() == ["a", "b"]
    assert path.read_bytes() == b'"a"\n"torn\n"b"\n'


@pytest.mark.parametrize(
    "strange",
    [
        b'"' + b"x" * (MOST_BYTES + 5),
        b"[" * 100_000,
        b'"\\u12"',
        b"\xff\xfe",
        b"7\nnull\n{}",
        b"\0" * MOST_BYTES,
    ],
    ids=["a long line", "brackets", "an escape", "not UTF-8", "other values", "zeros"],
)
@pytest.mark.parametrize("end", [b"", b"\n"], ids=["torn", "whole"])
def test_other_content_of_the_file_is_skipped(strange: bytes, end: bytes, tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'"before"\n' + strange + end)
    assert History(path, no_warning).load() == ["before"]
    History(path, no_warning).append("after")
    assert History(path, no_warning).load() == ["before", "after"]


def test_statement_of_megabytes_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = History(path, no_warning)
    for statement in ("before", "x = '" + "y" * 5_000_000 + "'", "after"):
        history.append(statement)
    assert History(path, no_warning).load() == ["before", "after"]


def test_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "history")
    warnings: list[str] = []
    history = History(tmp_path / "history", warnings.append)
    assert history.load() == []
    history.append("x")
    assert warnings == [f"the history is not saved: {tmp_path}/history: not a regular file"]


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_device_keeps_nothing(device: str) -> None:
    history = History(Path(device), no_warning)
    history.append("x")
    assert history.load() == []


def test_full_disk_costs_one_warning() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb", buffering=0) as full:
        _write(full.fileno(), b"x")


def test_history_without_a_file_keeps_nothing() -> None:
    history = History(None, no_warning)
    history.append("x")
    assert history.load() == []


def test_statement_appended_during_a_rewrite_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes((b'"' + b"x" * 1000 + b'"\n') * (MOST_BYTES // 1000))
    added = [f"statement {number}" for number in range(50)]

    def adds() -> None:
        for statement in added:
            History(path, no_warning).append(statement)

    thread = threading.Thread(target=adds)
    thread.start()
    for _ in range(5):
        History(path, lambda _: None).load()
    thread.join()
    assert History(path, no_warning).load()[-50:] == added


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PYX_HISTORY": "/a/b"}, "/a/b"),
        ({"XDG_STATE_HOME": "/state"}, "/state/pyx/history"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/gus"}, "/home/gus/.local/state/pyx/history"),
        ({"HOME": "/home/gus"}, "/home/gus/.local/state/pyx/history"),
    ],
)
def test_history_path_follows_the_environment(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYX_HISTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert history_path() == Path(expected)


def test_history_path_is_none_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    for name in ("PYX_HISTORY", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_entry)
    assert history_path() is None
