"""The exceptions of pyx, as one tree.

A failure of a peer is a value (`"pang"`, `False`, a `DOWN` message); a misuse by the caller is an exception
from this file, or a plain `TypeError` or `ValueError`.  Facts are attributes; each class makes its sentence.

    PyxError
    ├── EncodeError (TypeError)        a message holds something that is not data
    ├── DecodeError (ValueError)       bytes from a peer are not a payload
    ├── ProtocolError                  a peer broke the wire protocol
    │   ├── FrameTooBig
    │   └── HandshakeFailed            no connection; `reason` says why
    ├── NodeNameInvalid (ValueError)
    ├── NameTaken                      a live node on this host has that name
    ├── NodeNotAlive                   this Python is not a node: start it with a name first
    ├── AlreadyStarted                 this process is already a node
    ├── RuntimeDirectoryUnsafe         other users can change the directory of sockets
    ├── CookieUnsafe                   other users can read the cookie file, or own it
    ├── NoConnection (ConnectionError) a node cannot be reached (`Process.info`, say)
    ├── NodeBusy                       the queue for a node is full, and the caller cannot wait
    ├── NotAProcess                    `self()` or `receive()` on a thread that is not a pyx process
    ├── NoProcess (LookupError)        no process of that name, or pid, is on this node
    ├── UndefinedFunction (LookupError) a process was started with a function that does not exist
    ├── RegistrationError (ValueError) a name was refused; the sentence says by which rule
    ├── WouldBlock (RuntimeError)      a waiting call on a running event loop; it names its twin in `aio`
    ├── Reentered (RuntimeError)       a call with an answer, from a finalizer that interrupted pyx itself
    ├── AlreadyReceiving (RuntimeError) two receives of one process at the same time
    ├── TerminalTaken (RuntimeError)   `input()` in a process other than the shell, which reads the terminal
    ├── TranscriptError (ValueError)   a scenario file cannot be parsed; it says where
    ├── ReceiveTimeout (TimeoutError)  no message matched in time
    └── RpcError                       a remote call returned no value
        ├── RpcNoConnection (ConnectionError)
        ├── RpcTimeout (TimeoutError)
        ├── RpcUndefined               no such module or function on that node; it says which
        ├── RpcRefused                 that node's rpc policy forbids the call
        └── RemoteError                the function raised, or its result is not data

    Exit (Exception)                   raised by user code to end its process with a reason
    ProcessKilled (BaseException)      raised in a process that is already dead

Below `PyxError` stand also the errors of OTP's behaviours: `otp/call_errors.py` has those of calls,
`otp/task_errors.py` those of tasks, `otp/start_errors.py` those of starts, `otp/child_errors.py` those of
supervisors, `otp/application_errors.py` those of applications.
"""

from __future__ import annotations

from typing import Any

from pyx.printable import repr_within


class PyxError(Exception):
    """The root of the tree: `except PyxError` catches all of it but `Exit` and `ProcessKilled`."""

    hint: str | None = None
    """What the reader can do about it, without the word `hint:`."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint
            self.add_note(f"hint: {hint}")  # so every traceback shows it, not only those of pyx

    def __reduce__(self) -> tuple[object, ...]:
        # Python's own would call the class with the sentence, but each class takes its facts.
        return _again, (type(self), self.args), self.__dict__


def _again(cls: type[PyxError], args: tuple[object, ...]) -> PyxError:
    """Returns the error that a copy, or an unpickled one, starts from; `__reduce__` adds its attributes."""
    error = cls.__new__(cls, *args)
    error.args = args
    return error


class EncodeError(PyxError, TypeError):
    """A message, argument or result is not data, or would arrive changed.

    Attributes: `path` (of the value: `"message[1]['conn']"`), `value`, `hint` (what to send instead).
    """

    def __init__(
        self, path: str, value: object, problem: str = "is not data", *, hint: str | None = None
    ) -> None:
        self.path = path
        self.value = value
        super().__init__(f"cannot send {path}: {brief(value)} {problem}", hint=hint)


class DecodeError(PyxError, ValueError):
    """Bytes from a peer are not a payload.  Decoding them has run no code of theirs or of the user's."""


class ProtocolError(PyxError):
    """A peer broke the wire protocol; its connection is closed, and nothing else changes."""


class FrameTooBig(ProtocolError):
    """A frame, of a peer or to be sent, is over the limit.  Attributes: `size`, `limit` (bytes)."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"a frame of {size:,} bytes is over the limit of {limit:,}")


class HandshakeFailed(ProtocolError):
    """A connection was not set up.  Attribute: `reason`, as text for the log of this node."""

    def __init__(self, reason: str, *, hint: str | None = None) -> None:
        self.reason = reason
        super().__init__(reason, hint=hint)


class NodeNameInvalid(PyxError, ValueError):
    """A text is not a node name.  Attributes: `name`, `problem`."""

    def __init__(self, name: object, problem: str, *, hint: str | None = None) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"{name!r} is not a node name: {problem}", hint=hint)


class NameTaken(PyxError):
    """A live node on this host has that name.  Attributes: `name`, `os_pid` (None if unknown)."""

    def __init__(self, name: str, os_pid: int | None, *, hint: str | None = None) -> None:
        self.name = name
        self.os_pid = os_pid
        holder = f" (pid {os_pid})" if os_pid else ""
        super().__init__(f"the name {name} is in use by another node{holder}", hint=hint)


class NodeNotAlive(PyxError):
    """The call needs a node with a name, and this process is not one."""

    def __init__(self, action: str) -> None:
        super().__init__(
            f"cannot {action}: this Python is not a node",
            hint="start it with `pyx --sname NAME`, or call Node.start(NAME)",
        )


class AlreadyStarted(PyxError):
    """`Node.start` was called in a process that is already a node.  Attribute: `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"this process is already the node {name}", hint="Node.stop() first")


class RuntimeDirectoryUnsafe(PyxError):
    """Other users can change the directory of sockets.  Attributes: `path`, `problem`."""

    def __init__(self, path: str, problem: str, *, hint: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path} {problem}", hint=hint)


class CookieUnsafe(PyxError):
    """Other users can read the cookie file, or own it.  Attributes: `path`, `problem`."""

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
    """The queue for a node is full, and the caller cannot wait: it runs an event loop, or is not a process.

    Attributes: `node`, `queued` (bytes).
    """

    def __init__(self, node: str, queued: int) -> None:
        self.node = node
        self.queued = queued
        super().__init__(
            busy_text(node, queued),
            hint="`await aio.send(...)` waits for room; nosuspend=True returns 'nosuspend' instead",
        )


def busy_text(node: str, queued: int) -> str:
    """Returns the sentence about a node for which *queued* bytes wait."""
    return f"{node} is busy, {queued / 2**20:.1f} MiB queued"


class NotAProcess(PyxError):
    """The calling thread is not a pyx process, so it has no pid and no mailbox."""

    def __init__(self, call: str, hint: str | None = None) -> None:
        super().__init__(
            f"{call} needs a process, and this thread is not one",
            hint=hint or "run the code with spawn(function), or the whole file by `pyx FILE`",
        )


class NoProcess(PyxError, LookupError):
    """No process on this node has that name or pid.  Attribute: `name`, a registered name, `Via` or pid."""

    def __init__(self, name: object) -> None:
        self.name = name
        if isinstance(name, str):
            problem = f"no process is registered as {name!r} on this node"
        elif hasattr(name, "whereis"):
            problem = f"no process is registered as {name!r}"
        else:
            problem = f"{name} is dead"
        super().__init__(problem)


class UndefinedFunction(PyxError, LookupError):
    """A process was started with a function that does not exist.

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
    """A finalizer or signal handler made a call with an answer while its thread did the node's own work."""

    def __init__(self) -> None:
        super().__init__(
            "pyx was called from a finalizer or signal handler that interrupted pyx itself",
            hint="code that runs there can send messages, but not wait for answers",
        )


class AlreadyReceiving(PyxError, RuntimeError):
    """Two receives of one process overlap; a mailbox has one reader at a time."""

    def __init__(self) -> None:
        super().__init__(
            "this process is already receiving, in another of its tasks or around this predicate",
            hint="receive in one task with several patterns, or spawn a process for each task",
        )


class TerminalTaken(PyxError, RuntimeError):
    """A process other than the shell called `input()`; the shell alone reads the terminal."""

    def __init__(self, reader: str) -> None:
        super().__init__(
            f"{reader} cannot read the terminal: the shell reads what is typed there",
            hint="call input() at the prompt, and send its result to the process",
        )


class TranscriptError(PyxError, ValueError):
    """A scenario file cannot be parsed.  Attributes: `path`, `line` and `column` (from 1), `problem`.

    Line 0 means the file as a whole.
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
    """A remote call returned no value.  Attribute: `node`."""

    def __init__(self, node: str, message: str, *, hint: str | None = None) -> None:
        self.node = node
        super().__init__(message, hint=hint)


class RpcNoConnection(RpcError, ConnectionError):
    """The node cannot be reached, or was lost during the call.  Attribute: `reason`."""

    def __init__(self, node: str, reason: str) -> None:
        self.reason = reason
        super().__init__(node, f"no connection to {node}: {reason}")


class RpcTimeout(RpcError, TimeoutError):
    """No answer came in time; the function may still run there.  Attribute: `timeout` (seconds)."""

    def __init__(self, node: str, timeout: float) -> None:
        self.timeout = timeout
        super().__init__(node, f"no answer from {node} within {timeout:g} s (the call may still run there)")


class RpcUndefined(RpcError):
    """The node lacks that module or function.

    Attributes: `module`, `function` (None: the module is missing).
    """

    def __init__(self, node: str, module: str, function: str | None = None) -> None:
        self.module = module
        self.function = function
        what = f"no module {module}" if function is None else f"no function {function} in module {module}"
        super().__init__(node, f"{node} has {what}")


class RpcRefused(RpcError):
    """The rpc policy of a node forbids the call.  Attribute: `policy`.

    With *private*, the call is `Process.info` of messages and dictionary, which need `--rpc open`.  With
    *has_no_module*, the function was typed at a prompt, or is a lambda, and would run there from its source;
    with *any_code*, the call is a remote shell, `--rpc-eval` or `ps`: to mark a function would not help.
    """

    def __init__(
        self,
        node: str,
        policy: str,
        *,
        private: bool = False,
        has_no_module: bool = False,
        any_code: bool = False,
    ) -> None:
        self.policy = policy
        what, hint = (
            "calls",
            f"start {node} with --rpc open, or with --rpc exported to allow marked functions",
        )
        if private:
            what = "to show the messages and the dictionary of a process"
            hint = f"ask for other keys, or start {node} with --rpc open"
        elif has_no_module:
            what = "functions that come as source"
            hint = f"start {node} with --rpc open, or call a function of a module that is loaded there"
        elif any_code:
            what = "what is typed on another node"
            hint = f"start {node} with --rpc open, which lets every holder of its cookie run any code there"
        elif policy == "exported":
            what = "calls of functions that are not marked"
            hint = "mark the function with @rpc.export there, in a module that is loaded there"
        super().__init__(node, f"{node} refuses {what} (it runs with --rpc {policy})", hint=hint)


class RemoteError(RpcError):
    """The called function raised, or its result is not data.

    Attributes: `type` (the exception's class name), `text` (its message), `traceback` (of the other node, as
    text without pyx's own frames; empty where there are none).  A note of the exception holds the node and
    the traceback, so that every display of it shows them.
    """

    def __init__(self, node: str, type_name: str, text: str, traceback: str = "") -> None:
        self.type = type_name
        self.text = text
        self.traceback = traceback
        super().__init__(node, f"{type_name}: {text}" if text else type_name)
        shown = traceback.strip("\n")  # the first line keeps its indent, as the others do
        self.add_note(
            "\n  ".join([f"on {node}"] if shown in {"", str(self)} else [f"on {node}:", *shown.split("\n")])
        )


class Exit(Exception):
    """Ends the process that raises it, with a reason: `raise Exit("shutdown")`.

    Attribute: `reason`, any data; `"normal"` by default.
    """

    def __init__(self, reason: Any = "normal") -> None:
        self.reason = reason
        super().__init__(reason)


class ProcessKilled(BaseException):
    """Raised in the code of a process that was killed.  Do not catch it: the process is already dead."""


def brief(value: object) -> str:
    """Returns a repr of at most 80 characters; one that raises is replaced by the class name."""
    try:
        text = repr_within(value, 81)
    except Exception:  # a repr is user code
        text = f"<{type(value).__name__} object>"
    return text if len(text) <= 80 else text[:77] + "..."
