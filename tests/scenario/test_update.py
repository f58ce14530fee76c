"""update.py: the blocks that `--update` rewrites."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from pyx.errors import PyxError
from pyx.scenario.bindings import Bindings, NodeView, Token
from pyx.scenario.output_units import EVAL, OutputUnit
from pyx.scenario.replay import Replay, ReplayOptions
from pyx.scenario.replay_cli import main
from pyx.scenario.update import rewritten, shortened
from pyx.terms import Incarnation

if TYPE_CHECKING:
    from pathlib import Path

SERVER = Incarnation("server@vm", 7)
VIEW = NodeView(Incarnation("gus@vm", 8), {1: SERVER})


def unit(text: str, kind: str = "print", source: str = EVAL) -> OutputUnit:
    return OutputUnit(source, kind, tuple(text.split("\n")))


class TestLines:
    def test_lines_that_still_match_stay(self) -> None:
        units = [unit("took 0.25 s"), unit("new"), unit("[1,\n 2]", "echo")]
        assert rewritten(["took [..] s", "old", "[1, 2]"], units, Bindings(), VIEW) == [
            "took [..] s",
            "new",
            "[1, 2]",
        ]

    def test_new_lines_have_the_file_s_names(self) -> None:
        names = Bindings()
        assert names.match(Token("pid", "<9.121.0>"), Token("pid", "<1.4.0>"), VIEW)
        assert rewritten([], [unit("#PID<1.4.0> left #PID<1.5.0>")], names, VIEW) == [
            "#PID<9.121.0> left #PID<9.5.0>"
        ]

    def test_line_that_would_be_misread_is_protected(self) -> None:
        assert rewritten([], [unit("a\n\n$ b\n...")], Bindings(), VIEW) == ["a", "\\", "\\$ b", "\\..."]

    def test_traceback_is_shortened(self) -> None:
        text = (
            "[error] Process raised\nTraceback (most recent call last):\n"
            '  File "x.py", line 1, in f\n    g()\n\n  File "y"\nValueError: no\nhint: none'
        )
        assert shortened(text.split("\n")) == [
            "[error] Process raised",
            "Traceback (most recent call last):",
            "...",
            "ValueError: no",
            "hint: none",
        ]
        assert rewritten([], [unit(text, "error")], Bindings(), VIEW)[2] == "..."

    def test_indented_traceback_is_shortened(self) -> None:
        lines = ["on b:", "  Traceback (most recent call last):", "    File x", "  E: no"]
        assert shortened(lines) == ["on b:", "  Traceback (most recent call last):", "  ...", "  E: no"]


class TestFiles:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("CI", raising=False)

    def update(self, tmp_path: Path, text: str) -> str:
        (tmp_path / "t.pyxt").write_text(text)
        result = Replay(ReplayOptions(update=True)).play("t.pyxt")
        assert result.passed, result.text
        return (tmp_path / "t.pyxt").read_text()

    def test_only_failed_blocks_are_rewritten(self, tmp_path: Path) -> None:
        old = (
            "# A story.\n\n$ pyx --sname a\npyx(a@vm)1> Node.self()\n'[..]@vm'\n"
            "pyx(a@vm)7> print('one'); print('two')\none\n\npyx(a@vm)8> 1/0\n# end\n"
        )
        assert self.update(tmp_path, old) == (
            "# A story.\n\n$ pyx --sname a\npyx(a@vm)1> Node.self()\n'[..]@vm'\n"
            "pyx(a@vm)7> print('one'); print('two')\none\ntwo\n\n"
            "pyx(a@vm)8> 1/0\nZeroDivisionError: division by zero\n"
        )

    def test_output_caused_by_a_step_is_written_below_it(self, tmp_path: Path) -> None:
        old = "$ pyx --sname a\npyx(a@vm)1> spawn(print, 'hello')\n"
        assert self.update(tmp_path, old).endswith("> spawn(print, 'hello')\n#PID<0.2.0>\nhello\n")

    def test_unclaimed_output_becomes_an_empty_prompt(self, tmp_path: Path) -> None:
        old = (
            "$ pyx --sname a\n$ pyx --sname b\npyx(a@vm)1> rpc.call('b', 'spawn_here', 'f')  # ignore\n"
            "$ cat > spawn_here.py <<END\nimport sys\n\ndef f():\n    print('x', file=sys.stderr)\nEND\n"
        )
        old = (
            old.replace(old[old.index("pyx(a@vm)") : old.index("$ cat")], "")
            + old[old.index("pyx(a@vm)") : old.index("$ cat")]
        )
        assert self.update(tmp_path, old).endswith("\n\npyx(b@vm)1>\nx\n")

    def test_indented_fence_stays_indented(self, tmp_path: Path) -> None:
        fence = " ```pyx\n $ pyx --sname a\n{}\n $ pyx --sname a\n{} ```\n"
        (tmp_path / "t.md").write_text(fence.format("", " nonsense\n"))
        Replay(ReplayOptions(update=True)).play("t.md")  # which names another OS process each time
        taken, _, number = (tmp_path / "t.md").read_text().partition("(pid ")
        assert taken == fence.format(
            "", " pyx: the name a@localhost is in use by another node "
        ).removesuffix(" ```\n")
        assert number.endswith(")\n ```\n")

    def test_line_that_would_end_the_fence_is_protected(self, tmp_path: Path) -> None:
        old = "```pyx\n$ pyx --sname a\n\npyx(a@vm)1> print('list:\\n   ```')\nold\n\npyx(a@vm)2> 5\n6\n```\n"
        (tmp_path / "t.md").write_text(old)
        result = Replay(ReplayOptions(update=True)).play("t.md")
        assert result.passed, result.text
        text = (tmp_path / "t.md").read_text()
        assert text == old.replace("old\n", "list:\n\\   ```\n").replace("6\n", "5\n")

    def test_block_quote_stays_a_block_quote(self, tmp_path: Path) -> None:
        old = (
            "> ~~~pyx\n> $ pyx --sname a\n>\n> $ pyx --sname b\n>\n> pyx(a@vm)1> print('x')\n{}"
            "> pyx(a@vm)1> rpc.call('b', 'logging', 'warning', ['y'])\n{}> ~~~\n"
        )
        (tmp_path / "t.md").write_text(old.format("> old\n", ""))
        result = Replay(ReplayOptions(update=True)).play("t.md")
        assert result.passed, result.text
        assert (tmp_path / "t.md").read_text() == old.format("> x\n", ">\n> pyx(b@vm)1>\n> WARNING:root:y\n")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("# x\r\n$ pyx --sname a\r\n{}2\r\n3\r\n\r\n", "# x\r\n$ pyx --sname a\r\n{}2\r\n2\r\n\r\n"),
            ("\ufeff$ pyx --sname a\n{}2\n3\n", "\ufeff$ pyx --sname a\n{}2\n2\n"),
            ("# x\n$ pyx --sname a\n{}2\n3", "# x\n$ pyx --sname a\n{}2\n2"),
            ("$ pyx --sname a\r\n{}2", "$ pyx --sname a\r\n{}2\r\n2"),
        ],
        ids=["CRLF", "byte order mark", "no last line end", "nothing below, no last line end"],
    )
    def test_other_bytes_of_the_file_stay(self, tmp_path: Path, old: str, new: str) -> None:
        path = tmp_path / "t.pyxt"
        path.write_bytes(old.format("pyx(a@vm)1> ").encode())
        result = Replay(ReplayOptions(update=True)).play("t.pyxt")
        assert result.passed, result.text
        assert result.updated
        assert path.read_bytes().decode() == new.format("pyx(a@vm)1> ")

    def test_full_disk_leaves_the_file_unchanged(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_path: str, _data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("pyx.scenario.replay.write_whole", full)
        old = "$ pyx --sname a\npyx(a@vm)1> 2\n3\n"
        (tmp_path / "t.pyxt").write_text(old)
        result = Replay(ReplayOptions(update=True)).play("t.pyxt")
        assert result.text == "t.pyxt cannot be written, and is unchanged: No space left on device\n"
        assert not result.updated
        assert (tmp_path / "t.pyxt").read_text() == old

    def test_file_that_was_edited_meanwhile_keeps_the_edit(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        path.write_text(
            f"$ pyx --sname a\npyx(a@vm)1> import pathlib; pathlib.Path({str(path)!r}).write_text('x')\n"
        )
        result = Replay(ReplayOptions(update=True)).play("t.pyxt")
        assert result.text == "t.pyxt was changed while it was played, and is not updated: replay it again\n"
        assert path.read_text() == "x"

    def test_update_is_refused_where_ci_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "true")
        with pytest.raises(PyxError, match="--update is refused where CI is set"):
            main(["--update"])

    def test_block_that_differs_again_after_the_update_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "t.pyxt").write_text("$ pyx --sname a\npyx(a@vm)1> import time; time.time()\n")
        result = Replay(ReplayOptions(update=True)).play("t.pyxt")
        assert (
            "was updated, and fails again: its output differs each time ([..] matches any text)\n"
            in result.text
        )
        assert "FAIL t.pyxt:2  a@vm" in result.text
