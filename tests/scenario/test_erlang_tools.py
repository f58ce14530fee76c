"""erlang_tools.py: sessions with Elixir nodes, and why they cannot be played on some hosts."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pyx.scenario.erlang_tools import SandboxEpmd, iex_environment, why_not_here
from pyx.scenario.replay import Replay, ReplayOptions
from pyx.scenario.replay_cli import main
from pyx.scenario.sandbox import Sandbox
from tests.inner_pytest import run_pytest
from tests.scenario.transcripts import GOOD, check_error, error_in, session_of

if TYPE_CHECKING:
    from pathlib import Path

IEX = "$ iex --sname a@localhost\niex(a@localhost)1> 1 + 1\n2\n"
NOWHERE = IEX.replace("localhost", "nowhere-at-all")


@pytest.fixture
def no_elixir(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without Elixir."""
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.fixture
def elixir() -> None:
    """A host with Elixir."""
    if any(shutil.which(tool) is None for tool in ("iex", "erl", "epmd")):
        pytest.skip("Elixir is not installed")


class TestSkips:
    @pytest.mark.usefixtures("no_elixir")
    def test_reason_is_the_missing_program(self) -> None:
        assert why_not_here(session_of(IEX)) == "iex is not installed"
        assert why_not_here(session_of(GOOD)) == ""

    @pytest.mark.usefixtures("elixir")
    def test_reason_is_a_host_that_is_another_one(self) -> None:
        assert "nowhere-at-all is not a name of this host" in why_not_here(session_of(NOWHERE))
        assert why_not_here(session_of(IEX)) == ""

    @pytest.mark.usefixtures("no_elixir")
    def test_skipped_files_are_counted_with_the_reason(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "elixir.pyxt").write_text(IEX)
        (folder / "good.pyxt").write_text(GOOD)
        assert main(["elixir.pyxt", "good.pyxt", "-v", "--junit", "out.xml"]) == 0
        out = capsys.readouterr().out
        assert "skip elixir.pyxt  0 steps, 0.00 s, skipped: iex is not installed\n" in out
        assert "1 passed, 1 skipped (iex is not installed): 2 steps" in out
        (skipped,) = ET.parse("out.xml").iter("skipped")
        assert skipped.get("message") == "iex is not installed"

    @pytest.mark.usefixtures("no_elixir")
    def test_other_sessions_of_a_page_are_played(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "page.md").write_text(
            f"# A\n\n```pyx\n{IEX.replace('localhost', 'vm')}```\n\n# B\n\n```pyx\n{GOOD}```\n"
        )
        assert main(["page.md"]) == 0
        assert "1 passed, sessions of 1 skipped (iex is not installed): 2 steps" in capsys.readouterr().out

    def test_pytest_skips_with_the_reason(self, folder: Path) -> None:
        (folder / "elixir.pyxt").write_text(NOWHERE)
        environment = {**os.environ, "PATH": "/nowhere"}
        done = run_pytest(folder, "-rs", "elixir.pyxt", environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 skipped" in done.stdout
        assert "iex is not installed" in done.stdout


@pytest.mark.usefixtures("elixir")
class TestPlaying:
    def play(self, folder: Path, text: str) -> str:
        (folder / "t.pyxt").write_text(text)
        return Replay(ReplayOptions()).play("t.pyxt").text

    def test_both_shells_meet_and_agree_on_names(self, folder: Path) -> None:
        assert not self.play(
            folder,
            """\
$ iex --sname a@localhost
Erlang/OTP 25 [erts-13.1.5] [source] [64-bit]

Interactive Elixir (1.14.0) - press Ctrl+C to exit (type h() ENTER for help)
$ pyx --sname gus@localhost --beam
[..]

pyx(gus@localhost)1> Process.register(self(), "stock")
True
iex(a@localhost)1> send({:stock, :gus@localhost}, {self(), make_ref()})
{#PID<0.7.0>, #Reference<0.1.2.3>}
pyx(gus@localhost)2> m = receive(timeout=60); m
(#PID<1.7.0>, #Ref<1.1.2.3>)
iex(a@localhost)2> send({:stock, :gus@localhost}, pid("0.7.0")) == self()
true
iex(a@localhost)3> {:a,
...(a@localhost)3>  1}
{:a, 1}
iex(a@localhost)4> raise "no"
** (RuntimeError) no
iex(a@localhost)4> :rpc.call(:gus@localhost, :math, :nope, []) |> elem(0)  # eventually
:badrpc
iex(a@localhost)5> receive do :go -> :gone end  # blocks
pyx(gus@localhost)3> send(m[0], Atom("go"))
:go
iex(a@localhost)6>
:gone
iex(a@localhost)6> spawn(fn -> raise "x" end); Process.sleep(100)
12:00:00.000 [error] Process #PID<0.8.0> on node :a@localhost raised an exception
** (RuntimeError) x
...
:ok
$ stop a
pyx(gus@localhost)4> Node.list("connected")  # eventually
[]
""",
        )

    def test_differences_are_reported_with_the_prompt_and_the_line(self, folder: Path) -> None:
        report = self.play(folder, IEX.replace("\n2\n", "\n3\n"))
        assert report.startswith("FAIL t.pyxt:2  a@localhost: the output differs")
        assert "    iex(a@localhost)1> 1 + 1\n  - 3\n  + 2\n" in report

    def test_input_that_is_not_whole_does_not_end(self, folder: Path) -> None:
        report = self.play(folder, "$ iex --sname a@localhost\n$ timeout 500ms\niex(a@localhost)1> {1,\n")
        assert "the input did not end within 0.5 s" in report

    def test_home_of_the_user_is_not_touched(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(folder / "nowhere"))
        assert not self.play(folder, IEX)
        assert not (folder / "nowhere").exists()

    def test_killed_iex_is_gone_with_its_whole_group(self, folder: Path) -> None:
        killed = "$ kill -9 a\niex(a@localhost)2> 1\n"
        assert "the node is not running: it was killed (line 4)" in self.play(folder, IEX + killed)


class TestEpmd:
    def test_epmd_is_told_to_the_nodes_and_ends(self, folder: Path) -> None:
        sandbox = Sandbox(folder)
        assert "ERL_EPMD_PORT" not in sandbox.environment()
        epmd = SandboxEpmd(sandbox)
        assert sandbox.environment()["ERL_EPMD_PORT"] == str(sandbox.epmd_port)
        epmd.close()
        sandbox.remove()

    def test_iex_listens_on_loopback(self) -> None:
        assert iex_environment({"HOME": "/x"})["ERL_AFLAGS"].endswith("inet_dist_use_interface {127,0,0,1}")


class TestParsing:
    @pytest.mark.parametrize(
        ("text", "line", "column", "problem", "hint"),
        [
            ("$ iex\n", 1, 6, "iex needs a name", "iex --sname X"),
            ("$ iex --sname a --beam\n", 1, 17, "unknown option '--beam' of iex in a scenario", None),
            ("$ iex --sname a\npyx(a@vm)1> 1\n", 2, 1, "a@vm was started as iex", "iex(a@vm)1>"),
            ("$ pyx --sname a\niex(a@vm)1> 1\n", 2, 1, "a@vm was started as pyx", "pyx(a@vm)1>"),
            ("$ pyx --sname other\niex(a@vm)1> 1\n", 2, 5, "a@vm has not been started", None),
            ("$ iex --sname a\niex(1)> 1\n", 2, 5, "a shell without a name has not been", "$ iex --sname X"),
            ("$ iex --sname a\niex(a@vm) 1\n", 2, 1, "this is not a valid prompt", "iex(name@host)3>"),
            (
                "$ iex --sname a\n$ kill -INT a@vm\niex(a@vm)1> 1\n",
                2,
                13,
                "$ kill -INT is for nodes of pyx",
                None,
            ),
            (
                "$ iex --sname a\n$ pyx --sname b\n$ partition a@vm | b@vm\niex(a@vm)1> 1\n",
                3,
                3,
                "$ partition is for nodes of pyx",
                None,
            ),
            ("$ iex --sname a\niex(b@vm via a@vm)1> 1\n", 2, 1, "a remote shell is one of pyx", None),
        ],
    )
    def test_wrong_transcript_is_told_with_its_place(
        self, text: str, line: int, column: int, problem: str, hint: str | None
    ) -> None:
        check_error(error_in(text), line, column, problem, hint)

    def test_code_of_elixir_is_not_judged_as_python(self) -> None:
        step = session_of('$ iex --sname a\niex(a@vm)1> send(self(), "#{1}")  # eventually 2s\n').steps[1]
        assert getattr(step, "code", "") == 'send(self(), "#{1}")'
