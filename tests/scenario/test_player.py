"""player.py, input_player.py, step_failure.py, node_process.py, running_nodes.py: steps of real nodes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx.errors import PyxError
from pyx.scenario import running_nodes, step_failure
from pyx.scenario.node_process import NodeProcesses
from pyx.scenario.player import Player, PlayerSettings
from pyx.scenario.replay import FileResult, Replay, ReplayOptions
from pyx.scenario.sandbox import Sandbox
from pyx.scenario.transcript import parse_transcript

if TYPE_CHECKING:
    from collections.abc import Callable

A = "$ pyx --sname a\n"
AB = "$ pyx --sname a\n$ pyx --sname b\n"
QUICK = "$ timeout 300ms\n"


def play(
    folder: Path, text: str, options: ReplayOptions | None = None, *, patience: float = 12
) -> FileResult:
    """Plays a scenario, with *patience* times the usual time-outs."""
    (folder / "t.pyxt").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYX_TIMEOUT_SCALE", str(patience))
        return Replay(options or ReplayOptions()).play("t.pyxt")


def failure(folder: Path, text: str) -> str:
    result = play(folder, text, patience=1)
    assert not result.passed
    return result.text


class TestPassing:
    def test_echoes_prints_errors_and_output_of_processes_pass(self, folder: Path) -> None:
        result = play(
            folder,
            AB
            + """\
pyx(a@vm)1> Node.self()
'a@vm'
pyx(a@vm)2> print("one"); print("two"); 3
one
two
3
pyx(a@vm)3> 1 / 0
ZeroDivisionError: division by zero
pyx(a@vm)3> def f(x):
...(a@vm)3>     return x + 1
...(a@vm)3>
pyx(a@vm)4> f(1)
2
pyx(a@vm)5> Node.spawn("b", "builtins", "print", ["from b"])
#PID<7.8.0>
from b
pyx(b@vm)1>
""",
        )
        assert result.passed, result.text

    def test_input_that_blocks_ends_at_an_empty_prompt(self, folder: Path) -> None:
        result = play(
            folder,
            AB
            + """\
pyx(a@vm)1> Process.register(self(), "shell")
True
pyx(a@vm)2> receive(timeout=60)  # blocks
pyx(b@vm)1> send(("shell", "a"), "go")
'go'
pyx(a@vm)2>
'go'
pyx(a@vm)3> _
'go'
""",
        )
        assert result.passed, result.text

    def test_eventually_leaves_the_names_and_numbers_of_the_shell(self, folder: Path) -> None:
        result = play(
            folder,
            A
            + """\
pyx(a@vm)1> import time; due = time.monotonic() + 0.2
pyx(a@vm)2> "seen"
'seen'
pyx(a@vm)3> time.monotonic() > due  # eventually
True
pyx(a@vm)3> _, v(2)
('seen', 'seen')
""",
        )
        assert result.passed, result.text

    def test_log_of_failed_attempts_may_be_claimed_or_not(self, folder: Path) -> None:
        text = (
            A + "pyx(a@vm)1> import sys, time; due = time.monotonic() + 0.3\n"
            "pyx(a@vm)2> def late():\n...(a@vm)2>     print('not yet', file=sys.stderr)\n"
            "...(a@vm)2>     return time.monotonic() > due\n...(a@vm)2>\n"
            "pyx(a@vm)3> late()  # eventually\nTrue\nnot yet\n"
        )
        assert play(folder, text).passed
        assert play(folder, text.replace("True\nnot yet\n", "True\nnot yet\nnot yet\n")).passed

    def test_names_are_substituted_into_inputs(self, folder: Path) -> None:
        result = play(
            folder,
            A
            + """\
pyx(a@vm)1> spawn(receive)
#PID<0.4711.0>
pyx(a@vm)2> Process.is_alive(pid("0.4711.0"))
True
pyx(a@vm)3> make_ref()
#Ref<0.9.9>
pyx(a@vm)4> ref("0.9.9") == v(3)
True
""",
        )
        assert result.passed, result.text

    def test_shell_without_a_name_may_start_a_node(self, folder: Path) -> None:
        result = play(
            folder,
            "$ pyx\npyx(1)> Node.is_alive()\nFalse\npyx(2)> Node.start('late@vm')\n'late@vm'\n"
            "pyx(late@vm)3> Node.self()\n'late@vm'\n",
        )
        assert result.passed, result.text

    def test_files_beside_the_scenario_are_its_project_and_stay_unchanged(self, folder: Path) -> None:
        (folder / "mine.py").write_text("x = 1\n")
        text = (
            A + "pyx(a@vm)1> mine.x\nimported mine\n1\n$ cat > mine.py <<END\nx = 2\nEND\n"
            "$ kill -9 a\n$ pyx --sname a\npyx(a@vm)1> mine.x\nimported mine\n2\n"
        )
        assert play(folder, text).passed
        assert (folder / "mine.py").read_text() == "x = 1\n"
        assert sorted(path.name for path in folder.iterdir()) == ["mine.py", "t.pyxt"]

    def test_frozen_node_gets_the_end_of_a_partition_when_resumed(self, folder: Path) -> None:
        result = play(
            folder,
            AB + "pyx(a@vm)1> Node.connect('b')\nTrue\npyx(b@vm)1> Process.register(self(), 'shell')\nTrue\n"
            "$ partition a | b\n$ kill -STOP b\n$ heal\n$ kill -CONT b\n"
            "pyx(a@vm)2> send(('shell', 'b'), 'through')\n'through'\n"
            "pyx(b@vm)2> receive(timeout=60)\n'through'\n",
        )
        assert result.passed, result.text

    @pytest.mark.parametrize("code", ["exit()", "exit(3)", "raise SystemExit"])
    def test_node_may_exit_at_its_prompt(self, folder: Path, code: str) -> None:
        result = play(folder, A + f"pyx(a@vm)1> {code}\n")
        assert result.passed, result.text

    def test_nodes_write_into_copies(self, folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data/log.txt").write_text("one\n")
        (folder / "stock.json").write_text("[]")
        text = (
            A
            + "pyx(a@vm)1> open('stock.json', 'w').write('[1]'), open('data/log.txt', 'a').write('two\\n')\n"
            "(3, 4)\npyx(a@vm)2> open('data/log.txt').read()\n'one\\ntwo\\n'\n"
        )
        for _ in range(2):
            result = play(folder, text)
            assert result.passed, result.text
        assert (folder / "stock.json").read_text() == "[]"
        assert (folder / "data/log.txt").read_text() == "one\n"

    def test_report_lists_files_that_were_not_copied(self, folder: Path) -> None:
        with (folder / "data").open("wb") as data:
            data.truncate(65 << 20)
        text = failure(folder, A + "pyx(a@vm)1> open('data')\n<_io[..]>\n")
        assert text.endswith("    not copied: data (more than 64 MiB or 5000 files in all)\n")
        for number in range(7):
            os.link(folder / "data", folder / f"data{number}")
        text = failure(folder, A + "pyx(a@vm)1> 1\n")
        assert text.count("    not copied: data") == 5
        assert text.endswith("    not copied: 3 more\n")

    def test_end_does_not_wait_for_frozen_or_partitioned_nodes(self, folder: Path) -> None:
        text = (
            AB + "$ pyx --sname c\npyx(a@vm)1> Node.connect('b'), Node.connect('c')\n(True, True)\n"
            "$ partition a | b\n$ kill -STOP c\n"
        )
        assert play(folder, text).passed

    def test_ignore_at_an_empty_prompt_passes(self, folder: Path) -> None:
        assert play(folder, A + "pyx(a@vm)1> print('x')  # blocks\npyx(a@vm)1> # ignore\n").passed

    def test_ignore_and_unordered_pass(self, folder: Path) -> None:
        text = (
            A + "pyx(a@vm)1> print(1); print(2)  # unordered\n2\n1\npyx(a@vm)2> print('whatever')  # ignore\n"
        )
        assert play(folder, text).passed


@pytest.mark.parametrize("scale", ["soon", "0", "-1", "nan", "inf"])
def test_timeout_scale_that_is_not_a_positive_number_is_refused(
    scale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYX_TIMEOUT_SCALE", scale)
    with pytest.raises(PyxError, match=f"^PYX_TIMEOUT_SCALE is '{scale}', which is not a number above 0\n"):
        PlayerSettings()


class TestWaiting:
    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """The time-outs of all waits, in seconds."""
        waits: list[float] = []
        real = NodeProcesses.wait

        def wait(nodes: NodeProcesses, until: Callable[[], bool], timeout: float) -> bool:
            waits.append(timeout)
            return real(nodes, until, timeout)

        monkeypatch.setattr(NodeProcesses, "wait", wait)
        return waits

    def test_missing_line_is_awaited_for_the_scaled_timeout(self, folder: Path, waits: list[float]) -> None:
        assert not play(folder, A + "$ timeout 100ms\npyx(a@vm)1>\nb\n", patience=3).passed
        assert 0 < waits[-1] <= 0.3

    def test_eventually_repeats_after_50_ms_and_then_less_often(
        self, folder: Path, waits: list[float]
    ) -> None:
        text = (
            A + "pyx(a@vm)1> import itertools; number = itertools.count()\n"
            "pyx(a@vm)2> next(number) == 3  # eventually\nTrue\n"
        )
        assert play(folder, text, patience=1).passed
        assert [wait for wait in waits if wait < 1] == pytest.approx([0.05, 0.075, 0.1125])


class TestFailing:
    def test_wrong_value_is_reported_with_a_diff(self, folder: Path) -> None:
        text = failure(folder, A + "\npyx(a@vm)1> 1 + 1\n3\n")
        head, step, minus, plus, *rest = text.split("\n")
        assert head.startswith("FAIL t.pyxt:3  a@vm: the output differs (- expected, + actual), ")
        assert [step, minus, plus] == ["    pyx(a@vm)1> 1 + 1", "  - 3", "  + 2"]
        assert rest[0].startswith("    logs: /")
        assert rest[1] == "    open a shell there: pyx replay t.pyxt --stop-at 3 --shell a@vm"

    def test_extra_line_is_in_the_diff(self, folder: Path) -> None:
        text = failure(folder, A + "pyx(a@vm)1> print('a'); print('b')\na\n")
        assert "    a\n  + b\n" in text

    def test_missing_line_is_in_the_diff(self, folder: Path) -> None:
        # A node that has ended shows nothing more: there is no time-out to wait for.
        text = failure(folder, A + "pyx(a@vm)1> print('a'); exit()\na\nb\n")
        assert "    a\n  - b\n" in text

    def test_output_below_no_expected_line_fails(self, folder: Path) -> None:
        assert "  + 1\n" in failure(folder, A + "pyx(a@vm)1> 1\n")

    def test_line_at_another_node_is_reported_as_unclaimed(self, folder: Path) -> None:
        text = failure(
            folder,
            AB + "pyx(a@vm)1> rpc.call('b', 'builtins', 'print', ['x'])\n" + QUICK + "pyx(b@vm)1>\nx\n",
        )
        assert text.startswith("FAIL t.pyxt:5  b@vm: the output differs (- expected, + actual), ")
        assert "  - x\n" in text
        assert "    unclaimed on a@vm after " in text
        assert re.search(r"from #PID<1\.\d+\.0>: x\n", text)

    def test_swapped_pids_are_reported_with_their_bindings(self, folder: Path) -> None:
        text = failure(
            folder,
            A + "pyx(a@vm)1> one, two = spawn(receive), spawn(receive)\npyx(a@vm)2> one, two\n"
            "(#PID<0.2.0>, #PID<0.3.0>)\npyx(a@vm)3> [two, one]\n[#PID<0.2.0>, #PID<0.3.0>]\n",
        )
        assert "  - [#PID<0.2.0>, #PID<0.3.0>]\n  + [#PID<0.3.0>, #PID<0.2.0>]\n" in text
        assert "    bound: <0.2.0> = <0.2.0> of a@vm; <0.3.0> = <0.3.0> of a@vm\n" in text

    def test_unclaimed_output_at_the_end_fails(self, folder: Path) -> None:
        text = failure(
            folder,
            A + "pyx(a@vm)1> _, ref = spawn_monitor(print, 'late')\n"
            "pyx(a@vm)2> receive(('DOWN', ref, ..., ..., ...))[4]\n'normal'\n",
        )
        assert text.startswith(
            "FAIL t.pyxt:3  a@vm: output that no block expects (an empty prompt of this node would), "
        )
        assert "  + late\n    from: #PID<0.2.0>\n" in text

    def test_crash_in_an_input_fails(self, folder: Path) -> None:
        text = failure(folder, A + "pyx(a@vm)1> import os; os.abort()\n")
        assert "FAIL t.pyxt:2  a@vm: the node died (signal 6)" in text

    def test_crash_of_another_node_fails_at_the_end(self, folder: Path) -> None:
        text = failure(
            folder,
            AB + "pyx(a@vm)1> rpc.cast('b', 'os', '_exit', [3])\nTrue\npyx(a@vm)2> Node.ping('b')  # ignore\n"
            "pyx(a@vm)3> Node.list()  # eventually\n[]\n",
        )
        assert "b@vm: the node ended by itself (exit code 3)" in text

    @pytest.mark.parametrize(
        ("code", "how"),
        [
            ("rpc.cast('b', 'os', '_exit', [7])\nTrue\n", "exit code 7"),
            ("rpc.cast('b', 'os', 'abort', [])\nTrue\n", "signal 6"),
            ("rpc.cast('b', 'signal', 'raise_signal', [9])\nTrue\n", "signal 9"),
        ],
    )
    def test_node_that_ends_by_itself_fails(self, folder: Path, code: str, how: str) -> None:
        at_its_end = "pyx(a@vm)3> Node.list()  # eventually\n[]\n"
        text = failure(folder, AB + f"pyx(a@vm)1> Node.ping('b')\n'pong'\npyx(a@vm)2> {code}{at_its_end}")
        assert f"b@vm: the node ended by itself ({how})" in text

    @pytest.mark.parametrize(
        ("code", "how"),
        [
            ("os._exit(7)", "exit code 7"),
            ("os._exit(0)", "exit code 0"),
            ("os.kill(os.getpid(), 9)", "signal 9"),
            ("os.kill(os.getpid(), 15)", "exit code 143"),
            ("os.kill(os.getpid(), 1)", "exit code 129"),
        ],
    )
    def test_death_in_its_own_evaluation_is_reported_with_its_exit(
        self, folder: Path, code: str, how: str
    ) -> None:
        text = failure(folder, A + f"pyx(a@vm)1> import os; {code}\n")
        assert f"FAIL t.pyxt:2  a@vm: the node died ({how})" in text

    def test_death_of_an_earlier_incarnation_fails(self, folder: Path) -> None:
        text = failure(
            folder,
            AB + "pyx(a@vm)1> rpc.cast('b', 'os', '_exit', [7])\nTrue\n"
            "pyx(a@vm)2> Node.list()  # eventually\n[]\n$ pyx --sname b\n",
        )
        assert "b@vm: the node ended by itself (exit code 7)" in text

    def test_hang_is_reported_with_stacks_mailboxes_and_connections(self, folder: Path) -> None:
        text = failure(
            folder,
            AB + "pyx(b@vm)1> Node.connect('a')\nTrue\n"
            "pyx(a@vm)1> send(self(), 'stray')\n'stray'\n"
            "pyx(a@vm)2> print('begun'); receive(int)  # blocks\nbegun\n" + QUICK + "pyx(a@vm)2>\n1\n",
        )
        assert "FAIL t.pyxt:10  a@vm: the input did not end within 0.3 s, " in text
        assert "    a@vm:\n      nodes: b@vm\n" in text
        assert "messages: ['stray']" in text
        assert "      thread MainThread:\n" in text
        assert '        File "<pyx 2>", line 1, in <module>\n' in text
        assert "    b@vm:\n      nodes: a@vm\n" in text
        assert "\n    to wait longer: $ timeout 20s above the step, or PYX_TIMEOUT_SCALE=3 on" in text

    def test_hang_in_a_call_into_c_is_reported_with_its_stack(self, folder: Path) -> None:
        text = failure(
            folder,
            A
            + "pyx(a@vm)1> print('begun'); sum(range(10 ** 12))  # blocks\nbegun\n"
            + QUICK
            + "pyx(a@vm)1>\n1\n",
        )
        assert "a@vm: the input did not end within 0.3 s, " in text
        assert '        File "<pyx 1>", line 1 in <module>\n' in text

    def test_input_at_a_killed_node_fails(self, folder: Path) -> None:
        text = failure(folder, A + "$ kill -9 a\npyx(a@vm)1> 1\n1\n")
        assert "FAIL t.pyxt:3  a@vm: the node is not running: it was killed (line 2)" in text

    def test_input_at_a_frozen_node_fails(self, folder: Path) -> None:
        text = failure(folder, A + "$ kill -STOP a\npyx(a@vm)1> 1\n1\n")
        assert "the node is frozen ($ kill -CONT a@vm resumes it)" in text

    def test_node_that_ignores_sigterm_fails_at_its_stop(self, folder: Path) -> None:
        text = failure(
            folder,
            A + "pyx(a@vm)1> import signal; _ = signal.signal(15, signal.SIG_IGN)\n" + QUICK + "$ stop a\n",
        )
        assert "FAIL t.pyxt:4  a@vm: the node did not end within 0.3 s of $ stop, " in text

    def test_input_at_a_name_that_no_shell_has_fails(self, folder: Path) -> None:
        text = failure(folder, A + "pyx(a@vm)1> 'Node.stop'\n'Node.stop'\npyx(b@vm)1> 1\n1\n")
        assert text.startswith("FAIL t.pyxt:4  no running shell has the prompt of b@vm, ")

    def test_node_that_does_not_answer_the_driver_fails(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (step_failure, running_nodes):
            monkeypatch.setattr(module, "ANSWER_SECONDS", 0.3)
        text = failure(
            folder,
            A + "pyx(a@vm)1> print('begun'); sum(range(10 ** 12))  # blocks\nbegun\n$ kill -INT a\n",
        )
        assert "FAIL t.pyxt:4  a@vm: the node did not answer the replay within 0.3 s, " in text
        assert '        File "<pyx 1>", line 1 in <module>\n' in text

    def test_start_under_a_taken_name_fails(self, folder: Path) -> None:
        text = failure(folder, AB + "\n$ pyx --sname b\n")
        assert "FAIL t.pyxt:4  b@localhost: the node did not start (exit code 3)" in text
        assert "  + pyx: the name b@localhost is in use by another node" in text

    def test_eventually_fails_with_its_last_attempt(self, folder: Path) -> None:
        text = failure(folder, A + "pyx(a@vm)1> Node.list()  # eventually 1s\n['b@vm']\n")
        assert "a@vm: the output of no attempt matched (- expected, + last attempt), " in text
        assert "  - ['b@vm']\n  + []\n" in text

    def test_endless_expression_fails(self, folder: Path) -> None:
        text = failure(folder, A + "pyx(a@vm)1> print('a' * 64)\n(a+)+c (re)\n")
        assert text.startswith(
            "FAIL t.pyxt:2  a@vm: the regular expression takes more than 1 s of CPU time: (a+)+c, "
        )
        assert "  - (a+)+c (re)\n  + aaaa" in text

    def test_invisible_differences_are_reported_with_escapes(self, folder: Path) -> None:
        text = failure(
            folder,
            A + "pyx(a@vm)1> print('a\\tb'); print('x'); print('12\\xa0')\na       b\nx\n12\n",
        )
        assert (
            "  - a       b\n  + a\\tb\n    x\n  - 12\n  + 12\\xa0\n    (lines that differ and look the same"
            in text
        )

    def test_report_of_a_long_block_shows_the_differences(self, folder: Path) -> None:
        lines = [f"line {number}" for number in range(1200)]
        text = failure(
            folder,
            A
            + "pyx(a@vm)1> for n in range(1200): print('line', n)\n...(a@vm)1>\n"
            + "\n".join([*lines[:900], "other", *lines[901:]])
            + "\n",
        )
        assert "    ... 897 lines as expected\n    line 897\n    line 898\n    line 899\n  - other\n" in text
        assert "  - other\n  + line 900\n    line 901\n    line 902\n    line 903\n" in text
        assert "    line 903\n    ... 296 lines as expected\n    logs: " in text

    def test_report_of_very_many_lines_is_cut(self, folder: Path) -> None:
        lines = "".join(f"{number}\n" for number in range(1000))
        text = failure(folder, A + f"pyx(a@vm)1> print('x\\n' * 99)\n{lines}")
        assert "  - 19\n  - ... 980 more lines\n  + x\n" in text
        assert "  + x\n  + ... 80 more lines\n    logs: " in text

    def test_unknown_command_is_not_playable(self, folder: Path) -> None:
        result = play(folder, A + "$ sleep 1\n")
        assert not result.readable
        assert result.text.startswith("t.pyxt:2:3: unknown command 'sleep'")

    def test_file_outside_the_sandbox_is_not_playable(self, folder: Path) -> None:
        result = play(folder, "$ cat > ../x.py <<END\nEND\n")
        assert not result.readable
        assert "t.pyxt:1:9: the file '../x.py' is outside" in result.text
        assert not (folder.parent / "x.py").exists()

    def test_file_in_place_of_a_directory_fails(self, folder: Path) -> None:
        text = failure(folder, "$ cat > d/f <<END\nEND\n$ cat > d <<END\nEND\n" + A)
        assert text.startswith("FAIL t.pyxt:3  d cannot be written: Is a directory, ")


class TestSessions:
    def test_sessions_of_a_markdown_file_share_nothing(self, folder: Path) -> None:
        story = "```pyx\n$ pyx --sname a\npyx(a@vm)1> Node.list()\n[]\n```\n\nMore:\n\n"
        story += "```pyx\npyx(a@vm)2> 1\n1\n```\n"
        (folder / "README.md").write_text(f"# One\n{story}# Two\n{story}")
        result = Replay(ReplayOptions()).play("README.md")
        assert result.passed, result.text
        assert result.steps == 6

    def test_repetitions_stop_at_the_first_failure(self, folder: Path) -> None:
        result = play(folder, A + "pyx(a@vm)1> 1\n2\n", ReplayOptions(repeat=3))
        assert "    this was repetition 1 of 3\n" in result.text

    def test_each_repetition_plays_anew(self, folder: Path) -> None:
        log = folder / "log"
        text = A + f"pyx(a@vm)1> open({str(log)!r}, 'a').write('x')\n1\n"
        assert play(folder, text, ReplayOptions(repeat=3)).passed
        assert log.read_text() == "xxx"

    def test_jitter_delays_the_messages_of_every_node(self, folder: Path) -> None:
        text = AB + "".join(
            f"pyx({name}@vm)1> from pyx.runtime.local_node import this_node\n"
            f"pyx({name}@vm)2> 0.0 <= this_node().transport.faults._delay() <= 0.02\nTrue\n"
            for name in "ab"
        )
        assert play(folder, text, ReplayOptions(jitter=True)).passed
        assert "  - True\n  + TypeError: " in play(folder, text).text

    def test_jobs_play_at_the_same_time_and_apart(self, folder: Path) -> None:
        for name, other in (("one", "two"), ("two", "one")):
            (folder / f"{name}.pyxt").write_text(
                A + f"pyx(a@vm)1> from pathlib import Path; Path({str(folder / name)!r}).touch()\n"
                f"pyx(a@vm)2> Path({str(folder / other)!r}).exists()  # eventually\nTrue\n"
                "pyx(a@vm)3> Node.list('known')\n['a@vm']\n"
            )
        results = Replay(ReplayOptions()).run(["one.pyxt", "two.pyxt"], 2, lambda _result: None)
        assert [result.text for result in results] == ["", ""]

    def test_report_under_jitter_has_the_seed(self, folder: Path) -> None:
        result = play(folder, AB + "pyx(a@vm)1> Node.ping('b')\n'pang'\n", ReplayOptions(jitter=True, seed=7))
        assert "    repeat these delays: --jitter --seed 7\n" in result.text


class TestNoOrphans:
    @pytest.mark.parametrize("jobs", ["1", "2"])
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
    )
    def test_signal_ends_the_replay_and_leaves_nothing(
        self, folder: Path, jobs: str, number: signal.Signals, code: int
    ) -> None:
        for name in ("one", "two"):
            (folder / f"{name}.pyxt").write_text(
                A + "$ timeout 60s\npyx(a@vm)1> import os, pathlib\n"
                f"pyx(a@vm)2> pathlib.Path({str(folder / 'pid')!r}).write_text(str(os.getpid())); receive()\n"
            )
        process = subprocess.Popen(
            [sys.executable, "-m", "pyx", "replay", "one.pyxt", "two.pyxt", "--jobs", jobs, "--junit", "x"],
            stdout=subprocess.DEVNULL,
        )
        try:
            pid = int(_text_of(folder / "pid"))
            process.send_signal(number)
            assert process.wait(60) == code
        finally:
            process.kill()
            process.wait()
        _wait_for_end(pid)
        assert list(Path(tempfile.gettempdir()).iterdir()) == []
        assert 'errors="' in (folder / "x").read_text()

    @pytest.mark.parametrize("passes", [True, False])
    def test_processes_started_by_nodes_end_with_them(self, folder: Path, passes: bool) -> None:
        (folder / "kids.py").write_text(
            "import os, subprocess, time\nfrom pathlib import Path\n\n"
            "def start(file):\n"
            "    sleep = subprocess.Popen(['sleep', '7777'])\n"
            "    apart = subprocess.Popen(['sleep', '7778'], start_new_session=True)\n"
            "    bare = subprocess.Popen(['env', '-i', 'setsid', 'sleep', '7776'])\n"
            "    forked = os.fork() or time.sleep(7779)\n"
            "    Path(file).write_text(f'{sleep.pid} {apart.pid} {bare.pid} {forked}')\n"
        )
        (folder / "t.pyxt").write_text(
            A
            + f"pyx(a@vm)1> kids.start({str(folder / 'pids')!r})\nimported kids\n$ kill -9 a\n"
            + ("" if passes else "pyx(a@vm)4> 1\n")
        )
        assert Replay(ReplayOptions()).play("t.pyxt").passed is passes
        pids = [int(pid) for pid in (folder / "pids").read_text().split()]
        assert len(pids) == 4
        for pid in pids:
            _wait_for_end(pid)

    def test_sandbox_of_a_killed_replay_is_removed_by_the_next(self, folder: Path) -> None:
        (folder / "t.pyxt").write_text(
            A + "$ timeout 60s\npyx(a@vm)1> import os, subprocess; from pathlib import Path\n"
            "pyx(a@vm)2> sleep = subprocess.Popen(['sleep', '7777'])\n"
            f"pyx(a@vm)3> pids = Path({str(folder / 'pids')!r})\n"
            "pyx(a@vm)4> pids.write_text(f'{sleep.pid} {os.getpid()}'); receive()\n"
        )
        (folder / "next.pyxt").write_text(A)
        process = subprocess.Popen(
            [sys.executable, "-m", "pyx", "replay", "t.pyxt"], stdout=subprocess.DEVNULL
        )
        try:
            pids = _text_of(folder / "pids").split()
        finally:
            process.kill()
            process.wait()
        for pid in pids:
            _wait_for_end(int(pid))
        assert len(list(Path(tempfile.gettempdir()).iterdir())) == 1
        assert Replay(ReplayOptions()).play("next.pyxt").passed
        assert list(Path(tempfile.gettempdir()).iterdir()) == []

    def test_node_that_starts_after_kill_ends_too(self, folder: Path) -> None:
        (session,) = parse_transcript(A + "$ timeout 60s\npyx(a@vm)1> receive()\n", "t.pyxt").sessions
        sandbox = Sandbox(folder)
        player = Player(session, sandbox, PlayerSettings())
        try:
            player.nodes.processes.kill()
            failed = player.run()
        finally:
            player.close()
            sandbox.remove()
        assert failed is not None
        assert failed.problem == "the node did not start (signal 9)"

    def test_nodes_end_with_a_killed_replay_even_frozen_ones(self, folder: Path) -> None:
        (folder / "t.pyxt").write_text(
            AB + "pyx(a@vm)1> import os, pathlib\n"
            f"pyx(a@vm)2> pathlib.Path({str(folder / 'a')!r}).write_text(str(os.getpid()))  # ignore\n"
            "pyx(b@vm)1> import os, pathlib\n"
            f"pyx(b@vm)2> pathlib.Path({str(folder / 'b')!r}).write_text(str(os.getpid()))  # ignore\n"
            "$ kill -STOP b\n$ timeout 60s\npyx(a@vm)3> receive()\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "pyx", "replay", "t.pyxt"], stdout=subprocess.DEVNULL
        )
        try:
            pids = [int(_text_of(folder / name)) for name in ("a", "b")]
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for pid in pids:
            _wait_for_end(pid)


def _text_of(path: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.01)
    raise AssertionError(f"{path} was not written")


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} still runs")
