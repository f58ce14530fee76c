"""`PartitionSupervisor`: one child several times, so that requests spread over them by a key; Elixir's."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pyx.otp.child_errors import ChildSpecInvalid
from pyx.otp.children import ChildSpec, spec_of
from pyx.otp.restart_intensity import DEFAULT_RESTARTS, DEFAULT_SECONDS
from pyx.otp.supervisor import Supervisor, start_supervisor, supervisor_of
from pyx.otp.via import via
from pyx.runtime.local_node import this_node
from pyx.runtime.request import wait
from pyx.wire.codec import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyx.otp.supervisor import Strategy
    from pyx.otp.supervisor_server import SupervisorServer
    from pyx.runtime.via_names import Via
    from pyx.terms import Pid

    WithArguments = Callable[[tuple[Any, ...], int], tuple[Any, ...]]

PARTITIONS: Final = "$partitions"
"""The key of the process dictionary of the supervisor under which the pids stand, by the ids."""


def partition_supervisor_of(
    what: Any,
    partitions: int | None,
    strategy: Strategy,
    max_restarts: int,
    max_seconds: float,
    with_arguments: WithArguments | None,
) -> SupervisorServer:
    """Returns what `PartitionSupervisor.start_link` runs in a process; raises as it does."""
    number = partitions if partitions is not None else os.cpu_count() or 1
    if type(number) is not int or number < 1:
        msg = f"partitions is a number of processes, 1 or more, not {partitions!r}"
        raise ChildSpecInvalid(msg, ("bad_start_spec", ("invalid_partitions", partitions)))
    spec = spec_of(what)
    children = [_partition(spec, partition, with_arguments) for partition in range(number)]
    return supervisor_of(children, strategy, max_restarts, max_seconds, pids_under=PARTITIONS)


def _partition(spec: ChildSpec, partition: int, with_arguments: WithArguments | None) -> ChildSpec:
    args = spec.args if with_arguments is None else with_arguments(spec.args, partition)
    return replace(spec, id=partition, args=args)


class PartitionSupervisor:
    """Functions of partition supervisors, and the class of one that is a child of another supervisor.

        PartitionSupervisor.start_link(Counter, name="counters", partitions=8)
        Counter.add(PartitionSupervisor.via("counters", user), 1)

    Equal keys are served by the same child.
    """

    child_options: ClassVar[Mapping[str, Any]] = {"type": "supervisor"}

    @staticmethod
    def start_link(
        child: Any,
        *,
        name: str,
        partitions: int | None = None,
        strategy: Strategy = "one_for_one",
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
        with_arguments: WithArguments | None = None,
    ) -> Pid:
        """Starts a supervisor with *partitions* children that are alike, with the ids 0, 1 and so on.

        Args:
            child: an item as in the list of `Supervisor.start_link`; its id is not used.
            name: of the supervisor, for `via`.
            partitions: their number; None: that of the processors.
            strategy: see `Supervisor.start_link`.
            max_restarts: see there.
            max_seconds: see there.
            with_arguments: (the child's positional arguments, its id) -> those that this one gets.

        Raises:
            ChildSpecInvalid, StartFailed, ServerAlreadyStarted, EncodeError, NotAProcess: see
                `Supervisor.start_link`.
        """
        server = partition_supervisor_of(
            child, partitions, strategy, max_restarts, max_seconds, with_arguments
        )
        started = start_supervisor(server, "PartitionSupervisor", name, link=True)
        return wait("PartitionSupervisor.start_link", started)

    @staticmethod
    def via(name: str, key: Any) -> Via:
        """Returns the name of the child that serves *key*, for every place that takes the name of a process.

        It is found at each use: an int by its remainder, other data by a checksum, which is the same in every
        run and on every node.

        Args:
            name: of the partition supervisor, on this node.
            key: data.
        """
        return via(PartitionSupervisor, (name, key))

    @staticmethod
    def partitions(name: str) -> int:
        """Returns the number of partitions.

        Raises:
            ValueError: there is no partition supervisor of that name on this node.
        """
        return len(_pids_of(name))

    @staticmethod
    def whereis_name(term: tuple[str, Any]) -> Pid | None:
        """Returns the child that serves `(name, key)`; None while it is being restarted.  For `via`.

        Raises:
            ValueError: there is no partition supervisor of that name on this node.
        """
        name, key = term
        pids = _pids_of(name)
        return pids.get(partition_of(key, len(pids)))

    @staticmethod
    def register_name(term: tuple[str, Any], pid: Pid) -> Pid | None:
        """Refuses: a partition supervisor starts all its children itself.  For `via`."""
        msg = f"{pid} cannot take the name {term!r}: a partition supervisor starts its children itself"
        raise ValueError(msg)

    @staticmethod
    def unregister_name(term: tuple[str, Any]) -> None:
        """Refuses as `register_name`.  For `via`."""
        msg = f"the name {term!r} cannot be freed: it is that of a partition supervisor"
        raise ValueError(msg)

    which_children = Supervisor.which_children
    count_children = Supervisor.count_children
    stop = Supervisor.stop


def partition_of(key: Any, partitions: int) -> int:
    """Returns the partition of a key, from 0 on; an int's by its absolute value, as Elixir's."""
    if type(key) is int:
        return abs(key) % partitions
    return zlib.crc32(encode(key, what="key")) % partitions


def _pids_of(name: str) -> Mapping[int, Pid | None]:
    """Returns the pids of the partitions, by their ids."""
    with this_node().kernel_call as kernel:
        pid = kernel.registry.whereis(name)
        process = kernel.tables.find(pid) if pid is not None else None
        pids: Mapping[int, Pid | None] | None = (
            process.dictionary.get(PARTITIONS) if process is not None else None
        )
    if pids is None:
        msg = f"there is no partition supervisor {name!r} on this node"
        raise ValueError(msg)
    return pids
