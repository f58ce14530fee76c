"""A remote shell, on the node that it is attached to: a process that serves one client.

The client (`remote_connection.py`) starts it by `Node.spawn_monitor`, so the policy `--rpc` decides about it
like about any code of a peer's choice.  They exchange tuples:

    to the session    ("evaluate", number, source, columns)
                      ("interrupt", number)               Ctrl-C
                      ("leave", number, job)              another Ctrl-C: goes on as a job
                      ("interrupt job", job)
                      ("complete", number, text, cursor)
                      ("signature", number, callee)
                      ("end",)
    to the client     ("ready",)
                      ("done", number, kind, text, number of the next statement)
                      ("still", number, place)            a second after its interrupt it still runs
                      ("left", number, job, place)
                      ("job", job, kind, text)            a job has ended
                      ("ended", number, text)             the evaluating process was ended; it has a new one
                      ("completed", number, start, candidates)
                      ("signed", number, name, parameters)    the parameters are None if they are not known

It is a `def` process, on a thread: a node can be attached to while its event loops are blocked.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

import pyx
from pyx.errors import ProcessKilled, ReceiveTimeout
from pyx.execution import context
from pyx.execution.leader_stdout import routed_to
from pyx.execution.node_log import log
from pyx.primitives import receive, send
from pyx.primitives import self as own_pid
from pyx.process import Process
from pyx.runtime.lifecycle import exit_text_of
from pyx.shell.remote_evaluator import RemoteEvaluator, RemoteInput
from pyx.shell.remote_names import RemoteNames

if TYPE_CHECKING:
    from pyx.terms import Pid, Ref

NAMED_AFTER_SECONDS: Final = 1.0
"""The time from Ctrl-C until an evaluation that still runs is named to the user."""
_INSIST_SECONDS: Final = 0.02
"""The time after which an interrupt that has not raised yet is repeated."""


def version() -> str:
    """Returns the version of pyx here: asked by rpc, so a refusal has its usual error and hint."""
    return pyx.__version__


def serve(client: Pid) -> None:
    """Serves the remote shell of *client*, which has started this process, until that ends."""
    with routed_to(context.acting_leader()):
        session = RemoteSession(client)
        try:
            session.run()
        finally:
            session.close()


class RemoteSession:
    """The process that serves one client.

    Args:
        client: the process that asks; on another node, or on this one.
    """

    def __init__(self, client: Pid) -> None:
        self._client = client
        self._watch: Ref = Process.monitor(client)
        self._names = RemoteNames(client.node or "this node", lambda: self._evaluator.width)
        self._evaluator = RemoteEvaluator(client, self._names)
        self._names.helpers.evaluator = self._evaluator.evaluator
        self._jobs: dict[int, RemoteEvaluator] = {}
        self._interrupted: int | None = None
        """The number of the input that was interrupted and may still run."""
        self._name_it_at = 0.0
        self._newest = 0
        """The number of the last input that was taken."""

    def run(self) -> None:
        """Serves until the client leaves, or is lost."""
        send(self._client, ("ready",))
        while True:
            patience = None if self._interrupted is None else _INSIST_SECONDS
            try:
                message = receive(timeout=patience)
            except ReceiveTimeout:
                self._insist()
                continue
            match message:
                case ("evaluate", int() as number, source, int() as columns):  # `str` may be replaced
                    if number <= self._newest:
                        continue  # told again, see `RemoteConnection.evaluate`
                    self._newest = number
                    self._interrupted = None
                    self._evaluator.evaluate(RemoteInput(number, source, columns))
                case ("interrupt", int() as number):
                    self._interrupt(number)
                case ("leave", int() as number, int() as job):
                    self._leave(number, job)
                case ("interrupt job", int() as job):
                    if (left := self._jobs.get(job)) is not None and left.running is not None:
                        left.interrupt(left.running)
                case ("complete", int() as number, str() as text, int() as cursor):
                    start, candidates = self._completed(text, cursor)
                    send(self._client, ("completed", number, start, candidates))
                case ("signature", int() as number, str() as callee):
                    send(self._client, ("signed", number, *self._signed(callee)))
                case ("DOWN", ref, "process", _, reason):
                    if ref == self._watch:
                        return
                    self._evaluator_ended(ref, reason)
                case ("end",):
                    return

    def _completed(self, text: str, cursor: int) -> tuple[int, list[str]]:
        try:
            return self._names.complete(text, cursor)
        except Exception:  # pyx's own: Tab offers nothing, and the remote shell goes on
            log.exception("a completion for a remote shell failed")
            return cursor, []

    def _signed(self, callee: str) -> tuple[str, Any]:
        try:
            return self._names.signature(callee) or (callee, None)
        except Exception:  # as above
            log.exception("a signature for a remote shell could not be read")
            return callee, None

    def close(self) -> None:
        """Ends the evaluations, those left behind too; what they have spawned goes on."""
        for evaluator in (self._evaluator, *self._jobs.values()):
            evaluator.stop()  # enough for one that waits, even where this process was killed
            with contextlib.suppress(ProcessKilled):
                Process.exit(evaluator.pid, "kill")
        self._names.close()

    def _interrupt(self, number: int) -> None:
        if self._evaluator.interrupt(number):
            self._interrupted = number
            self._name_it_at = time.monotonic() + NAMED_AFTER_SECONDS
        elif self._evaluator.running == number:  # it has not begun, or has just ended
            self._interrupted = None
            Process.send_after(own_pid(), ("interrupt", number), _INSIST_SECONDS)

    def _insist(self) -> None:
        number = self._interrupted
        if number is None or not self._evaluator.insist(number):
            self._interrupted = None
        elif self._name_it_at <= time.monotonic() and self._evaluator.waits:
            self._interrupt(number)  # code has swallowed the first one, and waits where it can be interrupted
        elif self._name_it_at <= time.monotonic():
            self._name_it_at = float("inf")
            send(self._client, ("still", number, self._evaluator.place()))

    def _leave(self, number: int, job: int) -> None:
        left = self._evaluator
        if left.running != number:
            return  # its answer is on the way
        self._interrupted = None
        left.job = job
        self._jobs[job] = left
        place = left.place()
        self._renew()
        send(self._client, ("left", number, job, place))

    def _evaluator_ended(self, ref: Ref, reason: Any) -> None:
        for job, left in list(self._jobs.items()):
            if ref == left.monitor:
                del self._jobs[job]
                if left.running is not None:
                    send(self._client, ("job", job, "error", exit_text_of(left.pid, reason)))
                return
        ended = self._evaluator
        if ref == ended.monitor:
            self._renew()
            text = exit_text_of(ended.pid, reason)
            text += f"** the process of this remote shell is now {self._evaluator.pid}\n"
            send(self._client, ("ended", ended.running or 0, text))

    def _renew(self) -> None:
        self._evaluator = RemoteEvaluator(self._client, self._names, self._evaluator)
        self._names.helpers.evaluator = self._evaluator.evaluator
