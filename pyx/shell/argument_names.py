"""Which arguments of the public functions are names of nodes, processes, modules, children or topics."""

from __future__ import annotations

from typing import Final

NODE: Final = "node"
REGISTERED: Final = "registered"
SERVER: Final = "server"
"""A registered name, or (name, node)."""
CHILD: Final = "child"
MODULE: Final = "module"
TOPIC: Final = "topic"
PUBSUB: Final = "pubsub"
PRESENCE: Final = "presence"
"""An instance of PubSub; of Presence."""
_ARGUMENTS: Final[dict[str, dict[str, tuple[str | None, ...]]]] = {
    "": {
        "send": (SERVER,),
        "spawn": (MODULE,),
        "spawn_link": (MODULE,),
        "spawn_monitor": (MODULE,),
        **dict.fromkeys(("r", "nl", "exports", "edit"), (MODULE,)),
        **dict.fromkeys(("ps", "top", "remsh"), (NODE,)),
    },
    "Node": {
        **dict.fromkeys(("ping", "connect", "disconnect", "monitor", "set_cookie"), (NODE,)),
        **dict.fromkeys(("spawn", "spawn_link", "spawn_monitor"), (NODE, MODULE)),
    },
    "rpc": {
        **dict.fromkeys(("call", "cast", "async_call", "multicall"), (NODE, MODULE)),
        "abcast": (NODE, REGISTERED),
        "eval_everywhere": (NODE, MODULE),
        "pmap": (NODE,),
    },
    "Process": {
        **dict.fromkeys(("send", "send_after", "send_interval", "monitor"), (SERVER,)),
        **dict.fromkeys(("whereis", "unregister"), (REGISTERED,)),
    },
    "GenServer": {
        **dict.fromkeys(("call", "cast", "request", "stop", "whereis"), (SERVER,)),
        **dict.fromkeys(("multi_call", "abcast"), (NODE, REGISTERED)),
    },
    "Supervisor": {
        **dict.fromkeys(("which_children", "count_children", "start_child", "tree", "stop"), (SERVER,)),
        **dict.fromkeys(("terminate_child", "restart_child", "delete_child"), (SERVER, CHILD)),
    },
    "DynamicSupervisor": dict.fromkeys(
        ("which_children", "count_children", "start_child", "terminate_child", "stop"), (SERVER,)
    ),
    "PartitionSupervisor": {
        **dict.fromkeys(("which_children", "count_children", "stop"), (SERVER,)),
        **dict.fromkeys(("via", "partitions"), (REGISTERED,)),
    },
    "Task.Supervisor": dict.fromkeys(
        (
            "async_",
            "async_nolink",
            "async_stream",
            "async_stream_nolink",
            "start_child",
            "children",
            "terminate_child",
        ),
        (SERVER,),
    ),
    "Agent": dict.fromkeys(("get", "update", "get_and_update", "cast", "stop"), (SERVER,)),
    "Sys": dict.fromkeys(
        ("get_state", "replace_state", "get_status", "suspend", "resume", "trace", "change_code"), (SERVER,)
    ),
    "PubSub": {
        **dict.fromkeys(
            ("subscribe", "unsubscribe", "subscribers", "broadcast", "local_broadcast"), (TOPIC,)
        ),
        **dict.fromkeys(("broadcast_from", "local_broadcast_from"), (None, TOPIC)),
        "direct_broadcast": (NODE, TOPIC),
    },
    "Presence": dict.fromkeys(("track", "update", "untrack", "list", "get_by_key"), (TOPIC,)),
    "Registry": dict.fromkeys(
        (
            "register",
            "lookup",
            "dispatch",
            "select",
            "unregister",
            "unregister_match",
            "update_value",
            "keys",
            "values",
            "count",
            "meta",
            "put_meta",
            "via",
        ),
        (REGISTERED,),
    ),
}
"""Module -> function -> the kind of names in a string that is its first, second ... argument."""


def kind_of_argument(callee: str, number: int) -> str | None:
    """Returns what a string names as an argument of a call; None if it is any text.

    Args:
        callee: as it is written: `rpc.call`, `aio.rpc.call`.
        number: of the argument, from 0 on.
    """
    module, _, function = callee.removeprefix("aio.").rpartition(".")
    kinds = _ARGUMENTS.get(module, {}).get(function, ())
    return kinds[number] if number < len(kinds) else None


def kind_of_keyword(callee: str, keyword: str) -> str | None:
    """Returns what a string names as a keyword argument of a call; None if it is any text."""
    module = callee.removeprefix("aio.").partition(".")[0]
    return keyword if module in {"PubSub", "Presence", "child"} and keyword in {PUBSUB, PRESENCE} else None
