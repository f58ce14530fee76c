"""The process that evaluates the inputs of a remote shell, on the node that it is attached to.

`remote_session.py` starts it, hands it the inputs and interrupts it.  It answers the client itself, so that
what an input has printed arrives before its value.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.errors import EncodeError
from pyx.execution import context, stdout_router
from pyx.execution.evaluation_interrupt import EvaluationInterrupt
from pyx.execution.interruptible_gate import InterruptibleGate
from pyx.execution.node_log import log
from pyx.execution.runner import sleep
from pyx.execution.slots import LockSlot
from pyx.primitives import send, spawn_monitor
from pyx.runtime.evaluation_context import EvaluationContext
from pyx.runtime.local_node import this_node
from pyx.shell.evaluate import Evaluator, ExitRequested, Outcome, StatementRaised, Value
from pyx.shell.loop import own_error_text
from pyx.shell.remote_command import RemoteCommand
from pyx.shell.render import render

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.shell.remote_names import RemoteNames
    from pyx.terms import Pid, Ref

_INTERRUPTED: Final = "interrupt", "KeyboardInterrupt\n"


class RemoteInput(NamedTuple):
    """An input: its number at the client, its text, the columns of the client's terminal."""

    number: int
    source: str
    width: int


class RemoteEvaluator:
    """One process that evaluates inputs, one after another, until it is stopped or left behind.

    Args:
        client: the process that is answered.
        names: what the inputs see.
        before: the evaluator that this one takes over from, if any.
    """

    def __init__(self, client: Pid, names: RemoteNames, before: RemoteEvaluator | None = None) -> None:
        self._client = client
        self._context = EvaluationContext(this_node(), is_remote=True)
        self.evaluator = Evaluator(
            names.names,
            run_coroutine=self._context.run_coroutine,
            call=self._context.run,
            prepare=names.bind,
            where=names.where,
        )
        if before is not None:
            self.evaluator.continue_after(before.evaluator)
        self._inputs: deque[RemoteInput | None] = deque()
        self._slot = LockSlot()
        self._interrupts: EvaluationInterrupt | None = None
        self.running: int | None = None
        """The number of the input that was handed over last, until its answer is sent."""
        self.job: int | None = None
        """The number of the job that this evaluation has become; None while the client waits for it."""
        self.width = 80
        self.pid: Pid
        self.monitor: Ref
        self.pid, self.monitor = spawn_monitor(self._run)

    # ------------------------------------------------------------ for the session

    def evaluate(self, given: RemoteInput) -> None:
        """Hands over an input."""
        self.running = given.number
        self._put(given)

    def interrupt(self, number: int) -> bool:
        """Interrupts the evaluation of an input; returns False if there is nothing (more) to interrupt."""
        return self._interrupts is not None and self._interrupts.interrupt(number)

    def insist(self, number: int) -> bool:
        """Repeats an interrupt that has not raised yet; returns False if the evaluation has ended."""
        return self._interrupts is not None and self._interrupts.insist(number)

    @property
    def waits(self) -> bool:
        """True while the process is in a wait of pyx."""
        return self._interrupts is not None and self._interrupts.waits

    def place(self) -> str:
        """Returns where the evaluation is, for a person."""
        return self._interrupts.place() if self._interrupts is not None else "its first line"

    def stop(self) -> None:
        """Ends the process once it waits for an input."""
        self._put(None)

    def _put(self, given: RemoteInput | None) -> None:
        self._inputs.append(given)
        self._slot.wake()

    # ------------------------------------------------------------ the process

    def _run(self) -> None:
        runner = context.require("a remote shell")
        self._context.belongs_to(runner)
        self._interrupts = EvaluationInterrupt(runner, InterruptibleGate.of(runner))
        while self.job is None:
            sleep(runner, self._slot, None, lambda: bool(self._inputs))
            given = self._inputs.popleft()
            if given is None:
                return
            self._report(given.number, self._answer(runner, self._interrupts, given))
            self.running = None  # not before: the session answers for a process that was killed until then

    def _report(self, number: int, answer: tuple[str, Any]) -> None:
        if self.job is None:
            self._send("done", number, *answer, self.evaluator.number)
        else:
            self._send("job", self.job, *answer)

    def _answer(self, runner: Runner, interrupts: EvaluationInterrupt, given: RemoteInput) -> tuple[str, Any]:
        self.width = given.width
        try:
            try:
                interrupts.begin(given.number)
                answer = self._shown(self.evaluator.evaluate(given.source), interrupts)
            finally:
                interrupts.end()
        except KeyboardInterrupt:  # in the very last instruction
            interrupts.end()
            answer = _INTERRUPTED
        except Exception as error:  # pyx's own; maybe an input has replaced `builtins.str`
            log.exception("an input of a remote shell made pyx fail")
            where = f"its traceback is in the log of {this_node().kernel.tables.name}"
            answer = "error", f"{own_error_text(error)}; {where}\n"
        stdout_router.finish_line(runner, newline=True)
        return answer

    def _shown(self, outcome: Outcome, interrupts: EvaluationInterrupt) -> tuple[str, Any]:
        """Returns the kind of an outcome, and its text (of a command its name and arguments)."""
        match outcome:
            case Value(None):
                return "value", ""
            case Value(value):
                return "value", render(value, width=self.width)
            case ExitRequested():
                return "exit", ""
            case StatementRaised(RemoteCommand() as command, _):
                return "command", (command.name, list(command.arguments))
            case StatementRaised(error, _) if interrupts.has_ended_by_cancelling(error):
                return _INTERRUPTED
            case StatementRaised(error, text):
                return "interrupt" if issubclass(type(error), KeyboardInterrupt) else "error", text

    def _send(self, *message: Any) -> None:
        try:
            send(self._client, message)
        except EncodeError as error:  # an argument of a command that is not data; a text beyond any limit
            kind, number = message[:2]
            rest = (self.evaluator.number,) if kind == "done" else ()
            send(self._client, (kind, number, "error", f"the outcome cannot be sent: {error}\n", *rest))
