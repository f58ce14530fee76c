"""A remote shell as the shell that asks for it sees it: its inputs go there, answers and news come back.

A process of this node, the *relay*, starts the session on the other node (`remote_session.py` has their
messages), monitors it and takes its answers, so the mailbox of the asking shell is not touched.  The shell's
process is the group leader of all that runs there.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.errors import NoConnection, PyxError
from pyx.execution.context import current
from pyx.execution.runner import sleep
from pyx.execution.slots import LockSlot
from pyx.nodes import Node
from pyx.primitives import receive, send, spawn
from pyx.primitives import self as own_pid
from pyx.shell.call_signature import CallSignature
from pyx.shell.completion import Completion
from pyx.shell.pyx_calls import call_pyx
from pyx.shell.remote_questions import RemoteQuestions
from pyx.terms import Raised

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.terms import Pid

SILENT_SECONDS: Final = 3.0
"""The time from Ctrl-C until a node that has said nothing is named to the user."""
_SESSION: Final = "pyx.shell.remote_session"
_ANSWER_SECONDS: Final = 10.0
"""The longest wait for a session to begin, after the node has answered."""


class RemoteAnswer(NamedTuple):
    """What an input came to: its kind, and the text to show (of a command its name and arguments)."""

    kind: str
    text: Any


class RemoteLost(Exception):
    """The node, or the session there, is gone; `args` holds the reason."""


class RemoteConnection:
    """One remote shell, seen from the shell that asks.

    Args:
        node: full name of the node to attach to.
        on_lost: called once, by the relay, with why the session is gone; not after `close`.
        on_job: called by the relay with a job that has ended: its number, the kind and text of its outcome.
        on_notice: called by the relay with a text to show.
    """

    def __init__(
        self,
        node: str,
        on_lost: Callable[[RemoteLost], object],
        on_job: Callable[[int, str, str], object],
        on_notice: Callable[[str], object],
    ) -> None:
        self.node = node
        self.next_statement = 1
        """The number of the next statement, as the prompt shows it."""
        self.lost: RemoteLost | None = None
        self._on_lost = on_lost
        self._on_job = on_job
        self._on_notice = on_notice
        self._session: Pid | None = None
        self._relay: Pid | None = None
        self._failure: BaseException | None = None
        self._events: deque[tuple[Any, ...]] = deque()
        self._slot = LockSlot()
        self._inputs = itertools.count(1)
        self._given_up: dict[int, int] = {}
        """The inputs that were left behind while the node was silent: number -> job."""
        self._handing_over = threading.Lock()
        """Held while an event goes to the waiting shell or to `on_job`, and while an input is given up."""
        self._completions = RemoteQuestions[Completion]()
        self._signatures = RemoteQuestions[CallSignature]()

    # ------------------------------------------------------------ on the shell's thread

    def open(self) -> None:
        """Starts the session.

        Raises:
            RpcRefused: the node's `--rpc` forbids it.
            RpcNoConnection: the node cannot be reached.
            RpcError: it cannot serve remote shells.
        """
        self._relay = spawn(self._run_relay)
        try:
            in_time = self._wait(2 * _ANSWER_SECONDS)
        except BaseException:
            self.close()
            raise
        if self._failure is not None:
            raise self._failure
        if self.lost is not None:
            raise NoConnection(self.node, str(self.lost))
        if not in_time:
            self.close()
            raise NoConnection(self.node, f"its remote shell did not begin within {_ANSWER_SECONDS:g} s")
        self._events.clear()

    def close(self) -> None:
        """Ends the session; what it has spawned there goes on."""
        if self._relay is not None:
            send(self._relay, ("close",))

    def evaluate(
        self, source: str, columns: int, on_still: Callable[[str | None], object], new_job: Callable[[], int]
    ) -> RemoteAnswer:
        """Has an input evaluated there, and waits for what it comes to.  Ctrl-C interrupts it.

        Args:
            source: the input.
            columns: of the terminal.
            on_still: called with the place where an interrupted evaluation is a second later; with None where
                the node has said nothing for `SILENT_SECONDS`: then another Ctrl-C leaves it behind at once.
            new_job: returns the number for an evaluation that a second Ctrl-C leaves behind.

        Raises:
            RemoteLost: the session is gone.
        """
        number = next(self._inputs)
        interrupts = job = 0
        awaits_word = is_silent = gives_up = False
        untold: deque[tuple[Any, ...]] = deque([("evaluate", number, source, columns)])
        while True:
            try:
                while untold:
                    # Ctrl-C may raise behind the send: the message is sent again, and counts once.
                    self._tell(*untold[0])
                    untold.popleft()
                if gives_up and self._give_up(number, job):
                    return RemoteAnswer("left", (job, f"{self.node} does not answer"))
                while not self._events and self.lost is None:
                    if not self._wait(SILENT_SECONDS if awaits_word else None) and awaits_word:
                        awaits_word, is_silent = False, True
                        on_still(None)
                if not self._events:
                    assert self.lost is not None
                    raise self.lost
                match self._events.popleft():
                    case ("done", n, str() as kind, text, int() as following) if n == number:
                        self.next_statement = following
                        return RemoteAnswer(kind, text)
                    case ("still", n, str() as place) if n == number:
                        awaits_word = is_silent = False
                        on_still(place)
                    case ("left", n, int() as left, str() as place) if n == number:
                        return RemoteAnswer("left", (left, place))
                    case ("ended", n, str() as text) if n == number:
                        return RemoteAnswer("notice", text)
                    case _:
                        pass  # of an input that is over
            except KeyboardInterrupt:
                interrupts += 1
                awaits_word = True
                if interrupts > 1:
                    job = job or new_job()
                    gives_up = is_silent
                untold.append(("leave", number, job) if job else ("interrupt", number))

    def _give_up(self, number: int, job: int) -> bool:
        """Leaves an input behind without an answer of the node; returns False if one has come just now."""
        with self._handing_over:
            if self._events or self.lost is not None:
                return False
            self._given_up[number] = job
            return True

    def interrupt_job(self, job: int) -> None:
        """Interrupts an evaluation that was left behind."""
        self._tell("interrupt job", job)

    def complete(self, text: str, cursor: int) -> Completion:
        """Returns the candidates that the node offers; none if it does not answer in time.  Any thread."""
        found = self._completions.ask(lambda number: self._tell("complete", number, text, cursor))
        return found or Completion(cursor, [])

    def signature(self, callee: str) -> CallSignature | None:
        """Returns the parameters of a callee there; None if the node does not answer in time.  Any thread."""
        return self._signatures.ask(lambda number: self._tell("signature", number, callee))

    def _tell(self, *message: Any) -> None:
        assert self._session is not None
        send(self._session, message)

    def _wait(self, timeout: float | None) -> bool:
        return sleep(current.get(), self._slot, timeout, self._has_news)

    def _has_news(self) -> bool:
        return bool(self._events) or self.lost is not None or self._failure is not None

    # ------------------------------------------------------------ the relay's process

    def _run_relay(self) -> None:
        try:
            call_pyx(self.node, _SESSION, "version", timeout=_ANSWER_SECONDS)
            session, monitor = Node.spawn_monitor(self.node, _SESSION, "serve", [own_pid()])
        except PyxError as error:
            self._failure = error
            self._slot.wake()
            return
        self._session = session
        answered = 0  # the last input that is over
        while True:
            match receive():
                case ("close",):
                    send(session, ("end",))
                    return
                case ("DOWN", ref, "process", _, reason) if ref == monitor:
                    self._end(reason)
                    return
                case ("completed", int() as number, int() as start, list() as candidates):
                    self._completions.answered(number, Completion(start, candidates))
                case ("signed", int() as number, str() as name, list() as parameters):
                    self._signatures.answered(number, CallSignature(name, parameters))
                case ("signed", int() as number, *_):
                    self._signatures.answered(number, None)
                case ("job", int() as job, str() as kind, str() as text):
                    self._on_job(job, kind, text)
                case ("ended", int() as number, str() as text) if number <= answered:
                    self._on_notice(text)  # also of a process that was killed just after its answer
                case tuple() as event:
                    if event[:1] == ("done",) and len(event) > 1 and isinstance(event[1], int):
                        answered = event[1]
                    with self._handing_over:
                        late_job = self._given_up_for(event)
                        if late_job is None:
                            self._events.append(event)
                    if late_job is None:
                        self._slot.wake()
                    else:
                        self._late(late_job, event)

    def _given_up_for(self, event: tuple[Any, ...]) -> int | None:
        """Returns the job that an event is about, if its input was given up."""
        match event:
            case ("done" | "ended" | "left", int() as number, *_):
                return self._given_up.pop(number, None)
            case ("still", int() as number, *_):
                return self._given_up.get(number)
        return None

    def _late(self, job: int, event: tuple[Any, ...]) -> None:
        """Receives an event of an input that was given up; behind `left` comes the end of the job."""
        match event:
            case ("done", _, str() as kind, str() as text, int() as following):
                self.next_statement = max(self.next_statement, following)
                self._on_job(job, kind, text)
            case ("done", *_):  # a command, or an exit: the prompt has gone on
                self._on_job(job, "value", "")
            case ("ended", _, str() as text):
                self._on_job(job, "error", text)

    def _end(self, reason: Any) -> None:
        if isinstance(reason, Raised):
            text = f"its remote shell has failed: {reason.type}: {reason.text}"
        elif reason == "noconnection":
            text = "the connection was lost"
        else:
            text = f"its remote shell was ended: {reason}"
        self.lost = RemoteLost(text)
        self._slot.wake()
        self._on_lost(self.lost)
