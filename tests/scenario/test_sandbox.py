"""sandbox.py: the directory of a session: its contents, and its removal."""

from __future__ import annotations

import py_compile
import tempfile
from pathlib import Path

import pytest

from pyx.scenario import sandbox as sandbox_module
from pyx.scenario.sandbox import Sandbox, clear_stale


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/stock.py").write_text("real\n")
    (tmp_path / "top.py").write_text("real\n")
    (tmp_path / ".hidden").write_text("")
    return tmp_path


def test_files_beside_the_scenario_are_in_work(folder: Path) -> None:
    sandbox = Sandbox(folder)
    assert sorted(path.name for path in sandbox.work.iterdir()) == ["shop", "top.py"]
    assert (sandbox.work / "shop/stock.py").read_text() == "real\n"
    sandbox.remove()
    assert not sandbox.root.exists()
    assert (folder / "shop/stock.py").read_text() == "real\n"


def test_files_in_work_are_copies(folder: Path) -> None:
    (folder / "linked").symlink_to(folder / "shop")
    sandbox = Sandbox(folder)
    for file in ("top.py", "shop/stock.py", "linked/stock.py"):
        with (sandbox.work / file).open("a") as opened:
            opened.write("more\n")
    sandbox.remove()
    assert (folder / "top.py").read_text() == (folder / "shop/stock.py").read_text() == "real\n"


def test_project_elsewhere_is_copied(folder: Path) -> None:
    (folder / "tests").mkdir()
    sandbox = Sandbox(folder / "tests")
    *words, one = sandbox.with_projects(["--hidden", "-S", "../shop"])
    assert words == ["--hidden", "-S"]
    assert Path(one).is_relative_to(sandbox.root)
    assert (Path(one) / "stock.py").read_text() == "real\n"
    assert sandbox.with_projects(["-S", str(folder / "shop")]) == ["-S", one]
    (Path(one) / "stock.py").write_text("other\n")
    assert (folder / "shop/stock.py").read_text() == "real\n"
    for inside in (".", "sub", "../tests/sub", "../nowhere"):
        assert sandbox.with_projects(["-S", inside]) == ["-S", inside]
    sandbox.remove()


def test_sandbox_beside_the_scenario_is_not_copied_into_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_module, "parent_folder", lambda: folder)
    sandbox = Sandbox(folder)
    assert sorted(path.name for path in sandbox.work.iterdir()) == ["shop", "top.py"]
    sandbox.remove()


def test_sandbox_that_cannot_be_made_leaves_nothing(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Sandbox(folder / "nowhere")
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_kept_sandbox_has_its_logs_only(folder: Path) -> None:
    sandbox = Sandbox(folder)
    sandbox.log_path("a@vm").write_text("words")
    sandbox.keep()
    clear_stale(sandbox.root.parent)
    assert [path.name for path in sandbox.root.iterdir()] == ["logs"]
    assert (sandbox.root / "logs/a.log").read_text() == "words"


def test_written_files_leave_the_author_s_unchanged(folder: Path) -> None:
    sandbox = Sandbox(folder)
    for file in ("top.py", "shop/stock.py", "shop/new/deep.py"):
        sandbox.write(file, "written\n")
        assert (sandbox.work / file).read_text() == "written\n"
    assert (folder / "top.py").read_text() == "real\n"
    assert (folder / "shop/stock.py").read_text() == "real\n"
    assert not (folder / "shop/new").exists()
    sandbox.remove()


def test_module_written_anew_is_compiled_anew(folder: Path) -> None:
    sandbox = Sandbox(folder)
    module = sandbox.work / "mine.py"
    sandbox.write("mine.py", "x = 1\n")
    compiled = Path(py_compile.compile(str(module)) or "")
    assert compiled.exists()
    sandbox.write("mine.py", "x = 2\n")  # of the same size, in the same second
    assert not compiled.exists()
    sandbox.remove()


def test_two_sandboxes_share_nothing_and_inherit_little(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYX_COOKIE_FILE", "/somewhere")
    monkeypatch.setenv("LC_ALL", "de_DE")
    monkeypatch.setenv("MINE", "kept")
    one, two = Sandbox(folder), Sandbox(folder)
    first, second = one.environment(), two.environment()
    assert first["HOME"] != second["HOME"]
    assert first["PYX_RUNTIME_DIR"] != second["PYX_RUNTIME_DIR"]
    assert "PYX_COOKIE_FILE" not in first
    assert "LC_ALL" not in first
    assert (first["MINE"], first["TZ"], first["PYTHONHASHSEED"], first["COLUMNS"]) == (
        "kept",
        "UTC",
        "0",
        "100",
    )
    assert (first["PYTHONUTF8"], first["LANG"], first["NO_COLOR"]) == ("1", "C.UTF-8", "1")
    one.remove()
    two.remove()


def test_path_of_a_sandbox_leaves_room_for_sockets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = folder / ("long" * 12)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    sandbox = Sandbox(folder)
    assert len(str(sandbox.root)) < 40
    sandbox.remove()


def test_each_incarnation_has_a_log_of_its_own(folder: Path) -> None:
    sandbox = Sandbox(folder)
    first = sandbox.log_path("a@vm")
    first.touch()
    assert (first.name, sandbox.log_path("a@vm").name) == ("a.log", "a-2.log")
    sandbox.remove()
