"""Process: registered names, information, exits, links, monitors, timers.

Every function follows Elixir's `Process` module where it has one of that name.  Not here: spawn, send,
receive, self (`primitives`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core.tables import THE_NODE
from pyx.errors import AlreadyReceiving, Exit, NoProcess
from pyx.execution import context
from pyx.execution.context import forbid_running_loop, require
from pyx.execution.runner import sleep
from pyx.execution.slots import LockSlot
from pyx.runtime import process_requests
from pyx.runtime.arguments import (
    checked_cap,
    checked_choice,
    checked_destination,
    checked_name,
    checked_pid,
    checked_ref,
    checked_seconds,
    node_of_destination,
)
from pyx.runtime.encoding import encode_for, encoded_reason
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import wait
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    import builtins

__all__ = ["Process"]


class Process:
    """Functions about processes; never instantiated."""

    # ------------------------------------------------------------ names

    @staticmethod
    def register(pid: Pid, name: str) -> bool:
        """Gives a process of this node a name; returns True.

        Raises:
            RegistrationError: the sentence says which rule: the pid is not local or not alive, it has a name,
                the name is taken, or is no name.
        """
        pid = checked_pid(pid)
        with this_node().kernel_call as kernel:
            kernel.registry.register(pid, name)
        return True

    @staticmethod
    def unregister(name: str) -> bool:
        """Takes a name back; returns True.  Raises RegistrationError if nobody has it."""
        with this_node().kernel_call as kernel:
            kernel.registry.unregister(name)
        return True

    @staticmethod
    def whereis(name: str) -> Pid | None:
        """Returns the pid registered under *name* on this node, or None.

        Raises:
            TypeError: *name* is not a str.
        """
        name = checked_name(name)
        with this_node().kernel_call as kernel:
            return kernel.registry.whereis(name)

    @staticmethod
    def registered() -> list[str]:
        """All names registered on this node, sorted."""
        with this_node().kernel_call as kernel:
            return kernel.registry.registered()

    # ------------------------------------------------------------ information

    @staticmethod
    def list() -> builtins.list[Pid]:
        """The pids of all processes of this node."""
        with this_node().kernel_call as kernel:
            processes = kernel.tables.processes.all()
        return [process.pid for process in processes]

    @staticmethod
    def info(pid: Pid, key: str | builtins.list[str] | None = None) -> Any:
        """Facts about a process, here or on another node.

        Args:
            pid: any pid (Differs from IEx: a remote one too, within 5 s).
            key: one key gives `(key, value)`; a list of keys a dict in that order; None a dict of all but
                `messages` (and of a node that does not run with `--rpc open`, `dictionary`).

        Returns:
            None if the process is dead.

        Raises:
            ValueError: an unknown key; the sentence lists the known ones.
            NoConnection: the pid's node cannot be reached, or does not answer in time.
            RpcRefused: `messages` or `dictionary` of a process on a node that does not run with `--rpc open`.
        """
        return wait("Process.info", process_requests.info(pid, key))

    @staticmethod
    def is_alive(pid: Pid) -> bool:
        """True if the process lives.

        Differs from IEx: a remote pid is asked for (a node that cannot be reached has no live processes).
        """
        return wait("Process.is_alive", process_requests.is_alive(pid))

    # ------------------------------------------------------------ exits

    @staticmethod
    def exit(pid: Pid, reason: Any) -> bool:
        """Sends an exit signal; returns True.

        `"kill"` cannot be trapped and is seen by others as `"killed"`; `"normal"` from another is ignored
        (a process that traps exits receives it).  A signal to the caller itself ends it there and then, with
        `"normal"` too, unless it traps exits (as in OTP).  The process is dead at once: its monitors fire,
        its name is free, and every primitive raises ProcessKilled on whatever still runs in its name. The
        thread of a `def` ends at its next line of user code, or in a library (`queue.get`) when that
        returns; inside a C call (`time.sleep`, `recv`) when that returns.  Code that swallows ProcessKilled
        gets it again; what still runs after 5 s is named by `Node.info()["stuck"]`.  Differs from IEx: a
        shell's own exit is shown as `raise Exit(reason)` is, and the shell stays.
        """
        pid = checked_pid(pid)
        runner = context.current.get()
        if runner is not None and pid == runner.process.pid:
            process = runner.process
            if process.keeps_pid and not process.trap_exit and reason != "kill":
                raise Exit(reason)
        node = this_node()
        node.sending.send_exit(pid, encoded_reason(reason, node.max_message_bytes))
        return True

    @staticmethod
    def flag(name: str, value: Any) -> Any:
        """Sets a flag of the running process and returns its old value.

        Args:
            name: `"trap_exit"`, or `"max_mailbox"`.
            value: for `"trap_exit"` True if exit signals are to come as messages.  For `"max_mailbox"` how
                many messages may wait, and what happens beyond: `(100_000, "warn")` logs a line, and again
                each time that has doubled (so it is from the start); `(n, "kill")` ends the process, as
                OTP's `max_heap_size` does; `(n, "block")` makes processes of this node that send to it wait,
                and a coroutine that does so by `aio.send` (what others send, who cannot be made to wait, is
                logged as by `"warn"`); None is no limit.

        Raises:
            ValueError: there is no such flag, or it cannot have that value.
            TypeError: `"trap_exit"` is neither True nor False.
        """
        runner = require("Process.flag()")
        node, process = node_of(runner), runner.process
        if name == "trap_exit":
            traps = checked_choice(value)
            with node.kernel_call as kernel:
                return kernel.process_signals.set_trap_exit(process, traps)
        if name == "max_mailbox":
            cap = checked_cap(value)
            with node.kernel_call as kernel:
                old = kernel.process_signals.set_max_mailbox(process, cap)
            return tuple(old) if old is not None else None
        msg = f"unknown flag {name!r}; there are 'trap_exit' and 'max_mailbox'"
        raise ValueError(msg)

    # ------------------------------------------------------------ links and monitors

    @staticmethod
    def link(pid: Pid) -> bool:
        """Links the running process and *pid*; returns True.

        Raises:
            NoProcess: a local pid that is dead, while exits are not trapped (as IEx; else an EXIT comes).
        """
        runner = require("Process.link()")
        pid = checked_pid(pid)
        with node_of(runner).kernel_call as kernel:
            is_linked = kernel.process_signals.link(runner.process, pid)
        if not is_linked:
            raise NoProcess(pid)
        return True

    @staticmethod
    def unlink(pid: Pid) -> bool:
        """Takes a link back; returns True.  No EXIT of that link comes after this."""
        runner = require("Process.unlink()")
        pid = checked_pid(pid)
        with node_of(runner).kernel_call as kernel:
            kernel.process_signals.unlink(runner.process, pid)
        return True

    @staticmethod
    def monitor(target: Pid | str | tuple[str, str]) -> Ref:
        """Asks for one `("DOWN", ref, "process", target, reason)` when *target* ends; returns the ref.

        A dead process is `"noproc"` at once, one that cannot be reached `"noconnection"`.  Monitors stack.
        """
        runner = require("Process.monitor()")
        node = node_of(runner)
        dest = checked_destination(node, target)
        if isinstance(dest, Ref):
            msg = f"a monitor watches a pid, a name or (name, node), not {target!r}"
            raise TypeError(msg)
        mark = runner.process.mailbox.mark()  # before: the DOWN may come with the same kernel call
        with node.kernel_call as kernel:
            ref = kernel.process_signals.monitor(runner.process, dest)
        runner.remember(ref, mark)
        return ref

    @staticmethod
    def demonitor(ref: Ref, *, flush: bool = False) -> bool:
        """Takes a monitor back, with *flush* also the DOWN that came; returns True if it was there."""
        runner = require("Process.demonitor()")
        if flush and runner.receiving:
            raise AlreadyReceiving  # a predicate that would take messages from under its own receive
        ref = checked_ref(ref)
        with node_of(runner).kernel_call as kernel:
            return kernel.process_signals.demonitor(runner.process, ref, flush=flush)

    @staticmethod
    def alias() -> Ref:
        """A reference that messages can be sent to until `unalias`: what comes later vanishes.

        So the late reply of a call that timed out never litters the mailbox (as OTP's aliases).
        """
        runner = require("Process.alias()")
        mark = runner.process.mailbox.mark()
        with node_of(runner).kernel_call as kernel:
            ref = kernel.router.alias(runner.process)
        runner.remember(ref, mark)
        return ref

    @staticmethod
    def unalias(ref: Ref) -> bool:
        """Ends an alias; True if it was one."""
        runner = require("Process.unalias()")
        ref = checked_ref(ref)
        with node_of(runner).kernel_call as kernel:
            return kernel.router.unalias(runner.process, ref)

    # ------------------------------------------------------------ the process dictionary

    @staticmethod
    def put(key: Any, value: Any) -> Any:
        """Keeps a value in the running process's own dictionary; returns the old one, or None."""
        dictionary = require("Process.put()").process.dictionary
        old = dictionary.get(key)
        dictionary[key] = value
        return old

    @staticmethod
    def get(key: Any, default: Any = None) -> Any:
        """The value that `put` kept, or *default*."""
        return require("Process.get()").process.dictionary.get(key, default)

    # ------------------------------------------------------------ time

    @staticmethod
    def send_after(dest: Pid | str | tuple[str, str], message: Any, seconds: float) -> Ref:
        """Sends *message* in so many seconds; returns the reference to cancel it by.

        Differs from IEx: seconds, not milliseconds.
        """
        node = this_node()
        delay = checked_seconds(seconds, "seconds")
        if delay is None:
            msg = "seconds is a number, not None"
            raise TypeError(msg)
        checked = checked_destination(node, dest)
        body = encode_for(node_of_destination(checked), message, node.max_message_bytes)
        return node.timers.start(delay, checked, body)

    @staticmethod
    def cancel_timer(ref: Ref) -> float | bool:
        """Stops a `send_after`: the seconds that were left, or False if it is over."""
        return this_node().timers.cancel(checked_ref(ref))

    @staticmethod
    def sleep(seconds: float | None) -> None:
        """Sleeps so many seconds (None: for ever), and ends at once when the process is killed.

        Raises:
            WouldBlock: the thread runs an event loop (`await aio.sleep()` there).
        """
        forbid_running_loop("Process.sleep()", "aio.sleep()")
        delay = checked_seconds(seconds, "seconds")
        # On a slot of its own, so that messages do not end it.
        sleep(context.current.get(), LockSlot(), delay, lambda: False)

    # ------------------------------------------------------------ output

    @staticmethod
    def group_leader(pid: Pid | None = None, leader: Pid | None = None) -> Any:
        """The process whose terminal shows what the running process prints; or sets *leader* for *pid*.

        Without arguments: the leader's pid (the node itself is `#PID<0.0.0>`).  With both: returns True.
        """
        if pid is None:
            return context.acting_leader() or THE_NODE
        if leader is None:
            msg = "Process.group_leader takes no argument, or a pid and its new leader"
            raise TypeError(msg)
        frm, pid, leader = context.acting_pid() or THE_NODE, checked_pid(pid), checked_pid(leader)
        with this_node().kernel_call as kernel:
            kernel.process_signals.set_leader(frm, pid, leader)
        return True
