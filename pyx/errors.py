"""Everything pyx raises, as one tree.  Not here: what processes die of (see `terms`) and what peers answer.

A failure of a peer is a value (`"pang"`, `False`, a `DOWN` message); a misuse by the caller is an exception
from this file, or a plain `TypeError`/`ValueError`.  Facts are attributes; the sentence is made in the class.

    PyxError
    ├── EncodeError (TypeError)        a message holds something that is not data
    ├── DecodeError (ValueError)       bytes from elsewhere are not a payload
    ├── ProtocolError                  a peer broke the rules of the wire
    │   ├── FrameTooBig
    │   └── HandshakeFailed            no session; `reason` says why, in words for the log at home
    ├── NodeNameInvalid (ValueError)
    ├── NameTaken                      a live node on this host has that name
    ├── NodeNotAlive                   this process is no node: start it with a name first
    ├── AlreadyStarted                 this process is a node already
    ├── RuntimeDirectoryUnsafe         the directory of sockets is not mine alone
    ├── CookieUnsafe                   others can read the cookie, or it is not mine
    ├── NoConnection (ConnectionError) a node cannot be reached (spawn_link and the like)
    ├── NodeBusy                       a node takes too little of what is queued for it
    ├── NotAProcess                    `self()` or `receive()` on a thread that is no pyx process
    ├── NoProcess (LookupError)        no process of that name (or pid) is here
    ├── UndefinedFunction (LookupError) a process was to run a function that is not there
    ├── RegistrationError (ValueError) a name was refused; the sentence says by which rule
    ├── WouldBlock (RuntimeError)      a waiting call on a running event loop; it names its twin in `aio`
    ├── Reentered (RuntimeError)       a question asked by a finalizer that interrupted pyx itself
    ├── AlreadyReceiving (RuntimeError) two receives of one process at the same time
    ├── TerminalTaken (RuntimeError)   `input()` in a process beside the shell, which reads the terminal
    ├── TranscriptError (ValueError)   a scenario file cannot be read; it says where
    ├── ReceiveTimeout (TimeoutError)  no message matched in time
    └── RpcError                       a remote call gave no value
        ├── RpcNoConnection (ConnectionError)
        ├── RpcTimeout (TimeoutError)
        ├── RpcUndefined               no such module or function there; it says which
        ├── RpcRefused                 that node's policy allows no such call
        └── RemoteError                the function raised, or its result is not data

    Exit (Exception)                   raised by user code to leave a process with a reason
    ProcessKilled (BaseException)      raised in a process that is dead already
"""

from __future__ import annotations

from typing import Any


class PyxError(Exception):
    """The root: `except PyxError` catches whatever pyx has to complain about."""

    hint: str | None = None
    """What to do about it, without the word `hint:`."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint
            self.add_note(f"hint: {hint}")  # so every traceback shows it, not only those of pyx

    def __reduce__(self) -> tuple[object, ...]:
        # Python would call the class with the sentence, where each takes the facts it is made of.
        return _again, (type(self), self.args), self.__dict__


def _again(cls: type[PyxError], args: tuple[object, ...]) -> PyxError:
    """Returns what a copy, or an error from a pool of processes, begins as; its facts come after."""
    error = cls.__new__(cls, *args)
    error.args = args
    return error


class EncodeError(PyxError, TypeError):
    """A message, argument or result is not data, or would arrive changed; the path says where.

    Attributes: `path` (`"message[1]['conn']"`), `value` (what stood there), `hint` (what to send instead).
    """

    def __init__(
        self, path: str, value: object, problem: str = "is not data", *, hint: str | None = None
    ) -> None:
        self.path = path
        self.value = value
        super().__init__(f"cannot send {path}: {_brief(value)} {problem}", hint=hint)


class DecodeError(PyxError, ValueError):
    """Bytes from elsewhere are not a payload.  Nobody's code ran."""


class ProtocolError(PyxError):
    """A peer broke the rules of the wire; its session ends, nothing else does."""


class FrameTooBig(ProtocolError):
    """A peer announced a frame over the limit.  Attributes: `size`, `limit` (bytes)."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"a frame of {size} bytes was announced, at most {limit} are taken")


class HandshakeFailed(ProtocolError):
    """No session came about.  Attribute: `reason`, in words for the log of this node."""

    def __init__(self, reason: str, *, hint: str | None = None) -> None:
        self.reason = reason
        super().__init__(reason, hint=hint)


class NodeNameInvalid(PyxError, ValueError):
    """A node name that cannot be one.  Attributes: `name`, `problem`."""

    def __init__(self, name: object, problem: str, *, hint: str | None = None) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"{name!r} is not a node name: {problem}", hint=hint)


class NameTaken(PyxError):
    """A live node on this host has that name.  Attributes: `name`, `os_pid` (None if unknown)."""

    def __init__(self, name: str, os_pid: int | None) -> None:
        self.name = name
        self.os_pid = os_pid
        holder = f" (pid {os_pid})" if os_pid else ""
        super().__init__(f"the name {name} is in use by another node{holder}")


class NodeNotAlive(PyxError):
    """The call needs this process to be a node, and it is none."""

    def __init__(self, wish: str) -> None:
        super().__init__(
            f"cannot {wish}: this process is not a node",
            hint="start it with `pyx --sname NAME`, or call Node.start(NAME)",
        )


class AlreadyStarted(PyxError):
    """`Node.start` in a process that is a node already.  Attribute: `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"this process is the node {name} already", hint="Node.stop() first")


class RuntimeDirectoryUnsafe(PyxError):
    """The directory for sockets is not mine alone.  Attributes: `path`, `problem`."""

    def __init__(self, path: str, problem: str, *, hint: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path} {problem}", hint=hint)


class CookieUnsafe(PyxError):
    """The cookie file cannot be trusted.  Attributes: `path`, `problem`."""

    def __init__(self, path: str, problem: str, *, hint: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"the cookie file {path} {problem}", hint=hint)


class NoConnection(PyxError, ConnectionError):
    """A node cannot be reached.  Attributes: `node`, `reason`."""

    def __init__(self, node: str, reason: str) -> None:
        self.node = node
        self.reason = reason
        super().__init__(f"no connection to {node}: {reason}")


class NodeBusy(PyxError):
    """So much is queued for a node that no more is taken from whoever cannot wait.

    Attributes: `node`, `queued` (bytes).
    """

    def __init__(self, node: str, queued: int) -> None:
        self.node = node
        self.queued = queued
        super().__init__(
            f"{node} does not take what is queued for it, {queued / 2**20:.1f} MiB",
            hint="`await aio.send(...)` waits until it does; nosuspend=True asks first",
        )


class NotAProcess(PyxError):
    """The calling thread is no pyx process, so it has no pid and no mailbox."""

    def __init__(self, call: str) -> None:
        super().__init__(
            f"{call} needs a process, and this thread is none",
            hint="run the code with spawn(function), or type it at the pyx prompt",
        )


class NoProcess(PyxError, LookupError):
    """No such process on this node.  Attribute: `name`, a registered name or a pid."""

    def __init__(self, name: object) -> None:
        self.name = name
        named = isinstance(name, str)
        super().__init__(f"no process is registered as {name!r} on this node" if named else f"{name} is dead")


class UndefinedFunction(PyxError, LookupError):
    """A process was to run a function that is not there.

    Attributes: `module`, `function` (None: the module is missing).
    """

    def __init__(self, module: str, function: str | None) -> None:
        self.module = module
        self.function = function
        what = f"no module {module}" if function is None else f"no function {function} in module {module}"
        super().__init__(f"there is {what}")


class RegistrationError(PyxError, ValueError):
    """`Process.register` or `unregister` was refused; the sentence names the rule."""


class WouldBlock(PyxError, RuntimeError):
    """A waiting call on a thread whose event loop is running.  Attributes: `call`, `twin`."""

    def __init__(self, call: str, twin: str) -> None:
        self.call = call
        self.twin = twin
        super().__init__(f"{call} would block the running event loop", hint=f"use `await {twin}`")


class Reentered(PyxError, RuntimeError):
    """A finalizer or signal handler asked pyx a question while its thread was in the middle of a step."""

    def __init__(self) -> None:
        super().__init__(
            "pyx was called from a finalizer or signal handler that interrupted pyx itself",
            hint="such code may send messages, but not wait for answers",
        )


class AlreadyReceiving(PyxError, RuntimeError):
    """A process has one mailbox and reads it at one place at a time."""

    def __init__(self) -> None:
        super().__init__(
            "this process is receiving already: in another task of its own, or around this predicate",
            hint="receive in one task, with several patterns, or spawn a process for each",
        )


class TerminalTaken(PyxError, RuntimeError):
    """A process beside the shell wants to read the terminal, at which the shell does."""

    def __init__(self, who: str) -> None:
        super().__init__(
            f"{who} cannot read the terminal: what is typed there is the shell's",
            hint="ask at the prompt, and send the process what was answered",
        )


class TranscriptError(PyxError, ValueError):
    """A scenario file cannot be read.  Attributes: `path`, `line` and `column` (from 1), `problem`.

    Line 0 stands for the file as a whole.
    """

    def __init__(self, path: str, line: int, column: int, problem: str, *, hint: str | None = None) -> None:
        self.path = path
        self.line = line
        self.column = column
        self.problem = problem
        super().__init__(f"{path}:{line}:{column}: {problem}" if line else f"{path}: {problem}", hint=hint)


class ReceiveTimeout(PyxError, TimeoutError):
    """No message matched in time.  Attribute: `timeout` (seconds)."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        super().__init__(f"no matching message within {timeout:g} s")


class RpcError(PyxError):
    """A remote call gave no value.  Attribute: `node`."""

    def __init__(self, node: str, message: str, *, hint: str | None = None) -> None:
        self.node = node
        super().__init__(message, hint=hint)


class RpcNoConnection(RpcError, ConnectionError):
    """The node cannot be reached, or was lost during the call.  Attribute: `reason`."""

    def __init__(self, node: str, reason: str) -> None:
        self.reason = reason
        super().__init__(node, f"no connection to {node}: {reason}")


class RpcTimeout(RpcError, TimeoutError):
    """No answer in time; the call may go on there.  Attribute: `timeout` (seconds)."""

    def __init__(self, node: str, timeout: float) -> None:
        self.timeout = timeout
        super().__init__(node, f"no answer from {node} within {timeout:g} s (the call may still run there)")


class RpcUndefined(RpcError):
    """No such module or function there.  Attributes: `module`, `function` (None: the module is missing)."""

    def __init__(self, node: str, module: str, function: str | None = None) -> None:
        self.module = module
        self.function = function
        what = f"no module {module}" if function is None else f"no function {function} in module {module}"
        super().__init__(node, f"{node} has {what}")


class RpcRefused(RpcError):
    """That node's policy forbids the call.  Attribute: `policy`.

    It forbids `Process.info` of a process's messages and dictionary too (*private*).
    """

    def __init__(self, node: str, policy: str, *, private: bool = False) -> None:
        self.policy = policy
        what, hint = (
            "calls",
            f"start {node} with --rpc open, or with --rpc exported to allow marked functions",
        )
        if private:
            what = "to show the messages and the dictionary of a process"
            hint = f"ask for other keys, or start {node} with --rpc open"
        elif policy == "exported":
            what = "calls of functions that are not marked"
            hint = "mark the function with @rpc.export there, in a module that is loaded there"
        super().__init__(node, f"{node} refuses {what} (it runs with --rpc {policy})", hint=hint)


class RemoteError(RpcError):
    """The call failed over there.

    Attributes: `type` (the exception's class name), `text` (its message), `traceback` (the frames of the
    other side as text, without pyx's own; empty where there are none).  A note says which node that was, and
    holds the traceback, so whatever shows the exception shows them.
    """

    def __init__(self, node: str, type_name: str, text: str, traceback: str = "") -> None:
        self.type = type_name
        self.text = text
        self.traceback = traceback
        super().__init__(node, f"{type_name}: {text}" if text else type_name)
        told = traceback.strip()
        self.add_note(
            "\n  ".join([f"on {node}"] if told in {"", str(self)} else [f"on {node}:", *told.split("\n")])
        )


class Exit(Exception):
    """Raise it to end the running process with a reason: `raise Exit("shutdown")`.

    Attribute: `reason`, any data; without one it is `"normal"`.
    """

    def __init__(self, reason: Any = "normal") -> None:
        self.reason = reason
        super().__init__(reason)


class ProcessKilled(BaseException):
    """Raised inside a process that has been ended from outside.  Do not catch it: the pid is dead already."""


def _brief(value: object) -> str:
    """A repr for an error line: short, and never a second error."""
    try:
        text = repr(value)
    except Exception:  # a repr is user code
        text = f"<{type(value).__name__} object>"
    return text if len(text) <= 80 else text[:77] + "..."
