"""record_file.py, driver_requests.py: sessions at a terminal are recorded and replay."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx.errors import PyxError
from pyx.options import NodeOptions
from pyx.scenario.record_file import RecordFile, recording, start_line
from pyx.scenario.replay import Replay, ReplayOptions
from pyx.scenario.transcript import parse_transcript
from pyx.shell.shell_options import ShellOptions
from tests.local_nodes import full_disk
from tests.stories.host import PYX, Host
from tests.stories.test_across import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.terminal import Shell


def fail_on_warning(problem: str) -> None:
    raise AssertionError(problem)


class TestRecordFile:
    def test_record_file_is_readable_by_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        file = RecordFile(str(path), fail_on_warning)
        file.append("x\n")
        file.close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text() == "x\n"

    def test_incomplete_block_is_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        file = RecordFile(str(path), fail_on_warning)
        file.append("one\n")
        file.append("two, so far\n", whole=False)
        assert path.read_text() == "one\ntwo, so far\n"
        file.rewrite(lambda text: text.replace("one", "eins"))
        file.append("two\n")
        file.close()
        assert path.read_text() == "eins\ntwo\n"

    def test_full_disk_leaves_the_whole_blocks(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        warnings: list[str] = []
        file = RecordFile(str(path), warnings.append)
        with full_disk():
            file.append("x" * 60 + "\n")
            file.append("y" * 60 + "\n")
            file.append("z\n")
            file.close()
        assert file.failed
        assert path.read_text() == "x" * 60 + "\n"
        assert warnings == [f"the recording ends here: {path}: File too large"]

    def test_existing_file_is_not_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        path.write_text("mine\n")
        with (
            pytest.raises(PyxError, match=r"cannot record to .*: File exists"),
            recording(str(path), ShellOptions(), fail_on_warning),
        ):
            pass
        assert path.read_text() == "mine\n"

    def test_name_without_the_suffix_of_scenarios_is_refused(self, tmp_path: Path) -> None:
        with (
            pytest.raises(PyxError, match=r"cannot record to .*: the name of a scenario ends in \.pyxt"),
            recording(str(tmp_path / "t.md"), ShellOptions(), fail_on_warning),
        ):
            pass
        assert os.listdir(tmp_path) == []

    def test_recording_without_a_prompt_leaves_no_file(self, tmp_path: Path) -> None:
        with recording(str(tmp_path / "t.pyxt"), ShellOptions(), fail_on_warning):
            assert os.listdir(tmp_path) == ["t.pyxt"]
        assert os.listdir(tmp_path) == []


class TestStartLine:
    @pytest.mark.parametrize(
        ("options", "line"),
        [
            (ShellOptions(), "$ pyx"),
            (ShellOptions(NodeOptions("gus", hidden=True)), "$ pyx --sname gus --hidden"),
            (ShellOptions(NodeOptions("gus", cookie="secret", cookie_file="f")), "$ pyx --sname gus"),
            (
                ShellOptions(
                    NodeOptions("gus@10.0.0.5", long=True, listen="0.0.0.0", port=4000, seeds=["x@10.0.0.6"])
                ),
                "$ pyx --sname gus@10.0.0.5",
            ),
            (
                ShellOptions(NodeOptions("gus", tick=0.5, rpc="off", max_message_mib=3)),
                "$ pyx --sname gus --tick 0.5 --rpc off --max-message 3",
            ),
        ],
    )
    def test_start_line_has_the_options_of_a_replay(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: ShellOptions, line: str
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
    def test_start_line_has_the_project_relative_to_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str, place: str, words: str
    ) -> None:
        here = tmp_path / "shop"
        here.mkdir()
        monkeypatch.chdir(here)
        line = start_line(ShellOptions(NodeOptions("a"), directory), Path(os.path.normpath(here / place)))
        assert line == f"$ pyx --sname a{words}"
        assert parse_transcript(f"{line}\n", "t.pyxt").sessions


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as one:
        yield one


def replayed(path: Path) -> int:
    """Replays a recording, with patience; returns the number of its steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYX_TIMEOUT_SCALE", "12")
        result = Replay(ReplayOptions()).play(str(path))
    assert result.passed, f"{result.text}\n{path.read_text()}"
    return result.steps


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


def test_recording_of_many_kinds_of_statements_replays(host: Host) -> None:
    shell = host.shell("gus", "--record", "t.pyxt")
    for statement in STATEMENTS:
        shell.paste(statement)
    recorded(host, shell)
    assert replayed(host.home / "t.pyxt") >= len(STATEMENTS)


def interrupt(shell: Shell, code: str, begun: int) -> None:
    """Enters *code*, and presses Ctrl-C once the screen has *begun* lines `begun`, and the code waits."""
    shell.prompt_returns()
    shell.press(f"\x1b[200~{code}\x1b[201~\r")
    shell.wait(lambda: shell.lines.count("begun") == begun, "the begin")
    if "while" not in code:
        shell.blocks()
    row = shell._screen.row
    shell.press("\x03")
    shell.wait(lambda: shell._screen.row > row and shell._at_prompt(), "a prompt after Ctrl-C")


def test_recording_of_ctrl_c_in_each_place_replays(host: Host) -> None:
    shell = host.shell("gus", "--record", "t.pyxt")
    shell.paste(
        "def f():\n    try:\n        print('begun'); receive()\n"
        "    except KeyboardInterrupt:\n        print('caught')\n"
    )
    for begun, code in enumerate(
        (
            "print('begun'); receive()",
            "import time; print('begun'); time.sleep(60)  # long",
            "print('begun'); await aio.sleep(60)",
            "print('begun')\nwhile True: pass\n",
            "f()",
        ),
        1,
    ):
        interrupt(shell, code, begun)
    shell.half_type("half a line")
    shell.press("\x03")
    shell.type("flush()")
    text = recorded(host, shell)
    assert "> print('begun'); receive()  # blocks\nbegun\n" in text
    assert text.count("\n$ kill -INT gus@vm\n") == 5
    assert text.count("\nKeyboardInterrupt\n") == 4
    assert "\ncaught\n" in text
    assert "half" not in text
    replayed(host.home / "t.pyxt")


def test_recording_of_input_replays(host: Host) -> None:
    shell = host.shell("gus", "--record", "t.pyxt")
    shell.enter("name = input('Name: ')")
    shell.sees("Name:")
    shell.press("gus  \r")
    shell.type("name")
    shell.enter("print('Sure', end='? ', flush=True); input(), input()")
    shell.sees("Sure?")
    shell.press("yes\r\r")
    shell.enter("input('End: ')")
    shell.sees("End:")
    shell.press("\x04")
    text = recorded(host, shell)
    assert "\n$ type \\x67us   (esc)\npyx(gus@vm)1> name = input('Name: ')\nName: gus\n" in text
    assert "\n$ type yes\n$ type\n" in text
    assert "> input('End: ')\nEnd:\nEOFError: EOF when reading a line\n" in text
    replayed(host.home / "t.pyxt")


def test_recording_and_history_hold_no_cookie(host: Host) -> None:
    secret, other, third = "a secret of many letters", "another secret", "pyx-third-secret"
    shell = host.shell("gus", "--cookie", third, "--record", "t.pyxt")
    cookie = shell.type("Node.get_cookie().text")
    assert cookie == f"'{third}'"
    for statement in (  # few of them: a key is slow to make, on purpose
        "s = Node.set_cookie",
        f"c = '{secret}'",
        f"s('bob', '{other}')",
        "s(c)",
        "Node.get_cookie(), Node.get_cookie().text",
        "spawn(print, 'it is', c)",
        f"print('$ {secret}')",
        f"raise ValueError('{third}')",
        "Node.set_cookie ('x')",
    ):
        shell.paste(statement)
    text = recorded(host, shell)
    for one in (secret, other, third, "'x'"):
        assert one not in text
    assert stat.S_IMODE((host.home / "t.pyxt").stat().st_mode) == 0o600
    kept = (host.home / ".local/state/pyx/history").read_text()
    for one in (secret, other, third, "'x'"):
        assert one not in kept
    replayed(host.home / "t.pyxt")


def test_recording_of_a_long_name_and_a_changed_one_replays(host: Host) -> None:
    shell = host.starts("--name", "gus@127.0.0.1", "--port", free_port(), "--record", "t.pyxt")
    shell.type("Node.self()")
    shell.type("Node.stop()")
    shell.type("Node.self()")
    shell.type("Node.start('other')")
    shell.type("Node.list('this')")
    text = recorded(host, shell)
    assert "\n$ pyx --sname gus@127.0.0.1\n" in text
    replayed(host.home / "t.pyxt")


def test_recording_of_a_project_elsewhere_replays(host: Host) -> None:
    (host.home / "shop").mkdir()
    (host.home / "tests").mkdir()
    (host.home / "shop" / "stock.py").write_text("def get(): return ['nike']\n")
    shell = host.shell("gus", "--record", "../tests/t.pyxt", cwd=host.home / "shop")
    shell.type("stock.get()")
    text = recorded(host, shell, "tests/t.pyxt")
    assert "\n$ pyx --sname gus@vm -S ../shop\n" in text
    replayed(host.home / "tests/t.pyxt")


def test_recording_of_a_plain_terminal_replays(host: Host) -> None:
    shell = host.shell("gus", "--record", "t.pyxt", TERM="dumb")
    shell.type("1 + 1")
    shell.type("print('a', end='')")
    shell.enter("print('begun'); receive()")
    shell.sees("begun")
    shell.blocks()
    shell.interrupt()
    text = recorded(host, shell)
    assert [line for line in text.split("\n") if line and not line.startswith("# ")] == [
        "$ pyx --sname gus@vm",
        "pyx(gus@vm)1> 1 + 1",
        "2",
        "pyx(gus@vm)2> print('a', end='')",
        "a",
        "pyx(gus@vm)3> print('begun'); receive()  # blocks",
        "begun",
        "$ kill -INT gus@vm",
        "pyx(gus@vm)3>",
        "KeyboardInterrupt",
    ]
    replayed(host.home / "t.pyxt")


@pytest.mark.parametrize(("last", "code"), [("exit(3)", 3), ("raise SystemExit('no')", 1)])
def test_recording_of_each_exit_replays(host: Host, last: str, code: int) -> None:
    shell = host.shell("gus", "--record", "t.pyxt")
    shell.type("1 + 1")
    shell.enter(last)
    assert shell.leaves() == code
    assert replayed(host.home / "t.pyxt") == 3


def test_input_that_ended_the_process_is_recorded(host: Host) -> None:
    shell = host.shell("gus", "--record", "t.pyxt")
    shell.enter("import os; os._exit(4)")
    assert shell.leaves() == 4
    assert (host.home / "t.pyxt").read_text().endswith("\npyx(gus@vm)1> import os; os._exit(4)\n")


def test_merged_recordings_of_two_shells_replay(host: Host) -> None:
    a = host.shell("a", "--record", "a.pyxt")
    b = host.shell("b", "--record", "b.pyxt")
    a.type("Process.register(self(), 'a'), 'é'")
    a.enter("receive()  # what will it be?")
    b.type("send(('a', 'a'), 'hello')")
    a.prompt_returns()
    a.enter("while True: print(receive())\n")
    b.type("[send(('a', 'a'), n) for n in range(3)]")
    a.sees("2")
    a.blocks()
    a.interrupt()
    b.type("rpc.call('a', 'builtins', 'print', ['x'])")
    b.type("Node.spawn('a', print, 'y')")
    for one in (a, b):
        one.prompt_returns()
        one.press("\x04")
        one.leaves()
    merged = host.run("replay", "--merge", "a.pyxt", "b.pyxt", LC_ALL="C", PYTHONIOENCODING="ascii")
    (host.home / "both.pyxt").write_text(merged.stdout)
    assert "'é'" in merged.stdout
    replayed(host.home / "both.pyxt")


def test_nodes_of_several_hosts_replay_on_one(tmp_path: Path) -> None:
    path = tmp_path / "t.pyxt"
    path.write_text(
        "$ pyx --sname a@10.0.0.5\n$ pyx --sname b@shop.example.org\n"
        "pyx(a@10.0.0.5)1> Node.ping('b@shop.example.org')\n'pong'\n"
        "pyx(b@shop.example.org)1> Node.list()\n['a@10.0.0.5']\n"
    )
    assert replayed(path) == 4


def test_output_after_the_end_is_not_recorded(host: Host) -> None:
    shell = host.shell("gus", "--record", "t.pyxt")
    shell.type("import atexit, sys; atexit.register(print, 'at exit')")
    shell.type("print('no end', file=sys.stderr, end='')")
    assert "\nat exit\n" not in recorded(host, shell)
    replayed(host.home / "t.pyxt")


def test_full_disk_is_warned_of_and_exits_with_1(host: Host) -> None:
    (host.home / "start.sh").write_text(f"ulimit -f 1; exec {PYX} --sname gus@vm --record t.pyxt\n")
    shell = host.starts_command(["bash", "start.sh"])
    shell.paste("1 + 1")
    shell.paste("'y' * 1500")
    shell.sees("warning: the recording ends here: t.pyxt: File too large")
    shell.paste("2 + 2")
    shell.press("\x04")
    assert shell.leaves() == 1
    assert replayed(host.home / "t.pyxt") == 2
