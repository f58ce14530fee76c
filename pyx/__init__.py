"""pyx: the node shell for Python.  Processes with mailboxes, on nodes that form a mesh, at a prompt.

    from pyx import Node, Process, receive, rpc, self, send, spawn

The import starts no thread and loads no other module of pyx: each name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyx import aio, beam, rpc
    from pyx.atoms import Atom
    from pyx.cluster.cluster import Cluster
    from pyx.cluster.cluster_errors import (
        ClusterError,
        ClusterIncomplete,
        ClusterInvalid,
        ClusterNotStarted,
    )
    from pyx.cluster.sighting import Sighting
    from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Map, Port, charlist, keyword
    from pyx.errors import (
        AlreadyReceiving,
        AlreadyStarted,
        CookieUnsafe,
        DecodeError,
        EncodeError,
        Exit,
        FrameTooBig,
        HandshakeFailed,
        NameTaken,
        NoConnection,
        NodeBusy,
        NodeNameInvalid,
        NodeNotAlive,
        NoProcess,
        NotAProcess,
        ProcessKilled,
        ProtocolError,
        PyxError,
        ReceiveTimeout,
        Reentered,
        RegistrationError,
        RemoteError,
        RpcError,
        RpcNoConnection,
        RpcRefused,
        RpcTimeout,
        RpcUndefined,
        RuntimeDirectoryUnsafe,
        TerminalTaken,
        TranscriptError,
        UndefinedFunction,
        WouldBlock,
    )
    from pyx.nodes import Node, node
    from pyx.otp.agent import Agent
    from pyx.otp.application import Application
    from pyx.otp.application_errors import (
        ApplicationAlreadyStarted,
        ApplicationError,
        ApplicationInvalid,
        ApplicationNotStarted,
    )
    from pyx.otp.call_errors import (
        CallError,
        CallExited,
        CallingSelf,
        CallNoConnection,
        CallNoProcess,
        CallRefused,
        CallTimeout,
        CallUndefined,
    )
    from pyx.otp.child_errors import (
        ChildAlreadyPresent,
        ChildError,
        ChildNotFound,
        ChildRestarting,
        ChildRunning,
        ChildSpecInvalid,
        TooManyChildren,
    )
    from pyx.otp.children import ChildSpec, child
    from pyx.otp.dynamic_supervisor import DynamicSupervisor
    from pyx.otp.genserver import GenServer
    from pyx.otp.handle import handle
    from pyx.otp.key_errors import AlreadyRegistered, NotLocal
    from pyx.otp.key_registry import Registry
    from pyx.otp.partition_supervisor import PartitionSupervisor
    from pyx.otp.pg import pg
    from pyx.otp.results import Continue, Ignore, NoReply, Reply, Stop
    from pyx.otp.server_sys import Sys
    from pyx.otp.start_errors import ServerAlreadyStarted, StartFailed
    from pyx.otp.supervisor import Supervisor
    from pyx.otp.task import Task
    from pyx.otp.task_errors import TaskError, TaskExited, TaskNotMine, TaskTimeout
    from pyx.otp.via import via
    from pyx.primitives import flush, make_ref, receive, self, send, spawn, spawn_link, spawn_monitor
    from pyx.process import Process
    from pyx.pubsub.presence import Presence
    from pyx.pubsub.presence_errors import AlreadyTracked, NotTracked
    from pyx.pubsub.topics import PubSub
    from pyx.terms import FunctionName, Literal, Pid, Raised, Ref, Struct

__version__ = "0.1.0"

_PUBLIC_NAMES: Final = {
    "pyx.primitives": (
        "flush",
        "make_ref",
        "receive",
        "self",
        "send",
        "spawn",
        "spawn_link",
        "spawn_monitor",
    ),
    "pyx.nodes": ("Node", "node"),
    "pyx.process": ("Process",),
    "pyx.otp.genserver": ("GenServer",),
    "pyx.otp.handle": ("handle",),
    "pyx.otp.results": ("Continue", "Ignore", "NoReply", "Reply", "Stop"),
    "pyx.otp.server_sys": ("Sys",),
    "pyx.otp.start_errors": ("ServerAlreadyStarted", "StartFailed"),
    "pyx.otp.child_errors": (
        "ChildAlreadyPresent",
        "ChildError",
        "ChildNotFound",
        "ChildRestarting",
        "ChildRunning",
        "ChildSpecInvalid",
        "TooManyChildren",
    ),
    "pyx.otp.key_errors": ("AlreadyRegistered", "NotLocal"),
    "pyx.otp.key_registry": ("Registry",),
    "pyx.otp.pg": ("pg",),
    "pyx.otp.via": ("via",),
    "pyx.otp.children": ("ChildSpec", "child"),
    "pyx.otp.application": ("Application",),
    "pyx.otp.application_errors": (
        "ApplicationAlreadyStarted",
        "ApplicationError",
        "ApplicationInvalid",
        "ApplicationNotStarted",
    ),
    "pyx.otp.supervisor": ("Supervisor",),
    "pyx.otp.dynamic_supervisor": ("DynamicSupervisor",),
    "pyx.otp.partition_supervisor": ("PartitionSupervisor",),
    "pyx.otp.agent": ("Agent",),
    "pyx.otp.task": ("Task",),
    "pyx.pubsub.topics": ("PubSub",),
    "pyx.pubsub.presence": ("Presence",),
    "pyx.pubsub.presence_errors": ("AlreadyTracked", "NotTracked"),
    "pyx.otp.task_errors": ("TaskError", "TaskExited", "TaskNotMine", "TaskTimeout"),
    "pyx.cluster.cluster": ("Cluster",),
    "pyx.cluster.cluster_errors": (
        "ClusterError",
        "ClusterIncomplete",
        "ClusterInvalid",
        "ClusterNotStarted",
    ),
    "pyx.cluster.sighting": ("Sighting",),
    "pyx.terms": ("FunctionName", "Literal", "Pid", "Raised", "Ref", "Struct"),
    "pyx.atoms": ("Atom",),
    "pyx.erlang_terms": (
        "BeamFunction",
        "BitString",
        "ImproperList",
        "Map",
        "Port",
        "charlist",
        "keyword",
    ),
    "pyx.errors": (
        "AlreadyReceiving",
        "AlreadyStarted",
        "CookieUnsafe",
        "DecodeError",
        "EncodeError",
        "Exit",
        "FrameTooBig",
        "HandshakeFailed",
        "NameTaken",
        "NoConnection",
        "NoProcess",
        "NodeBusy",
        "NodeNameInvalid",
        "NodeNotAlive",
        "NotAProcess",
        "ProcessKilled",
        "ProtocolError",
        "PyxError",
        "ReceiveTimeout",
        "Reentered",
        "RegistrationError",
        "RemoteError",
        "RpcError",
        "RpcNoConnection",
        "RpcRefused",
        "RpcTimeout",
        "RpcUndefined",
        "RuntimeDirectoryUnsafe",
        "TerminalTaken",
        "TranscriptError",
        "UndefinedFunction",
        "WouldBlock",
    ),
    "pyx.otp.call_errors": (
        "CallError",
        "CallExited",
        "CallNoConnection",
        "CallNoProcess",
        "CallRefused",
        "CallTimeout",
        "CallUndefined",
        "CallingSelf",
    ),
}
"""The public names, by their modules; a test holds them equal to `__all__` and to the imports above."""

_MODULE_OF: Final = {name: module for module, names in _PUBLIC_NAMES.items() for name in names}

__all__ = [
    "Agent",
    "AlreadyReceiving",
    "AlreadyRegistered",
    "AlreadyStarted",
    "AlreadyTracked",
    "Application",
    "ApplicationAlreadyStarted",
    "ApplicationError",
    "ApplicationInvalid",
    "ApplicationNotStarted",
    "Atom",
    "BeamFunction",
    "BitString",
    "CallError",
    "CallExited",
    "CallNoConnection",
    "CallNoProcess",
    "CallRefused",
    "CallTimeout",
    "CallUndefined",
    "CallingSelf",
    "ChildAlreadyPresent",
    "ChildError",
    "ChildNotFound",
    "ChildRestarting",
    "ChildRunning",
    "ChildSpec",
    "ChildSpecInvalid",
    "Cluster",
    "ClusterError",
    "ClusterIncomplete",
    "ClusterInvalid",
    "ClusterNotStarted",
    "Continue",
    "CookieUnsafe",
    "DecodeError",
    "DynamicSupervisor",
    "EncodeError",
    "Exit",
    "FrameTooBig",
    "FunctionName",
    "GenServer",
    "HandshakeFailed",
    "Ignore",
    "ImproperList",
    "Literal",
    "Map",
    "NameTaken",
    "NoConnection",
    "NoProcess",
    "NoReply",
    "Node",
    "NodeBusy",
    "NodeNameInvalid",
    "NodeNotAlive",
    "NotAProcess",
    "NotLocal",
    "NotTracked",
    "PartitionSupervisor",
    "Pid",
    "Port",
    "Presence",
    "Process",
    "ProcessKilled",
    "ProtocolError",
    "PubSub",
    "PyxError",
    "Raised",
    "ReceiveTimeout",
    "Reentered",
    "Ref",
    "RegistrationError",
    "Registry",
    "RemoteError",
    "Reply",
    "RpcError",
    "RpcNoConnection",
    "RpcRefused",
    "RpcTimeout",
    "RpcUndefined",
    "RuntimeDirectoryUnsafe",
    "ServerAlreadyStarted",
    "Sighting",
    "StartFailed",
    "Stop",
    "Struct",
    "Supervisor",
    "Sys",
    "Task",
    "TaskError",
    "TaskExited",
    "TaskNotMine",
    "TaskTimeout",
    "TerminalTaken",
    "TooManyChildren",
    "TranscriptError",
    "UndefinedFunction",
    "WouldBlock",
    "aio",
    "beam",
    "charlist",
    "child",
    "flush",
    "handle",
    "keyword",
    "make_ref",
    "node",
    "pg",
    "receive",
    "rpc",
    "self",
    "send",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "via",
]


def __getattr__(name: str) -> Any:
    if name in {"aio", "beam", "rpc"}:
        return importlib.import_module(f"pyx.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        msg = f"module 'pyx' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
