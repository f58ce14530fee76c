"""`Registry`: keys of processes of this node, each with a value, as Elixir's module `Registry`.

The kernel keeps the entries, and drops those of a process in the step in which it ends.  See `core/keys.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pyx.execution.context import require
from pyx.otp.key_errors import AlreadyRegistered
from pyx.otp.named_spaces import REGISTRY, key_bytes, key_of, space_name, start_owner
from pyx.runtime.arguments import checked_name, checked_pid
from pyx.runtime.encoding import decode_body
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.patterns import matches
from pyx.runtime.request import wait
from pyx.runtime.via_names import Via
from pyx.signals import Payload
from pyx.wire.codec import encode_payload, is_flat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyx.core.kernel import Kernel
    from pyx.core.spaces import Space
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

__all__ = ["Registry"]

KeysOfRegistry: TypeAlias = Literal["unique", "duplicate"]
"""Whether a key has one holder, or any number."""


class Registry:
    """Tables of keys, of this node: who holds which key, with a value; a namespace, never instantiated.

        Registry.start_link(keys="unique", name="rooms")
        Registry.register("rooms", 7, "lobby")         # the running process holds the key 7
        Registry.lookup("rooms", 7)                    # [(pid, "lobby")]
        Room.start_link(name=Registry.via("rooms", 8)) # a key as the name of a server

    In a `"unique"` registry a key has one holder, in a `"duplicate"` one any number, and a process may hold a
    key several times.  Keys are hashable data (`1` and `1.0` are two keys), values are data.  A process holds
    keys until it gives them up or ends.

    Differs from Elixir: no process is linked to a registry's own, and the end of the registry ends none.
    """

    child_options: ClassVar[Mapping[str, Any]] = {"type": "supervisor"}

    # ------------------------------------------------------------ start

    @staticmethod
    def start_link(*, keys: KeysOfRegistry, name: str, listeners: Iterable[str] = ()) -> Pid:
        """Starts a registry whose process is linked to the caller; returns the pid of that process.

        Under a supervisor: `child(Registry, keys="unique", name="shops")`.

        Args:
            keys: `"unique"` or `"duplicate"`.
            name: of the registry; its process is registered under it.
            listeners: registered names of processes that receive `("register", registry, key, pid, value)`
                and `("unregister", registry, key, pid)`.

        Raises:
            ServerAlreadyStarted: a process has that name.
            NotAProcess: the calling thread is not a pyx process.
        """
        require("Registry.start_link()")
        return wait("Registry.start_link", start(keys, name, listeners, link=True))

    @staticmethod
    def start(*, keys: KeysOfRegistry, name: str, listeners: Iterable[str] = ()) -> Pid:
        """`start_link` without the link, on any thread."""
        return wait("Registry.start", start(keys, name, listeners, link=False))

    # ------------------------------------------------------------ names of processes

    @staticmethod
    def via(registry: str, key: Any, *value: Any) -> Via:
        """Returns a key as the name of a process: `name=Registry.via("shops", 7)`.

        It is taken wherever the name of a process is: by `send`, `GenServer.call`, `Process.whereis` ...

        Args:
            registry: a unique one.
            key: the key.
            value: what a process that is started under this name registers beside the key.
        """
        return Via(Registry, (registry, key, *value))

    @staticmethod
    def whereis_name(term: Any, /) -> Pid | None:
        """Returns the process that `via(Registry, term)` names; see `via_names.NameRegistry`."""
        registry, key, _ = _name(term)
        here, encoded = this_node(), _key(key)
        with here.kernel_call as kernel:
            found = _names(kernel, registry).living(encoded)
        return found[0].held.frm if found else None

    @staticmethod
    def register_name(term: Any, pid: Pid, /) -> Pid | None:
        """Registers a process of this node; returns None, or the holder of the key."""
        registry, key, value = _name(term)
        return _register(registry, key, value, pid, is_name=True)[1]

    @staticmethod
    def unregister_name(term: Any, /) -> None:
        """Frees the key."""
        registry, key, _ = _name(term)
        here, encoded = this_node(), _key(key)
        with here.kernel_call as kernel:
            space = _names(kernel, registry)
            kernel.keys.drop(space, space.living(encoded))

    # ------------------------------------------------------------ entries

    @staticmethod
    def register(registry: str, key: Any, value: Any = None) -> Pid:
        """Gives the running process a key, with a value; returns the pid of the registry's process.

        Raises:
            AlreadyRegistered: the registry is unique and the key has a holder, which may be the caller.
            ValueError: there is no such registry.
            NotAProcess: the calling thread is not a pyx process.
        """
        runner = require("Registry.register()")
        owner, holder = _register(registry, key, value, runner.process.pid)
        if holder is not None:
            raise AlreadyRegistered(registry, key, holder)
        return owner

    @staticmethod
    def unregister(registry: str, key: Any) -> str:
        """Takes all entries of a key from the running process; returns `"ok"`, also if there are none."""
        runner = require("Registry.unregister()")
        encoded = _key(key)
        with node_of(runner).kernel_call as kernel:
            space = _space(kernel, registry)
            kernel.keys.drop(space, kernel.keys.held_by(runner.process, space, encoded))
        return "ok"

    @staticmethod
    def unregister_match(registry: str, key: Any, pattern: Any) -> str:
        """Takes those entries of a key from the running process whose value matches; returns `"ok"`.

        Args:
            registry: its name.
            key: the key.
            pattern: a pattern of `receive`, for the value.
        """
        runner = require("Registry.unregister_match()")
        here, encoded = node_of(runner), _key(key)
        with here.kernel_call as kernel:
            space = _space(kernel, registry)
            entries = kernel.keys.held_by(runner.process, space, encoded)
        # A pattern may be a function of the user's, so it is tried outside of the kernel.
        let = [entry for entry in entries if matches(pattern, decode_body(here.kernel, entry.held.value))]
        with here.kernel_call as kernel:
            kernel.keys.drop(space, let)
        return "ok"

    @staticmethod
    def update_value(registry: str, key: Any, function: Callable[[Any], Any]) -> tuple[Any, Any] | str:
        """Replaces the value of a key of the running process in a unique registry by what *function* returns.

        Returns:
            `(new, old)`, or `"error"` if the running process does not hold the key.

        Raises:
            ValueError: there is no such registry, or it is not unique.
        """
        runner = require("Registry.update_value()")
        here, encoded = node_of(runner), _key(key)
        with here.kernel_call as kernel:
            space = _space(kernel, registry)
            entries = kernel.keys.held_by(runner.process, space, encoded)
        if not space.unique:
            msg = f"values of the registry {registry!r} cannot be updated: its keys are not unique"
            raise ValueError(msg)
        if not entries:
            return "error"
        old = decode_body(here.kernel, entries[0].held.value)
        new = function(old)
        body = _value_as_kept(here, new)
        with here.kernel_call as kernel:
            kernel.keys.update(runner.process, space, encoded, body)
        return new, old

    # ------------------------------------------------------------ looking

    @staticmethod
    def lookup(registry: str, key: Any) -> list[tuple[Pid, Any]]:
        """Returns the holders of a key with their values, oldest entry first; `[]` if there are none."""
        here, encoded = this_node(), _key(key)
        with here.kernel_call as kernel:
            found = [entry.held for entry in _space(kernel, registry).living(encoded)]
        return [(held.frm, decode_body(here.kernel, held.value)) for held in found]

    @staticmethod
    def values(registry: str, key: Any, pid: Pid) -> list[Any]:
        """Returns the values of a key of one process."""
        pid = checked_pid(pid)
        return [value for holder, value in Registry.lookup(registry, key) if holder == pid]

    @staticmethod
    def keys(registry: str, pid: Pid) -> list[Any]:
        """Returns the keys that a process holds, each as often as it holds it."""
        here, pid = this_node(), checked_pid(pid)
        with here.kernel_call as kernel:
            space, process = _space(kernel, registry), kernel.tables.find(pid)
            found = kernel.keys.held_by(process, space) if process is not None else []
        return [key_of(here.kernel, entry.held.key, trusted=True) for entry in found]

    @staticmethod
    def count(registry: str) -> int:
        """Returns the number of entries of a registry."""
        with this_node().kernel_call as kernel:
            return _space(kernel, registry).size

    @staticmethod
    def select(registry: str) -> list[tuple[Any, Pid, Any]]:
        """Returns all entries as `(key, pid, value)`, for a comprehension.

        Differs from Elixir: there are no match specifications.
        """
        here = this_node()
        with here.kernel_call as kernel:
            found = [entry.held for entry in _space(kernel, registry).all()]
        return [
            (key_of(here.kernel, held.key, trusted=True), held.frm, decode_body(here.kernel, held.value))
            for held in found
        ]

    @staticmethod
    def dispatch(registry: str, key: Any, function: Callable[[list[tuple[Pid, Any]]], object]) -> str:
        """Calls *function* in the caller with the entries of a key, `[(pid, value), ...]`, if there are any.

        Returns:
            `"ok"`; what *function* raises reaches the caller.
        """
        entries = Registry.lookup(registry, key)
        if entries:
            function(entries)
        return "ok"

    # ------------------------------------------------------------ values of the registry itself

    @staticmethod
    def put_meta(registry: str, key: Any, value: Any) -> str:
        """Stores a value beside the entries, for as long as the registry is there; returns `"ok"`."""
        here, encoded = this_node(), _key(key)
        body = _value_as_kept(here, value)
        with here.kernel_call as kernel:
            _space(kernel, registry).meta[encoded] = body
        return "ok"

    @staticmethod
    def meta(registry: str, key: Any, default: Any = None) -> Any:
        """Returns what `put_meta` stored, or *default*."""
        here, encoded = this_node(), _key(key)
        with here.kernel_call as kernel:
            body = _space(kernel, registry).meta.get(encoded, _MISSING)
        return default if body is _MISSING else decode_body(here.kernel, body)


_MISSING = object()


async def start(keys: Any, name: Any, listeners: Iterable[str], *, link: bool) -> Pid:
    """Starts a registry; see `Registry.start_link`."""
    if keys not in {"unique", "duplicate"}:
        msg = f'keys is "unique" or "duplicate", not {keys!r}'
        raise ValueError(msg)
    if isinstance(listeners, str):
        msg = f"listeners is a list of names, not {listeners!r}"
        raise TypeError(msg)
    told = tuple(checked_name(listener) for listener in listeners)
    space = space_name(REGISTRY, name, "registry")
    return await start_owner(
        space, name, "Registry", unique=keys == "unique", replicated=False, link=link, listeners=told
    )


def _name(term: Any) -> tuple[str, Any, Any]:
    """Returns the registry, the key and the value of a name `(registry, key)` or `(registry, key, value)`."""
    match term:
        case (registry, key):
            return registry, key, None
        case (registry, key, value):
            return registry, key, value
    msg = f"a name in a Registry is (registry, key) or (registry, key, value), not {term!r}"
    raise TypeError(msg)


def _key(key: Any) -> bytes:
    return key_bytes(this_node(), key, "key", replicated=False)


def _value_as_kept(here: LocalNode, value: Any) -> Any:
    """Returns a payload, or a flat value as it is; raises EncodeError."""
    if is_flat(value):
        return value
    return Payload(encode_payload(value, what="value", max_bytes=here.max_message_bytes))


def _space(kernel: Kernel, registry: Any) -> Space:
    space = kernel.tables.spaces.get(f"{REGISTRY}{registry}") if type(registry) is str else None
    if space is None:
        msg = f"unknown registry: {registry} (Registry.start_link starts one, on each node its own)"
        raise ValueError(msg)
    return space


def _names(kernel: Kernel, registry: Any) -> Space:
    """Returns the space of a registry whose keys are names: in others a key has many holders."""
    space = _space(kernel, registry)
    if not space.unique:
        msg = f"the registry {registry!r} has no names for via(...): its keys are not unique"
        raise ValueError(msg)
    return space


def _register(
    registry: str, key: Any, value: Any, pid: Pid, *, is_name: bool = False
) -> tuple[Pid, Pid | None]:
    """Registers a process of this node; returns the registry's process, and the holder of a taken key."""
    here, encoded = this_node(), _key(key)
    body = _value_as_kept(here, value)
    with here.kernel_call as kernel:
        process = kernel.tables.find(checked_pid(pid))
        space = _names(kernel, registry) if is_name else _space(kernel, registry)
        assert space.owner is not None
        return space.owner, None if process is None else kernel.keys.hold(space, encoded, body, [process])
