"""doctor_cli.py, local_facts.py, host_nodes.py, node_inquiry.py, node_conversation.py: `pyx doctor` beside
real nodes, and where nothing is as it should be.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pyx
from pyx.doctor.doctor_cli import _Look, examined
from pyx.errors import NodeNameInvalid
from pyx.wire.epmd import NodeEntry
from tests.local_nodes import COOKIE, HANG, LocalNodes, start_node
from tests.ports import free_port

if TYPE_CHECKING:
    from pyx.doctor.finding import Finding


@pytest.fixture(autouse=True)
def _this_host_is_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for limit in ("doctor_cli._SECONDS", "host_nodes._ANSWER_SECONDS", "node_inquiry._STEP_SECONDS"):
        monkeypatch.setattr(f"pyx.doctor.{limit}", HANG)
    monkeypatch.setattr("socket.gethostname", lambda: "test")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def cookie_file(tmp_path: Path) -> str:
    file = tmp_path / "cookie"
    file.write_text(COOKIE)
    file.chmod(0o400)
    return str(file)


def lines_of(words: list[str]) -> tuple[list[str], int]:
    """The lines of a report, with single spaces, and the exit code."""
    text, code = examined(words)
    return [" ".join(line.split()) for line in text.splitlines()], code


class TestNode:
    def test_node_of_this_host_answers_to_the_end(self, nodes: LocalNodes, cookie_file: str) -> None:
        nodes.start("gus")
        lines, code = lines_of(["gus", "--cookie-file", cookie_file])
        assert code == 0, lines
        assert lines[0].startswith("ok found gus@test: it runs on this host")
        assert lines[2] == "ok cookie gus@test: both nodes have proven the same cookie"
        assert lines[3].endswith("ms there and back")
        assert lines[4].startswith(f"ok version gus@test: pyx {pyx.__version__} on Python ")
        assert lines[5] == "ok clock gus@test: its clock agrees with this host's"

    def test_node_with_exported_functions_alone(self, nodes: LocalNodes, cookie_file: str) -> None:
        nodes.start("gus", rpc="exported")
        lines, code = lines_of(["gus@test", "--cookie-file", cookie_file])
        assert code == 0, lines
        assert lines[-1].endswith("runs no code for peers (--rpc exported)")

    def test_node_of_other_hosts_is_asked_over_tls(self, nodes: LocalNodes, cookie_file: str) -> None:
        port = free_port()
        start_node(nodes.make(), "lon@127.0.0.1", long=True, port=port)
        lines, code = lines_of(["lon@127.0.0.1", "--port", str(port), "--cookie-file", cookie_file])
        assert code == 0, lines
        assert lines[0] == f"ok found lon@127.0.0.1: 127.0.0.1; port {port} is that of all nodes"

    def test_wrong_cookie_is_where_the_way_ends(self, nodes: LocalNodes, tmp_path: Path) -> None:
        nodes.start("gus")
        other = tmp_path / "other"
        other.write_text("pyx1-" + "1" * 43)
        other.chmod(0o400)
        lines, code = lines_of(["gus", "--cookie-file", str(other)])
        assert code == 1
        assert lines[-1].startswith("failed cookie gus@test: the cookie of gus@test differs from ours")
        lines, code = lines_of(["gus"])
        assert "there is no cookie here yet" in lines[-1]
        assert not (tmp_path / ".pyx.cookie").exists()

    @pytest.mark.parametrize(
        ("name", "words"),
        [("zoe", "no node of that name runs on this host"), ("zoe@other", "its host is not this one (test)")],
    )
    def test_node_that_is_not_found(self, name: str, words: str) -> None:
        lines, code = lines_of([name])
        assert code == 1
        assert lines[0].startswith("failed found ")
        assert words in lines[0]

    def test_erlang_node_of_this_host_is_named_as_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def known(name: str, host: str) -> NodeEntry:
            return NodeEntry(name, 39893)

        monkeypatch.setattr("pyx.net.epmd_client.look_up", known)
        lines, code = lines_of(["iex"])
        assert code == 1
        found = "it is an Erlang node, at port 39893 (mend: start your node with --beam to reach it)"
        assert lines == [f"failed found iex@test: {found}"]

    def test_port_on_which_nothing_listens(self) -> None:
        lines, code = lines_of(["zoe@127.0.0.1", "--port", str(free_port())])
        assert code == 1
        assert "Connection refused (mend: is it running" in lines[1]

    @pytest.mark.parametrize("name", ["z oe", ""])
    def test_text_that_is_not_a_name_is_refused(self, name: str) -> None:
        with pytest.raises(NodeNameInvalid):
            examined([name])


class TestHost:
    def test_running_nodes_say_their_protocol(self, nodes: LocalNodes, tmp_path: Path) -> None:
        nodes.start("gus")
        nodes.start("ann")
        lines, _ = lines_of(["-S", str(tmp_path)])
        protocol = next(line for line in lines if line.startswith("ok python")).split("protocol ")[1][0]
        for name in ("ann", "gus"):
            assert f"ok nodes {name}@test (pid {os.getpid()}) speaks protocol {protocol}" in lines

    def test_nothing_is_made_where_nothing_is(self, tmp_path: Path) -> None:
        """Without a home, a directory, a terminal, streams and settings: a report, and no file."""
        project = tmp_path / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text("[tool.pyx\n")
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": str(Path(pyx.__file__).parents[1]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(tmp_path / "gone"),
            "PYX_RUNTIME_DIR": str(tmp_path / "run"),
            "PYX_COOKIE_FILE": str(tmp_path / "secret"),
            "LC_ALL": "C",
        }
        done = subprocess.run(
            ["/bin/sh", "-c", f"exec {sys.executable} -m pyx doctor --json <&- 2>&1"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 1, done.stdout
        found = {(one["check"], one["level"]): one["text"] for one in json.loads(done.stdout)}
        assert "stdin is not a terminal" in found["terminal", "ok"]
        assert "is made at the first start" in found["directory", "ok"]
        assert "there is no " in found["cookie", "failed"]
        assert "is not TOML" in found["project", "failed"]
        assert {path.name for path in tmp_path.rglob("*")} == {"project", "pyproject.toml"}


class TestLook:
    def test_directory_of_a_project_must_be_there(self, tmp_path: Path) -> None:
        text, code = examined(["-S", str(tmp_path / "nope")])
        assert code == 1
        assert f"pyx does not start here: there is no directory {tmp_path}/nope\n" in text

    def test_part_that_hangs_costs_its_own_line(self) -> None:
        release = threading.Event()

        def hangs() -> list[Finding]:
            release.wait()
            return []

        try:
            (finding,) = _Look("history", hangs).found(time.monotonic())
        finally:
            release.set()
        assert (finding.check, finding.level) == ("history", "failed")
        assert "cannot be looked at in time" in finding.text

    def test_part_that_fails_costs_its_own_line(self) -> None:
        def fails() -> list[Finding]:
            raise RuntimeError("boom")

        (finding,) = _Look("epmd", fails).found(time.monotonic() + 30)
        assert finding.text == "it cannot be looked at: RuntimeError: boom"
