"""What a person did at a terminal is written down, and plays again."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx.errors import PyxError
from pyx.scenario.recording import RecordFile, recording, start_line
from pyx.scenario.replay import Replay, Wishes
from pyx.scenario.transcript import parse_transcript
from pyx.shell.session import Options
from tests.stories.host import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.terminal import Shell


def not_warned(problem: str) -> None:
    raise AssertionError(problem)


class TestTheFile:
    def test_it_is_its_owners_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        file = RecordFile(str(path), not_warned)
        file.append("x\n")
        file.close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text() == "x\n"

    def test_a_block_that_is_not_whole_is_written_over(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        file = RecordFile(str(path), not_warned)
        file.append("one\n")
        file.append("two, so far\n", whole=False)
        assert path.read_text() == "one\ntwo, so far\n"
        file.rewrite(lambda text: text.replace("one", "eins"))
        file.append("two\n")
        file.close()
        assert path.read_text() == "eins\ntwo\n"

    def test_a_full_disk_ends_it_with_its_last_whole_block(self, tmp_path: Path, full_disk: None) -> None:
        path = tmp_path / "t.pyxt"
        warnings: list[str] = []
        file = RecordFile(str(path), warnings.append)
        file.append("x" * 60 + "\n")
        file.append("y" * 60 + "\n")
        file.append("z\n")
        file.close()
        assert file.failed
        assert path.read_text() == "x" * 60 + "\n"
        assert warnings == [f"the recording ends here: {path}: File too large"]

    def test_one_that_is_there_is_not_written_over(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        path.write_text("mine\n")
        with (
            pytest.raises(PyxError, match=r"cannot record to .*: File exists"),
            recording(str(path), Options(), not_warned),
        ):
            pass
        assert path.read_text() == "mine\n"

    def test_a_name_that_no_replay_would_read_is_refused(self, tmp_path: Path) -> None:
        with (
            pytest.raises(PyxError, match=r"cannot record to .*: the name of a scenario ends in \.pyxt"),
            recording(str(tmp_path / "t.md"), Options(), not_warned),
        ):
            pass
        assert os.listdir(tmp_path) == []

    def test_a_session_that_never_began_leaves_none(self, tmp_path: Path) -> None:
        with recording(str(tmp_path / "t.pyxt"), Options(), not_warned):
            assert os.listdir(tmp_path) == ["t.pyxt"]
        assert os.listdir(tmp_path) == []


class TestTheFirstLine:
    @pytest.mark.parametrize(
        ("options", "line"),
        [
            (Options(), "$ pyx"),
            (Options(name="gus", hidden=True), "$ pyx --sname gus --hidden"),
            (Options(name="gus", cookie="secret", cookie_file="f"), "$ pyx --sname gus"),
            (
                Options(name="gus@10.0.0.5", long=True, listen="0.0.0.0", port=4000, seeds=["x@10.0.0.6"]),
                "$ pyx --sname gus@10.0.0.5",
            ),
            (
                Options(name="gus", tick=0.5, rpc="off", max_message_mib=3),
                "$ pyx --sname gus --tick 0.5 --rpc off --max-message 3",
            ),
        ],
    )
    def test_it_is_what_a_replay_can_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Options, line: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert start_line(options, tmp_path) == line
        assert parse_transcript(f"{line}\n", "t.pyxt").sessions

    @pytest.mark.parametrize(
        ("directory", "place", "words"),
        [
            (".", ".", ""),
            ("shop", ".", " -S shop"),
            (".", "..", " -S shop"),
            (".", "../tests", " -S ../shop"),
            ("my shop's", ".", ' -S "my shop\'s"'),
        ],
    )
    def test_the_project_is_where_it_is_seen_from_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str, place: str, words: str
    ) -> None:
        here = tmp_path / "shop"
        here.mkdir()
        monkeypatch.chdir(here)
        line = start_line(Options(name="a", directory=directory), Path(os.path.normpath(here / place)))
        assert line == f"$ pyx --sname a{words}"
        assert parse_transcript(f"{line}\n", "t.pyxt").sessions


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as one:
        yield one


def replayed(path: Path) -> int:
    """Plays a recording; returns the number of its steps."""
    result = Replay(Wishes()).play(str(path))
    assert result.passed, f"{result.text}\n{path.read_text()}"
    return result.steps


def types(shell: Shell, statement: str) -> None:
    """Pastes it and presses Enter, and awaits the next prompt; blanks at the ends of lines may be in it."""
    row = shell.prompt_returns()
    shell.press(f"\x1b[200~{statement}\x1b[201~\r")
    below = row + 1 + statement.count("\n")
    shell.wait(lambda: shell._screen.row >= below and shell._at_prompt(), f"a prompt after {statement!r}")


def recorded(host: Host, shell: Shell, name: str = "t.pyxt") -> str:
    shell.prompt_returns()
    shell.press("\x04")
    assert shell.leaves() == 0
    return (host.home / name).read_text()


STATEMENTS = [
    r"print('\x1b[31mred\x1b[0m and \x1b[1mbold')",
    "[f'{n}' for n in range(60)]",
    r"for n in (1, 50, 100): print(f'\r{n}%', end='', flush=True)" + "\n",
    r"print('a\tb\t'); print('trailing   '); print()",
    r"print('a\r\nb\r'); print('\x07bell\x00 \x1b[5n \x9b'); print('\x0c \x85 \u2028 end')",
    "# just a remark",
    "1 + 1  # ignore",
    "2 + 2  # eventually 2s",
    "# blocks",
    r"print('```\n   ````\n~~~\n> quote')",
    r"print('\n\npyx(gus@vm)9> 1\n...(gus@vm)9> 2\n$ ls\n$\n# prose\n#')",
    r"print('...\n[..]\n\\x\n.+ (re)\n* (glob)\n\\x07 (esc)')",
    r"print('\ud800 \udcff'); '\udc80'",
    "raise ValueError('\\ud800')",
    "x = '''a  \n   \n\n# no remark\n```\nb'''",
    "x",
    "def f(n):\n    # a remark\n    if n:\n\n        return f(n - 1)\n    raise KeyError(n)\n",
    "f(3)",
    "spawn(print, 'from a process')",
    "import time; spawn(lambda: (time.sleep(0.3), print('late')))",
    "print('in', end=' ', flush=True); print('pieces')",
    "print('open', end='')",
    "print('open', end='', flush=True); 5",
    "import sys; sys.stderr.write('to stderr\\n')",
    "import logging; logging.warning('a %s', 'warning')",
    "import warnings; warnings.warn('careful')",
    "make_ref(), self(), object()",
    "register = Process.register(self(), 'me'); send('me', 1); receive()",
    "1 +",
    "await __import__('asyncio').sleep(0.01, 'slept')",
    "import subprocess; subprocess.run(['true']).returncode",
    "print('é 𝄞 汉字 \u200b \u200d')",
]


def test_twenty_kinds_of_statements(host: Host) -> None:
    shell = host.shell("gus", "--record", "t.pyxt")
    for statement in STATEMENTS:
        types(shell, statement)
    recorded(host, shell)
    assert replayed(host.home / "t.pyxt") >= len(STATEMENTS)
