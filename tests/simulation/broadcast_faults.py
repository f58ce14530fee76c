"""Faults of a kernel that concern broadcasts, by name; see `kernel_faults.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.host import replace
from tests.simulation.kernel_faults import do_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.fan_outs import FanOut
    from pyx.core.processes import ProcessRecord
    from pyx.terms import Pid
    from tests.simulation.host import Fault, WatchedKernel


def signal_overtakes_a_broadcast_of_its_sender(kernel: WatchedKernel) -> None:
    """What a sender does while its fan-out goes on comes before it."""
    replace(kernel.router, "precede", do_nothing)


def broadcast_of_the_same_sender_overtakes_a_long_one(kernel: WatchedKernel) -> None:
    """A small broadcast does not wait for the fan-out of its sender."""
    publish = kernel.broadcasts.publish

    def faulty(frm: Pid | None, *args: Any, **options: Any) -> FanOut | None:
        ahead = kernel.tables.fan_outs.latest.pop(frm, None)
        try:
            return publish(frm, *args, **options)
        finally:
            if ahead is not None and frm not in kernel.tables.fan_outs.latest:
                kernel.tables.fan_outs.latest[frm] = ahead

    replace(kernel.broadcasts, "publish", faulty)


def early_copy_comes_twice(kernel: WatchedKernel) -> None:
    """The fan-out forgets who has got its copy out of turn."""
    append = kernel.broadcasts._append

    def faulty(fan_out: FanOut, count: int) -> int:
        fan_out.early.clear()
        return append(fan_out, count)

    replace(kernel.broadcasts, "_append", faulty)


def receivers_are_not_woken(kernel: WatchedKernel) -> None:
    """The receivers of a long fan-out wait on, though they have a message."""

    def faulty(fan_out: FanOut, count: int) -> int:
        fan_out.woken += count
        return count

    replace(kernel.broadcasts, "_wake", faulty)


def rest_of_a_fan_out_is_dropped(kernel: WatchedKernel) -> None:
    """Nothing follows the first portion."""
    replace(kernel.broadcasts, "continue_fan_outs", do_nothing)


def loss_of_a_node_overtakes_its_broadcasts(kernel: WatchedKernel) -> None:
    """Those who are told of the loss get the rest of its fan-outs later."""
    replace(kernel.router, "precede_node", do_nothing)


def copies_before_a_loss_are_in_order_of_senders(kernel: WatchedKernel) -> None:
    """A diff about several processes passes those of one of them alone."""
    fan_outs = kernel.tables.fan_outs

    def faulty(node: str, processes: Iterable[ProcessRecord]) -> None:
        of_node = [frm for frm in fan_outs.latest if frm is not None and frm.node == node]
        for process in processes:
            for frm in of_node:
                for fan_out in [one for one in fan_outs.queue if frm in one.senders]:
                    for _ in range(fan_out.take_for(process)):
                        kernel.router.deliver(process, fan_out.body)

    replace(kernel.router, "precede_node", faulty)


def skipped_process_is_not_skipped(kernel: WatchedKernel) -> None:
    """`broadcast_from` is `broadcast`."""
    publish = kernel.broadcasts.publish

    def faulty(*args: Any, **options: Any) -> FanOut | None:
        return publish(*args, **{**options, "skip": None})

    replace(kernel.broadcasts, "publish", faulty)


def diff_has_no_place_among_the_signals_of_its_processes(kernel: WatchedKernel) -> None:
    """A small diff passes the long fan-outs of those whom it is about."""
    publish = kernel.broadcasts.publish

    def faulty(*args: Any, **options: Any) -> FanOut | None:
        return publish(*args, **{**options, "about": ()})

    replace(kernel.broadcasts, "publish", faulty)


def subscribers_are_not_told_of_a_lost_node(kernel: WatchedKernel) -> None:
    """Its presences leave without a diff."""
    replace(kernel.presence_diffs, "peer_lost", do_nothing)


def subscribers_are_not_told_of_a_new_node(kernel: WatchedKernel) -> None:
    """Its presences are there without a diff."""
    replace(kernel.presence_diffs, "peer_is_here", do_nothing)


BROADCAST_FAULTS: dict[str, Fault] = {
    install.__name__: install
    for install in (
        signal_overtakes_a_broadcast_of_its_sender,
        broadcast_of_the_same_sender_overtakes_a_long_one,
        early_copy_comes_twice,
        receivers_are_not_woken,
        rest_of_a_fan_out_is_dropped,
        loss_of_a_node_overtakes_its_broadcasts,
        copies_before_a_loss_are_in_order_of_senders,
        skipped_process_is_not_skipped,
        diff_has_no_place_among_the_signals_of_its_processes,
        subscribers_are_not_told_of_a_lost_node,
        subscribers_are_not_told_of_a_new_node,
    )
}
"""Every fault of this file by its name."""
