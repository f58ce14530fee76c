"""The driver `--frames IN,OUT`: a shell whose person is a runner (`scenario`), on two more file descriptors.

JSON objects, one a line.  The program's own stdin, stdout and stderr stay what they are.

    in    {"do": "eval", "id": 1, "code": "...", "typed": [...]}   an input; answered by a prompt
          {"do": "probe", "id": 2, "code": "..."}    the same, but `_`, `v` and the number stay as they were
          {"do": "interrupt", "id": 8}               Ctrl-C, once what runs has come to rest
          {"do": "cut", "id": 3, "nodes": [...]}     nothing passes to or from these nodes
          {"do": "delay", "id": 4, "seconds": 0.02, "seed": 7}   links stand still at times, so long at most
          {"do": "settle", "id": 5, "nodes": [...]}  once its processes wait and these nodes have answered
          {"do": "dump", "id": 6}                    stacks, mailboxes and connections, as text
          {"do": "complete", "id": 7, "code": "No", "cursor": 2}   a `Completion`, as JSON
    out   {"is": "ready", "name": ..., "creation": ...}
          {"is": "out", "source": ..., "kind": ..., "text": ..., "incarnations": [[1, name, creation], ...]}
          {"is": "prompt", "id": 1, "text": "pyx(gus@vm)2> "}
          {"is": "done", "id": 3, "text": ...}
          {"is": "left", "code": 0}                  the last one, unless it dies, or a signal ends it

`source` is `"eval"` (what the running evaluation itself showed), `"log"` (log, stderr, threads that are no
process), or the pid of whoever printed; `kind` is `print`, or as in `Terminal.show`; `incarnations` are the
nodes that this one has numbered since the last frame.  The end of `in` ends the node with its process
group, so nothing outlives its runner.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from pyx.execution import thread_state
from pyx.execution.stacks import current_frames
from pyx.node import Node
from pyx.printable import filter_foreign
from pyx.process import Process
from pyx.runtime.local_node import this_node
from pyx.shell.app import App, LogHandler, Seat, completer, node_name
from pyx.shell.evaluate import Left
from pyx.shell.loop import Shell, show_outcome
from pyx.shell.runner_interrupt import interrupt_at_rest
from pyx.shell.screen import ScreenStream
from pyx.shell.scripted_stdin import ScriptedStdin
from pyx.terms import incarnations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.shell_process import ShellProcess
    from pyx.shell.app import ShellOptions
    from pyx.shell.completion import Completion
    from pyx.shell.evaluate import Evaluator
    from pyx.shell.loop import Prompt
    from pyx.shell.project import Project
    from pyx.terms import Pid

WIDTH: Final = 100
_LEAVING_SECONDS: Final = 2.0
"""So long a node whose runner is gone may take to leave cleanly."""
_IDLE_SECONDS: Final = 0.05
"""So long `settle` waits for processes that compute or sleep."""
_LOOK_AGAIN_SECONDS: Final = 0.002


class DrivenApp(App):
    """`App` with a runner in place of a person."""

    def __init__(self, options: ShellOptions) -> None:
        super().__init__(options)
        assert options.frames is not None
        self._channel = Channel(*options.frames)
        self._driver = Driver(self._channel)
        self._console = self._terminal = self._driver
        self._interactive = True
        self._person = False
        this_node().hosts_are_one = True

    def run(self) -> int:
        """See `App`; the runner is told that the node leaves because its prompt was told to."""
        code = super().run()
        if not self._leaving.was_asked:
            self._channel.send("left", code=code)
        return code

    @contextlib.contextmanager
    def _streams(self) -> Iterator[None]:
        faulthandler.register(signal.SIGQUIT, all_threads=True)  # for a node that cannot even `dump`
        stdin, stdout, stderr = sys.stdin, sys.stdout, sys.stderr
        sys.stdin = self._driver.answers
        sys.stdout, sys.stderr = ScreenStream(self._driver, stdout), ScreenStream(self._driver, stderr)
        handler = LogHandler()
        logging.getLogger("pyx").addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger("pyx").removeHandler(handler)
            sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr

    def _converse(self, evaluator: Evaluator, process: ShellProcess, project: Project) -> int:
        self._driver.begin(evaluator, process, completer(evaluator, project))
        return Shell(self._driver, evaluator, Seat(process), node_name).run()


class Channel:
    """The two descriptors: requests come in on a thread of its own, frames go out from any, in order."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._outgoing = outgoing
        self._queue: deque[bytes] = deque()
        self._writing = threading.Lock()
        self._incoming = incoming
        for descriptor in (incoming, outgoing):
            os.set_inheritable(descriptor, False)  # user code may start programs

    def listen(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Hands every request to *take*, until the runner is gone: then this process ends."""
        threading.Thread(target=self._read, args=(take,), name="pyx-frames", daemon=True).start()

    def _read(self, take: Callable[[dict[str, Any]], None]) -> None:
        try:
            with os.fdopen(self._incoming, "rb") as incoming:
                for line in incoming:
                    take(json.loads(line))
        except Exception:
            traceback.print_exc()
        finally:
            if os.getpgrp() == os.getpid():  # as a runner has it: what this node has started ends too
                os.killpg(0, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(_LEAVING_SECONDS)
            os._exit(143)

    def send(self, what: str, **facts: object) -> None:
        """Sends a frame; never raises."""
        self._queue.append(json.dumps({"is": what, **facts}).encode() + b"\n")
        # Try, drain, release, look again: no waiting, so a finalizer that prints in here does no harm.
        while self._queue and self._writing.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._writing.release()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):  # the runner is gone; its other pipe says so too
            while self._queue:
                left = memoryview(self._queue.popleft())
                while left:
                    left = left[os.write(self._outgoing, left) :]


class Driver:
    """The runner as the shell's terminal, and as its console (`runtime.output.Console`)."""

    width = WIDTH
    colour = False

    def __init__(self, channel: Channel) -> None:
        self.answers = ScriptedStdin(sys.stdin)
        self._channel = channel
        self._busy: int | None = None
        """The number of the input that came last, until its prompt."""
        self._inputs: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._running: int | None = None
        self._process: ShellProcess | None = None
        self._incarnations_sent: set[int] = set()

    def begin(
        self, evaluator: Evaluator, process: ShellProcess, complete: Callable[[str, int], Completion]
    ) -> None:
        """The shell stands: from now on requests are taken."""
        self._evaluator = evaluator
        self._complete = complete
        self._process = process
        self._channel.send("ready", name=node_name() or "", creation=Node.info()["creation"] or 0)
        self._channel.listen(self._take)

    # ------------------------------------------------------------ loop.Terminal

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `loop.Terminal`; probes are evaluated in here, as the loop must not count them."""
        while True:
            self._channel.send("prompt", id=self._running, text=prompt().first)
            if self._busy == self._running:
                self._busy = None
            self._running = None
            state = thread_state.thread.state
            state.waiting = True  # signals may raise here, as in any pyx wait
            try:
                asked = self._inputs.get()
            finally:
                state.waiting = False
            self._running = asked["id"]
            if asked["do"] == "eval":
                self.answers.lay_out(asked.get("typed", ()))
                return str(asked["code"])
            outcome = self._evaluator.run(asked["code"], "<pyx eventually>", typed=True)
            assert self._process is not None
            self._process.finish_line()
            if isinstance(outcome, Left):
                raise SystemExit(outcome.code)
            show_outcome(self, outcome)

    def show(self, text: str, what: str) -> None:
        """See `loop.Terminal`."""
        self._out("eval" if self._running is not None else "log", what, text)

    # ------------------------------------------------------------ what processes print, what is logged

    def write(self, text: str, *, frm: Pid | None = None) -> None:
        """See `runtime.output.Console`; without *frm* it is of nobody in particular."""
        if frm is None:
            self._out("log", "print", text)
        elif self._running is not None and self._process is not None and frm == self._process.pid:
            self._out("eval", "print", text)
        else:
            self._out(str(frm), "print", text if frm.is_local else filter_foreign(text))

    def _out(self, source: str, kind: str, text: str) -> None:
        met = {
            number: incarnation
            for number, incarnation in incarnations().items()
            if number not in self._incarnations_sent
        }
        self._incarnations_sent.update(met)
        facts = [[number, *incarnation] for number, incarnation in met.items()]
        self._channel.send("out", source=source, kind=kind, text=text, incarnations=facts)

    # ------------------------------------------------------------ requests, on the channel's thread

    def _take(self, asked: dict[str, Any]) -> None:
        text = ""
        match asked["do"]:
            case "eval" | "probe":
                self._busy = asked["id"]
                self._inputs.put(asked)
                return
            case "interrupt":
                interrupt_at_rest(lambda: self._busy is not None)
            case "cut":
                _network().cut_off(frozenset(asked["nodes"]))
            case "delay":
                dice = random.Random(asked["seed"])  # noqa: S311 - to be repeated
                _network().delay_frames(lambda: dice.uniform(0.0, asked["seconds"]))
            case "settle":
                _settle(asked["nodes"])
            case "dump":
                text = _dump()
            case "complete":
                text = json.dumps(self._complete(asked["code"], asked["cursor"]))
        self._channel.send("done", id=asked["id"], text=text)


def _network() -> Any:
    """The transport, where a network may be made bad; a node without a name has none."""
    transport = this_node().transport
    assert transport is not None, "a node without a name has no connections"
    return transport


def _settle(nodes: list[str]) -> None:
    """Waits until processes are idle (or computing for long), and everything sent before now has arrived."""
    _idle()
    here = this_node()
    with here.kernel_call as kernel:
        concerned = {*kernel.nodes(("connected",)), *kernel.being_dialled()}
    for name in nodes:
        if name in concerned:
            Node.ping(name)
    _idle()


def _idle() -> None:
    deadline = time.monotonic() + _IDLE_SECONDS
    while _is_busy() and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)


def _is_busy() -> bool:
    facts = [Process.info(pid, ["status", "kind"]) for pid in Process.list()]
    return any(one is not None and one["kind"] != "shell" and one["status"] != "waiting" for one in facts)


def _dump() -> str:
    """Stacks of all threads, mailboxes of all processes, connections."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines = [f"nodes: {', '.join(Node.list('connected')) or 'none'}"]
    for pid in Process.list():
        facts = Process.info(pid, ["registered_name", "kind", "current_function", "status", "messages"])
        if facts is not None:
            lines.append(f"{pid} " + ", ".join(f"{key}: {value!r}" for key, value in facts.items()))
    for ident, frame in current_frames().items():
        if ident != threading.get_ident():
            lines.append(f"thread {names.get(ident, ident)}:")
            lines += [line.rstrip() for line in traceback.format_stack(frame)]
    return "\n".join(lines)
