"""`pyx --rpc-eval NODE EXPR`: evaluates an input on another node, and shows its value or its failure here.

`evaluate_here` is called by rpc, so `--rpc` of that node decides; what it prints appears at the caller.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pyx.errors import PyxError, RemoteError
from pyx.execution import context, stdout_router
from pyx.execution.leader_stdout import routed_to
from pyx.primitives import receive, spawn
from pyx.process import Process
from pyx.runtime.evaluation_context import EvaluationContext
from pyx.runtime.local_node import this_node
from pyx.shell.evaluate import Evaluator, ExitRequested, StatementRaised, error_text
from pyx.shell.loop import node_name
from pyx.shell.program import exit_code
from pyx.shell.pyx_calls import call_pyx
from pyx.shell.remote_names import RemoteNames
from pyx.shell.render import render, render_whole

if TYPE_CHECKING:
    from pyx.terms import Pid


def rpc_eval(node: str, source: str, columns: int | None) -> int:
    """Evaluates *source* on *node* and prints its value, if it has one; returns the exit code.

    Args:
        node: a node name.
        source: statements, of which the last may be an expression.
        columns: of the terminal, on which a long value is shortened; None prints it whole, for a program.
    """
    try:
        kind, text = call_pyx(
            node, "pyx.shell.remote_eval", "evaluate_here", [source, node_name() or "", columns]
        )
    except PyxError as error:
        if isinstance(error, RemoteError):
            error = PyxError(f"{node} cannot evaluate it: {error}")
        sys.stderr.write(error_text(error.with_traceback(None)))
        return 1
    if kind == "exit":
        return exit_code(text)
    stream = sys.stderr if kind == "error" else sys.stdout
    stream.write(text)
    return 1 if kind == "error" else 0


def evaluate_here(source: str, client: str, columns: int | None) -> tuple[str, str | int | None]:
    """Evaluates *source* on this node, in a process of its own; returns the kind of its outcome, and text.

    Args:
        source: see `rpc_eval`.
        client: the node that asks.
        columns: see `rpc_eval`.
    """
    runner = context.require("--rpc-eval")
    evaluations = EvaluationContext(this_node(), is_remote=True)
    names = RemoteNames(client, lambda: columns or 80)
    evaluator = names.helpers.evaluator = Evaluator(
        names.names,
        run_coroutine=evaluations.run_coroutine,
        call=evaluations.run,
        prepare=names.bind,
        where=names.where,
    )
    leader = context.acting_leader()
    watch = None if leader is None else spawn(_end_with, leader, runner.process.pid)
    with routed_to(leader):
        try:
            outcome = evaluator.run(source, f"<rpc-eval{names.where}>")  # not `evaluate`: whole tracebacks
            if isinstance(outcome, StatementRaised):
                return "error", outcome.text
            if isinstance(outcome, ExitRequested):
                code = outcome.code
                return "exit", code if code is None or isinstance(code, int) else str(code)
            if outcome.value is None:
                return "value", ""
            whole = columns is None
            text = render_whole(outcome.value) if whole else render(outcome.value, width=columns or 80)
            return "value", text + "\n"
        finally:
            stdout_router.finish_line(runner, newline=True)
            names.close()
            if watch is not None:
                Process.exit(watch, "kill")


def _end_with(asker: Pid, evaluation: Pid) -> None:
    """Ends an evaluation when the process that has asked for it ends: after Ctrl-C there, or a kill."""
    asked = Process.monitor(asker)
    Process.monitor(evaluation)
    match receive():
        case ("DOWN", ref, *_) if ref == asked:
            Process.exit(evaluation, "kill")
