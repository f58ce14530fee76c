"""Real Erlang and Elixir nodes, and an EPMD of their own, for tests of the second dialect.

    with real_nodes() as real:
        a = real.iex("a")                     # an `iex --sname a`, or the test is skipped
        assert a.ask(":erlang.node()") == ":a@vm"
        o = real.erl("o", release=28)         # an `erl -sname o`, by its expressions
        assert o.ask("1 + 1.") == "2"

All of them listen on 127.0.0.1 alone, and know each other by the EPMD of `real`, on port `real.epmd_port`.
OTP 28 is looked for in the directory $PYX_OTP28 (`tests/README.md` has more).
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pyx import Node
from tests.local_nodes import as_process, until
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode

COOKIE: Final = "ck"

HANG: Final = 60.0
"""The limit of a wait in seconds, reached by failing tests alone: a start takes seconds on a busy host."""

QUIET: Final = 1.0
"""The answer to an input that has ended its shell is over when the output ends with a prompt and nothing more
comes for this many seconds."""

_PROMPT: Final = re.compile(r"(?:iex|\.\.\.)\([^()\n]*\)\d+> ")
_LAST_PROMPT: Final = re.compile(_PROMPT.pattern + r"\Z")
_ENDED: Final = re.compile(r"\*\* \(EXIT from (?s:.*)" + _LAST_PROMPT.pattern)
_MARK: Final = re.compile(r'"<done \d+>"\n?')
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_RELEASE: Final = 'io:format("~s",[erlang:system_info(otp_release)]),halt().'

_LOOP: Final = """
    F = fun F() ->
        case io:get_line('') of
            eof -> halt();
            Line ->
                Answer = try
                    {ok, Tokens, _} = erl_scan:string(Line),
                    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
                    {value, Value, _} = erl_eval:exprs(Expressions, erl_eval:new_bindings()),
                    Value
                catch Class:Reason -> {Class, Reason} end,
                io:format("~0tp~n<done>~n", [Answer]),
                F()
        end
    end, io:setopts([{encoding, unicode}]), F().
"""
"""Reads an expression a line, and prints its value, and `<done>`."""


@functools.cache
def installed_release(erl: str) -> int:
    """The OTP release of an `erl`; 0 where there is none that runs."""
    try:
        done = subprocess.run(
            [erl, "-noshell", "-eval", _RELEASE], capture_output=True, text=True, timeout=HANG, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return int(done.stdout) if done.stdout.isdigit() else 0


def erl_command(release: int | None = None) -> str:
    """The path of an `erl`, of that release if one is named; skips the test where there is none."""
    if release == 28 and (directory := os.environ.get("PYX_OTP28")):
        erl = str(Path(directory, "bin", "erl"))
        if installed_release(erl) == 28:
            return erl
    found = shutil.which("erl")
    if found is None:
        pytest.skip("Erlang is not installed")
    if release is not None and installed_release(found) != release:
        pytest.skip(f"Erlang/OTP {release} is not here (tests/README.md, Erlang nodes)")
    return found


def require_iex() -> str:
    """The path of `iex`; skips the test where there is none."""
    found = shutil.which("iex")
    if found is None or shutil.which("erl") is None:
        pytest.skip("Elixir is not installed")
    return found


class RealNode:
    """An OS process of a BEAM whose shell is a pipe; `name` is its full name, `output` what it printed."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.output = ""
        self._unread = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a read may end inside a character
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # a shell script: its whole group is ended
        )

    @property
    def pid(self) -> int:
        """The number of the OS process that was started; the BEAM is it, or a child of it."""
        return self._process.pid

    def write(self, line: str) -> None:
        """Types a line, and waits for nothing."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def read_more(self, seconds: float) -> bool:
        """Reads what is printed within that time; False if nothing was."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], max(seconds, 0))
        data = os.read(descriptor, 65536) if ready else b""
        if ready and not data:
            raise AssertionError(f"{self.name} has ended:\n{self.output}")
        self.output += _COLOUR.sub("", self._decoder.decode(data))
        return bool(data)

    def wait_for(self, text: str) -> str:
        """Waits until *text* is printed, after what was read before; returns all up to its end."""
        deadline = time.monotonic() + HANG
        while (at := self.output.find(text, self._unread)) < 0:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} did not print {text!r}:\n{self.output[self._unread :]}")
            self.read_more(deadline - time.monotonic())
        start, self._unread = self._unread, at + len(text)
        return self.output[start : self._unread]

    def signal(self, number: int) -> None:
        """Sends a signal to the node's whole group of OS processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Ends the node at once, as a crash of its host would."""
        self.signal(signal.SIGKILL)
        self._process.wait(HANG)

    def close(self) -> None:
        """Ends the node, if it has not ended, and frees its pipes."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class IexNode(RealNode):
    """`iex --sname`: `ask` types an input and returns what it prints, up to the next prompt."""

    _asked = 0

    def start(self) -> None:
        """Waits for the first prompt."""
        self.ask("")

    def ask(self, line: str) -> str:
        """Types a whole input; returns what is printed until the next prompt, without any prompt.

        A second input, whose value shows that the answer to the first is over, follows at once.  A prompt
        alone does not show it, as a line of the log is printed above a prompt that is drawn again.
        """
        while self.read_more(0):
            pass  # log lines since the last answer stay in `output`
        self._unread = len(self.output)
        self._asked += 1
        mark = f'"<done {self._asked}>"'
        self.write(f"{line}\n{mark}")
        deadline = time.monotonic() + HANG
        while (end := self.output.find(f"{mark}\n", self._unread)) < 0 or not self._shows_prompt(end):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} shows no prompt:\n{self.output[self._unread :]}")
            if not self.read_more(QUIET) and _ENDED.search(self.output, self._unread):
                end = len(self.output)
                break
        start, self._unread = self._unread, len(self.output)
        return _MARK.sub("", _PROMPT.sub("", self.output[start:end])).strip("\n")

    def _shows_prompt(self, start: int) -> bool:
        return _LAST_PROMPT.search(self.output, start) is not None


class ErlNode(RealNode):
    """`erl -sname`: `ask` evaluates an expression of Erlang, which ends with a full stop."""

    def start(self) -> None:
        """Waits until it evaluates expressions."""
        assert self.ask("ready.") == "ready"

    def ask(self, expression: str) -> str:
        """Evaluates an expression in one line; returns its value, as `~0tp` writes it."""
        self.write(expression)
        return self.wait_for("\n<done>\n").removesuffix("\n<done>\n")


class RealNodes:
    """The nodes of one test, and their EPMD."""

    def __init__(self, home: str, epmd_port: int) -> None:
        self.home = home
        self.epmd_port = epmd_port
        self._nodes: list[RealNode] = []

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a node, of pyx too, finds this EPMD and listens on 127.0.0.1 alone."""
        return {
            **os.environ,
            "HOME": self.home,
            "TERM": "dumb",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_AFLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "LC_ALL": "C.UTF-8",
        }

    def iex(self, name: str, *options: str, cookie: str = COOKIE) -> IexNode:
        """Starts `iex --sname NAME`, and waits for its prompt."""
        node = IexNode(name, [require_iex(), "--sname", name, "--cookie", cookie, *options], self.environment)
        self._nodes.append(node)
        node.start()
        node.name = node.ask("IO.puts(node())").partition("\n")[0]
        return node

    def erl(self, name: str, *options: str, cookie: str = COOKIE, release: int | None = None) -> ErlNode:
        """Starts `erl -sname NAME` of that release, and waits until it evaluates expressions."""
        loop = " ".join(_LOOP.split())
        command = [
            erl_command(release),
            "-sname",
            name,
            "-setcookie",
            cookie,
            "-noshell",
            *options,
            "-eval",
            loop,
        ]
        node = ErlNode(name, command, self.environment)
        self._nodes.append(node)
        node.start()
        node.name = node.ask("node().").strip("'")
        return node

    def close(self) -> None:
        """Ends all nodes."""
        for node in self._nodes:
            node.close()


def cookie_file(real: RealNodes) -> str:
    """The file of the cookie that the real nodes have."""
    file = Path(real.home, "erlang")
    file.write_text(COOKIE)
    file.chmod(0o600)
    return str(file)


def disconnect(node: LocalNode, a: IexNode) -> None:
    """Has iex give up its connection with *node*, which it calls `gus`, and waits until both know."""
    assert a.ask("Node.disconnect(gus)") == "true"
    until(lambda: not as_process(node, lambda: Node.list("connected")))


def forget(a: IexNode) -> None:
    """Ends the connection with the pyx node that iex calls `gus`, and empties the mailbox of the shell.

    The `nodedown` comes behind all else that the end of a connection tells the shell; `pg`, which is told
    too, has taken note when it answers.
    """
    assert a.ask("Node.ping(gus)") == ":pong"  # a connection that is just made could not be ended
    a.ask("Node.monitor(gus, true); Node.disconnect(gus); receive do {:nodedown, ^gus} -> :ok end")
    a.ask("Process.whereis(:pg) && :sys.get_state(:pg); flush()")


@contextlib.contextmanager
def real_nodes() -> Iterator[RealNodes]:
    """An EPMD on a port of its own, and nodes that know it; all of them end with the block.

    The test is skipped where Erlang is not installed.
    """
    erl_command()
    epmd = shutil.which("epmd")
    if epmd is None:
        pytest.skip("Erlang's epmd is not on the PATH")
    home = tempfile.mkdtemp(prefix="pyx-beam-", dir="/tmp")
    port = free_port()
    nodes = RealNodes(home, port)
    daemon = subprocess.Popen(
        [epmd, "-port", str(port), "-address", "127.0.0.1"],
        env=nodes.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_port(port)
        yield nodes
    finally:
        nodes.close()
        daemon.kill()
        daemon.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + HANG
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=HANG).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # another OS process is awaited, and which does not tell
        else:
            return
