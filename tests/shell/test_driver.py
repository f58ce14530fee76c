"""driver.py, driver_requests.py: A shell driven over two pipes: requests go in, messages come out."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from tests.blocked import until_blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HANG = 120.0


class Driven:
    """A `pyx --driver`, and the runner's ends of its pipes."""

    def __init__(self, name: str, environment: dict[str, str], folder: Path) -> None:
        child_reads, self._requests = os.pipe()
        self._messages, child_writes = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pyx", "--sname", name, "--driver", f"{child_reads},{child_writes}"],
            pass_fds=(child_reads, child_writes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=folder,
        )
        os.close(child_reads)
        os.close(child_writes)
        self._rest = b""
        self._number = 0
        self.ready = self.next()

    def next(self) -> dict[str, Any]:
        """Returns the next message."""
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._messages], [], [], HANG)
            assert ready, "no message came"
            data = os.read(self._messages, 65536)
            assert data, "the pipe was closed"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def ask(self, do: str, **facts: object) -> list[dict[str, Any]]:
        """Sends a request; returns the messages up to its answer, which is the last."""
        self._number += 1
        os.write(self._requests, json.dumps({"do": do, "id": self._number, **facts}).encode() + b"\n")
        return self.until(lambda message: message.get("id") == self._number)

    def until(self, is_last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        frames = [self.next()]
        while not is_last(frames[-1]):
            frames.append(self.next())
        return frames

    def type(self, code: str, do: str = "eval") -> list[tuple[str, str, str]]:
        """Types an input; returns its output as (source, kind, text)."""
        *shown, prompt = self.ask(do, code=code)
        self.prompt = prompt["text"]
        return [
            (message["source"], message["kind"], message["text"])
            for message in shown
            if message["is"] == "out"
        ]

    def leave(self) -> int:
        """Closes the pipe, as if the runner were gone; returns the exit code."""
        with contextlib.suppress(OSError):
            os.close(self._requests)
        return self.process.wait(HANG)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        with contextlib.suppress(OSError):
            os.close(self._requests)
        os.close(self._messages)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Driven]]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYX_", "XDG_"))}
    environment = {**kept, "HOME": str(tmp_path), "PYX_RUNTIME_DIR": str(tmp_path / "run"), "COLUMNS": "40"}
    nodes: list[Driven] = []

    def begin(name: str) -> Driven:
        nodes.append(Driven(name, environment, tmp_path))
        return nodes[-1]

    yield begin
    for node in nodes:
        node.close()


@pytest.fixture
def node(start: Callable[[str], Driven]) -> Driven:
    return start("gus@vm")


class TestInputs:
    def test_driver_sends_its_name_and_a_prompt(self, node: Driven) -> None:
        assert node.ready["is"] == "ready"
        assert node.ready["name"] == "gus@vm"
        assert node.ready["creation"] > 0
        assert node.next() == {"is": "prompt", "id": None, "text": "pyx(gus@vm)1> "}

    def test_output_of_an_evaluation_comes_before_its_prompt(self, node: Driven) -> None:
        assert node.type("print('a'); print('b'); 1 + 1") == [
            ("eval", "print", "a\n"),
            ("eval", "print", "b\n"),
            ("eval", "echo", "2\n"),
        ]
        assert node.prompt == "pyx(gus@vm)2> "
        assert node.type("1 / 0") == [("eval", "error", "ZeroDivisionError: division by zero\n")]
        assert node.prompt == "pyx(gus@vm)2> "

    def test_values_have_100_columns_and_no_colour(self, node: Driven) -> None:
        ((_, _, text),) = node.type("['x' * 20] * 5")
        assert "\x1b" not in text
        assert len(text.split("\n")[0]) > 80

    def test_processes_and_the_log_are_sources_of_their_own(self, node: Driven) -> None:
        pid = next(text for _, kind, text in node.type("spawn(print, 'hello')") if kind == "echo").strip()
        (_, (source, kind, text), *_) = [
            ("", "", ""),
            *node.type("import time; time.sleep(0.1)"),
            ("", "", ""),
        ]
        if source:  # else it came with the echo
            assert (source, kind, text) == (pid, "print", "hello\n")
        assert ("log", "print", "to stderr\n") in node.type("import sys; print('to stderr', file=sys.stderr)")

    def test_probe_leaves_results_and_number_unchanged(self, node: Driven) -> None:
        node.type("'kept'")
        assert node.type("'other'", do="probe") == [("eval", "echo", "'other'\n")]
        assert node.prompt == "pyx(gus@vm)2> "
        assert node.type("_") == [("eval", "echo", "'kept'\n")]

    def test_stdout_of_the_process_is_not_redirected(self, node: Driven) -> None:
        node.type("import os; os.write(1, b'raw')")
        node.leave()
        assert node.process.stdout is not None
        assert node.process.stdout.read() == b"raw"


class TestOtherNodes:
    def test_numbered_incarnations_are_sent_once(self, start: Callable[[str], Driven]) -> None:
        gus, bob = start("gus@vm"), start("bob@vm")
        shown = gus.ask("eval", code="Node.ping('bob'); rpc.call('bob', 'pyx', 'self')")
        (out,) = [message for message in shown if message["is"] == "out"]
        assert out["incarnations"] == [[1, "bob@vm", bob.ready["creation"]]]
        (again,) = [message for message in gus.ask("eval", code="_") if message["is"] == "out"]
        assert again["incarnations"] == []

    def test_cut_holds_messages_back_until_it_ends(self, start: Callable[[str], Driven]) -> None:
        gus, bob = start("gus@vm"), start("bob@vm")
        gus.type("Node.connect('bob')")
        bob.type("Process.register(self(), 'shell')")
        assert gus.ask("cut", nodes=["bob@vm"])[-1]["is"] == "done"
        assert bob.ask("cut", nodes=["gus@vm"])[-1]["is"] == "done"
        gus.type("send(('shell', 'bob'), 'held')")
        assert bob.type("receive(timeout=0.1)")[0][1] == "error"
        gus.ask("cut", nodes=[])
        bob.ask("cut", nodes=[])
        assert bob.type("receive(timeout=60)") == [("eval", "echo", "'held'\n")]

    def test_delayed_frames_stay_in_order(self, start: Callable[[str], Driven]) -> None:
        gus, bob = start("gus@vm"), start("bob@vm")
        bob.type("Process.register(self(), 'shell')")
        bob.ask("delay", seconds=0.01, seed=1)
        gus.type("for n in range(200): send(('shell', 'bob'), n)\n")
        assert bob.type("[receive(timeout=60) for _ in range(200)] == list(range(200))")[-1][2] == "True\n"

    def test_settle_waits_until_what_was_sent_has_arrived(self, start: Callable[[str], Driven]) -> None:
        gus, bob = start("gus@vm"), start("bob@vm")
        bob.type("Process.register(self(), 'shell')")
        gus.type("send(('shell', 'bob'), 'hello')")
        gus.ask("settle", nodes=["bob@vm"])
        assert bob.type("receive(timeout=0)")[-1][2] == "'hello'\n"


def test_only_the_driver_makes_the_network_bad() -> None:
    callers = {
        path.name
        for path in Path(pyx.__file__).parent.rglob("*.py")
        if re.search(r"\.(cut_off|delay_frames)\(", path.read_text())
    }
    assert callers == {"driver.py", "driver_requests.py"}


class TestTheEnd:
    def test_dump_shows_mailboxes_and_threads(self, node: Driven) -> None:
        node.type("waiting = spawn(receive, int)")
        node.type("send(waiting, 'stray')")
        text = node.ask("dump")[-1]["text"]
        assert "messages: ['stray']" in text
        assert "thread MainThread:" in text

    def test_node_ends_when_the_runner_is_gone(self, node: Driven) -> None:
        node.type("1")
        assert node.leave() == 143

    def test_node_ends_during_an_evaluation_when_the_runner_is_gone(self, node: Driven) -> None:
        node.next()
        os.write(node._requests, b'{"do": "eval", "id": 1, "code": "while True: pass"}\n')
        assert node.leave() == 143

    def test_exit_at_the_prompt_ends_the_node_with_its_code(self, node: Driven) -> None:
        node.next()
        os.write(node._requests, b'{"do": "eval", "id": 1, "code": "exit(7)"}\n')
        assert node.process.wait(HANG) == 7

    def test_sigint_interrupts_an_evaluation(self, node: Driven) -> None:
        node.next()
        os.write(node._requests, b'{"do": "eval", "id": 1, "code": "print(1, flush=True); receive()"}\n')
        assert node.next()["text"] == "1\n"
        until_blocked(node.process.pid)
        node.process.send_signal(signal.SIGINT)
        *shown, _ = node.until(lambda message: message["is"] == "prompt")
        assert [message["text"] for message in shown] == ["KeyboardInterrupt\n"]
