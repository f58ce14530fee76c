"""The frontend of `--driver IN,OUT`: a runner (`scenario`) drives the shell over two more file descriptors.

Messages are JSON objects, one a line.  The program's own stdin, stdout and stderr stay what they are.

    in    {"do": "eval", "id": 1, "code": "...", "typed": [...]}   an input; answered by a prompt
          {"do": "probe", "id": 2, "code": "..."}    the same, but `_`, `v` and the number stay as they were
          {"do": "interrupt", "id": 8}               Ctrl-C, once the running input waits
          {"do": "cut", "id": 3, "nodes": [...]}     nothing passes to or from these nodes
          {"do": "delay", "id": 4, "seconds": 0.02, "seed": 7}   delays frames by at most that long
          {"do": "settle", "id": 5, "nodes": [...]}  once its processes wait and these nodes have answered
          {"do": "dump", "id": 6}                    stacks, mailboxes and connections, as text
          {"do": "complete", "id": 7, "code": "No", "cursor": 2}   a `Completion`, as JSON
    out   {"is": "ready", "name": ..., "creation": ...}
          {"is": "out", "source": ..., "kind": ..., "text": ..., "incarnations": [[1, name, creation], ...]}
          {"is": "prompt", "id": 1, "text": "pyx(gus@vm)2> "}
          {"is": "done", "id": 3, "text": ...}
          {"is": "left", "code": 0}                  the last one, unless the node dies, or a signal ends it

`source` is `"eval"` (shown by the running evaluation itself), `"log"` (log, stderr, threads that are not a
process), or the pid of the process that printed; `kind` is `print`, or as in `Terminal.show`; `incarnations`
are the nodes that this one has numbered since the last message.  The end of `in` ends the node with its
process group, so nothing outlives its runner.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from pyx.execution import thread_state
from pyx.execution.console_writer import Pace
from pyx.nodes import Node
from pyx.printable import filter_foreign
from pyx.runtime.local_node import this_node
from pyx.shell import driver_requests
from pyx.shell.evaluate import ExitRequested
from pyx.shell.interception import InterceptedTerminal, interception
from pyx.shell.log_handler import log_shown
from pyx.shell.loop import TRANSCRIPT_COLUMNS, node_name, show_outcome
from pyx.shell.screen import ScreenStream
from pyx.shell.standard_streams import replaced
from pyx.shell.theme import NONE
from pyx.shell.tty import ScriptedStdin
from pyx.terms import incarnations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.shell_process import ShellProcess
    from pyx.shell.evaluate import Evaluator
    from pyx.shell.loop import Prompt, Terminal
    from pyx.shell.shell_options import Settings
    from pyx.shell.switched_completion import CompletionSource
    from pyx.terms import Pid

_LEAVING_SECONDS: Final = 2.0
"""Time for a node whose runner is gone to leave cleanly."""


class Channel:
    """The two descriptors: reads requests on a thread of its own, writes messages of any thread, in order."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._outgoing = outgoing
        self._queue: deque[bytes] = deque()
        self._writing = threading.Lock()
        self._incoming = incoming
        for descriptor in (incoming, outgoing):
            os.set_inheritable(descriptor, False)  # user code may start programs

    def listen(self, handle: Callable[[dict[str, Any]], None]) -> None:
        """Calls *handle* with every request, until the runner is gone: then this process ends."""
        threading.Thread(target=self._read, args=(handle,), name="pyx-driver", daemon=True).start()

    def _read(self, handle: Callable[[dict[str, Any]], None]) -> None:
        try:
            with os.fdopen(self._incoming, "rb") as incoming:
                for line in incoming:
                    handle(json.loads(line))
        except Exception:
            traceback.print_exc()
        finally:
            if os.getpgrp() == os.getpid():  # a runner starts it so: child processes of this node end too
                os.killpg(0, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(_LEAVING_SECONDS)
            os._exit(143)

    def send(self, what: str, **facts: object) -> None:
        """Sends a message; never raises."""
        self._queue.append(json.dumps({"is": what, **facts}).encode() + b"\n")
        # Try, drain, release, look again: nothing waits, so a finalizer that prints in here does no harm.
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
    """The runner as the shell's frontend, terminal and console, all in one.

    Args:
        incoming: the descriptor of requests.
        outgoing: the descriptor of messages.
    """

    is_interactive = True
    width = TRANSCRIPT_COLUMNS
    theme = NONE

    def __init__(self, incoming: int, outgoing: int) -> None:
        self.on_output_lost: Callable[[], object] = lambda: None
        self.pace = Pace()
        self._stdin = ScriptedStdin(sys.stdin)
        self._channel = Channel(incoming, outgoing)
        self._busy: int | None = None
        """The number of the input that came last, until its prompt."""
        self._inputs: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._running: int | None = None
        self._process: ShellProcess | None = None
        self._incarnations_sent: set[int] = set()
        this_node().hosts_are_one = True
        self._intercepted = InterceptedTerminal(self, shows_other_prompts=False)

    # ------------------------------------------------------------ frontend.Frontend

    @property
    def terminal(self) -> Terminal:
        """See `Frontend`."""
        return self._intercepted

    @property
    def console(self) -> Driver:
        """See `Frontend`."""
        return self

    def use(self, settings: Settings) -> None:
        """See `Frontend`; a transcript has no colours and no editor."""

    @contextlib.contextmanager
    def streams(self) -> Iterator[None]:
        """See `Frontend`."""
        faulthandler.register(signal.SIGQUIT, all_threads=True)  # for a node that cannot even answer `dump`
        stdout, stderr = ScreenStream(self, sys.stdout), ScreenStream(self, sys.stderr)
        with replaced(self._stdin, stdout, stderr), log_shown():
            yield

    def start_prompt(self, evaluator: Evaluator, process: ShellProcess, completion: CompletionSource) -> None:
        """See `Frontend`; from now on requests are taken."""
        self._evaluator = evaluator
        self._completion = completion
        self._process = process
        interception.has_prompt = True
        self._channel.send("ready", name=node_name() or "", creation=Node.info()["creation"] or 0)
        self._channel.listen(self._handle)

    def end_prompt(self, error: BaseException) -> bool:
        """See `Frontend`; a signal ends the wait for requests by itself."""
        del error
        return False

    def leave_prompt(self, error: BaseException) -> bool:
        """See `Frontend`."""
        self._inputs.put({"do": "leave", "error": error})
        return True

    def lent_terminal(self) -> contextlib.AbstractContextManager[None]:
        """See `Frontend`; there is no terminal."""
        return contextlib.nullcontext()

    def hurry(self) -> None:
        """See `Frontend`; a message is written at once."""

    def close(self) -> None:
        """See `Frontend`; nothing is queued."""

    def ended(self, code: int, *, by_signal: bool) -> None:
        """See `Frontend`; a runner expects the message only where its own input ended the node."""
        if not by_signal:
            self._channel.send("left", code=code)

    # ------------------------------------------------------------ loop.Terminal

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `loop.Terminal`; evaluates probes in here, as the loop must not count them."""
        while True:
            self._channel.send("prompt", id=self._running, text=prompt().first)
            if self._busy == self._running:
                self._busy = None
            self._running = None
            state = thread_state.thread.state
            state.waiting = True  # signals may raise here, as in any pyx wait
            try:
                request = self._inputs.get()
            finally:
                state.waiting = False
            if request["do"] == "leave":
                raise request["error"]
            self._running = request["id"]
            if request["do"] == "eval":
                self._stdin.set_lines(request.get("typed", ()))
                return str(request["code"])
            outcome = self._evaluator.run(request["code"], "<pyx eventually>", typed=True)
            assert self._process is not None
            self._process.finish_line()
            if isinstance(outcome, ExitRequested):
                raise SystemExit(outcome.code)
            show_outcome(self, outcome)

    def show(self, text: str, what: str) -> None:
        """See `loop.Terminal`."""
        self._out("eval" if self._running is not None else "log", what, text)

    # ------------------------------------------------------------ output.Console

    def write(self, text: str, *, frm: Pid | None = None) -> None:
        """See `execution.console_writer.Console`; text without *frm* is of the log, or of a thread."""
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

    def _handle(self, request: dict[str, Any]) -> None:
        text = ""
        match request["do"]:
            case "eval" | "probe":
                self._busy = request["id"]
                self._inputs.put(request)
                return
            case "interrupt":
                driver_requests.interrupt_when_waiting(lambda: self._busy is not None)
            case "cut":
                driver_requests.cut_off(request["nodes"])
            case "delay":
                driver_requests.delay_frames(request["seconds"], request["seed"])
            case "settle":
                driver_requests.settle(request["nodes"])
            case "dump":
                text = driver_requests.dump()
            case "complete":
                text = json.dumps(self._completion.complete(request["code"], request["cursor"]))
        self._channel.send("done", id=request["id"], text=text)
