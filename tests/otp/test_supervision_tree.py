"""supervision_tree.py: `Supervisor.tree`."""

from __future__ import annotations

import pytest

from pyx import DynamicSupervisor, Pid, Supervisor, aio, child, send
from pyx.errors import EncodeError
from pyx.otp.supervision_tree import tree_text
from pyx.runtime.local_node import LocalNode
from pyx.runtime.request import wait
from tests.local_nodes import LocalNodes, as_process, until
from tests.otp.supervised import in_process


async def waits() -> None:
    await aio.receive("end")


async def leaves() -> None: ...


@in_process
def test_tree_shows_pids_mailboxes_restarts_and_what_does_not_run() -> None:
    inner = child(Supervisor, [child(waits, id="deep")], strategy="rest_for_one", name="inner")
    rooms = child(DynamicSupervisor, name="rooms", max_children=9)
    kids = [child(waits, id=("stock", 1)), inner, rooms, child(leaves, id="once", restart="transient")]
    Supervisor.start_link(kids, strategy="one_for_one", name="shop")
    pids = {row[0]: row[1] for row in Supervisor.which_children("shop")}
    stock = pids["stock", 1]
    assert isinstance(stock, Pid)
    send(stock, "end")
    until(lambda: stock not in [row[1] for row in Supervisor.which_children("shop")])
    until(lambda: Supervisor.count_children("shop")["active"] == 3)
    pids = {row[0]: row[1] for row in Supervisor.which_children("shop")}
    deep = Supervisor.which_children("inner")[0][1]
    assert isinstance(deep, Pid)
    send(deep, "unread")
    room = DynamicSupervisor.start_child("rooms", waits)
    text = wait("tree", tree_text("shop"))
    assert text.splitlines() == [
        "shop (one_for_one, 3 restarts in 5 s)",
        f"├── ('stock', 1) {pids['stock', 1]}, 1 restart",
        f"├── inner {pids['inner']} (rest_for_one, 3 restarts in 5 s)",
        f"│   └── deep {deep}, 1 in its mailbox",
        f"├── rooms {pids['rooms']} (dynamic, 3 restarts in 5 s, 9 children at most)",
        f"│   └── waits {room}",
        "└── once does not run",
    ]


def test_supervisor_of_an_erlang_node_is_not_sent_what_would_end_it(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = nodes.start("a")
    b = nodes.start("b")
    as_process(b, lambda: Supervisor.start([], strategy="one_for_one", name="shop"))
    assert as_process(a, lambda: wait("tree", tree_text(("shop", "b")))).startswith(
        "('shop', 'b') (one_for_one"
    )
    a.speaks_with_erlang = True
    monkeypatch.setattr(LocalNode, "is_erlang", lambda _, node: node == "b@test")
    with pytest.raises(EncodeError, match="'tree' is known to supervisors of pyx alone"):
        as_process(a, lambda: wait("tree", tree_text(("shop", "b"))))
