"""The cases: what each measures in one line, its unit, and the Erlang case that it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.bench.pinning import WAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

LESS_IS_BETTER: Final = frozenset({"µs", "ms", "s", "bytes", "MB", "calls"})


class Group(NamedTuple):
    """Cases that one pair of nodes measures in one go."""

    name: str
    what: str
    rounds: dict[str, int]
    """How its sides are pinned, and the number of rounds so, where `--pin` and `--rounds` do not say it.

    There are fewer rounds of what takes long and moves little.
    """


class Case(NamedTuple):
    """One measured operation."""

    name: str
    group: str
    unit: str
    what: str
    erlang: str | None = None
    """The case of Erlang that it is divided by; None: the one of the same name."""

    @property
    def baseline(self) -> str:
        """The name of Erlang's case."""
        return self.erlang or self.name

    @property
    def less_is_better(self) -> bool:
        """True for times and sizes, False for rates."""
        return self.unit in LESS_IS_BETTER


GROUPS: Final = (
    Group("latency", "one call, or one message and its answer, between two nodes", {"same": 5, "split": 3}),
    Group("oneway", "messages a second in one direction, between two nodes", {"same": 5, "split": 5}),
    Group("payload", "large messages, one at a time", {"split": 5}),
    Group("local", "inside one node", {"same": 5}),
    Group("processes", "many processes", {"same": 5}),
    Group("start", "from the command to the first prompt; memory", {"same": 5}),
    Group("mesh", "twenty nodes on both cores", {"split": 3}),
    Group("disturbed", "calls while 300 messages of 1 MiB go to the same node", {"split": 5}),
    Group("topics", "broadcasts to topics", {"same": 5}),
    Group("nodes", "a broadcast to twenty nodes", {"same": 2}),
    Group("fan_out", "calls of a node that delivers broadcasts to 100,000 processes", {"split": 2}),
    Group("syscalls", "system calls, counted by strace", {"same": 1}),
    Group("sizes", "by payload size", {"same": 2}),
    Group("senders", "by number of senders", {"split": 2}),
    Group("peers", "by number of peers", {"same": 2}),
    Group("population", "by number of idle processes", {"same": 2}),
    Group("mailbox", "by length of the mailbox", {"same": 2}),
)

_BETWEEN: Final = (
    Case("rpc", "latency", "µs", "a call of a function that adds two numbers"),
    Case("erpc", "latency", "µs", "the same by Erlang's newer `erpc`", "rpc"),
    Case("rpc_shell_def", "latency", "µs", "the shell's thread calls a `def` function", "rpc"),
    Case("rpc_shell_async", "latency", "µs", "the shell's thread calls an `async def` function", "rpc"),
    Case("rpc_process_def", "latency", "µs", "a `def` process calls a `def` function", "rpc"),
    Case("rpc_aio_async", "latency", "µs", "an `async def` process calls an `async def` function", "rpc"),
    Case("rpc_aio_def", "latency", "µs", "an `async def` process calls a `def` function", "rpc"),
    Case("message", "latency", "µs", "a message to another process, and its answer"),
    Case("message_def", "latency", "µs", "a message between `def` processes, and its answer", "message"),
    Case("message_async", "latency", "µs", "the same between `async def` processes", "message"),
    Case("genserver_call_def", "latency", "µs", "a `def` process calls a `def` server", "message"),
    Case("genserver_call_async", "latency", "µs", "the same, both `async def`", "message"),
    Case("ping", "latency", "µs", "`Node.ping`", "rpc"),
    Case("limit", "latency", "µs", "by hand, no thread between socket and function", "rpc"),
    Case(
        "limit_hops", "latency", "µs", "by hand, with a reading thread and a thread for the function", "rpc"
    ),
    Case("limit_aio", "latency", "µs", "by hand, one event loop on both ends", "rpc"),
    Case("oneway_tuple", "oneway", "per s", '`("add", 1, 30)` to a `def` process'),
    Case("oneway_dict", "oneway", "per s", '`("add", {"name": "nike", "qty": 30})` to a `def` process'),
    Case("oneway_dict_async", "oneway", "per s", "the same between `async def` processes", "oneway_dict"),
    Case("oneway_1k", "oneway", "per s", "bytes, 1 KiB each"),
    Case("oneway_64k", "oneway", "per s", "bytes, 64 KiB each"),
    Case("ten_senders", "oneway", "per s", "ten `def` processes send dicts to one process of the other node"),
    Case("payload_1m", "payload", "MB/s", "bytes, 1 MiB each, answered by their length"),
    Case("payload_64m", "payload", "MB/s", "bytes, 64 MiB each, answered by their length"),
    Case("disturbed_p50", "disturbed", "µs", "a call, median"),
    Case("disturbed_p99", "disturbed", "µs", "a call, 99th percentile"),
    Case("topic_remote", "topics", "per s", "20,000 broadcasts to a process of another node"),
    Case("topic_nodes_20", "nodes", "µs", "until a process of each has answered"),
    Case("topic_publisher_20", "nodes", "µs", "of the publisher's call alone"),
    Case("fan_out_p50", "fan_out", "µs", "a call, median"),
    Case("fan_out_p99", "fan_out", "µs", "a call, 99th percentile"),
    Case("system_calls", "syscalls", "calls", "of both nodes for one `rpc_shell_def`"),
    Case("system_calls_async", "syscalls", "calls", "of both nodes for one `rpc_shell_async`"),
)

_INSIDE: Final = (
    Case("local", "local", "µs", "a message to another process, and its answer"),
    Case("local_def", "local", "µs", "a message between `def` processes, and its answer", "local"),
    Case("local_async", "local", "µs", "the same between `async def` processes", "local"),
    Case("local_genserver_call_def", "local", "µs", "a `def` process calls a `def` server", "local"),
    Case("local_genserver_call_async", "local", "µs", "the same, both `async def`", "local"),
    Case("local_oneway", "local", "per s", "dicts to a `def` process"),
    Case("local_oneway_async", "local", "per s", "the same between `async def` processes", "local_oneway"),
    Case("by_reference_100k", "local", "µs", "`receive` by a fresh reference, 100,000 others waiting"),
    Case("scan_1k", "local", "µs", "`receive` by a pattern, 1,000 others looked at"),
    Case("scan_100k", "local", "µs", "`receive` by a pattern, 100,000 others looked at"),
    Case("process_info", "local", "µs", "`Process.info` of an `async def` process"),
    Case("process_info_def", "local", "µs", "`Process.info` of a `def` process", "process_info"),
    Case("process_info_key", "local", "µs", "`Process.info` of one key"),
    Case("topic_broadcast_1k", "topics", "µs", "a broadcast to 1,000 `async def` processes, and the answers"),
    Case("topic_sends_1k", "topics", "µs", "1,000 sends to the same, and the answers"),
    Case("topic_publisher_1k", "topics", "µs", "the call of that broadcast alone"),
    Case("topic_sender_1k", "topics", "µs", "those 1,000 calls alone"),
    Case("spawn", "processes", "per s", "100,000 processes"),
    Case("spawn_async", "processes", "per s", "100,000 `async def` processes", "spawn"),
    Case("spawn_async_last", "processes", "per s", "the last 10,000 of these", "spawn"),
    Case("spawn_def", "processes", "per s", "2,000 `def` processes", "spawn"),
    Case("memory", "processes", "bytes", "of an idle process (`erlang:memory(total)`)"),
    Case("memory_async", "processes", "bytes", "of an idle `async def` process (resident)", "memory"),
    Case("memory_def", "processes", "bytes", "of an idle `def` process (resident)", "memory"),
    Case("monitor_remote", "processes", "per s", "10,000 monitors on a process of another node"),
    Case("down_remote", "processes", "per s", "their DOWN messages, after a kill"),
    Case("broadcast_local", "processes", "per s", "a message to each of 1,000 processes, and the answers"),
    Case("broadcast_remote", "processes", "per s", "the same with processes of another node"),
)

_STARTS: Final = (
    Case("prompt", "start", "ms", "the first prompt without a node", "prompt_sname"),
    Case("prompt_sname", "start", "ms", "the first prompt of `--sname`"),
    Case("prompt_name", "start", "ms", "the first prompt of `--name` (TLS)", "prompt_sname"),
    Case("shell_memory", "start", "MB", "resident memory of the idle `--sname` shell"),
    Case("headless_memory", "start", "MB", "resident memory of an idle `--sname` node without a shell"),
    Case("mesh_20", "mesh", "s", "from the first command to twenty nodes in full mesh"),
    Case("mesh_20_apart", "mesh", "s", "the same nodes without connections", "mesh_20"),
)

SIZES: Final = (10, 100, 1_000, 10_000, 30_000, 60_000, 100_000, 300_000, 1_000_000)
NODES: Final = 20
SUBSCRIBERS: Final = 100_000
SENDERS: Final = (1, 2, 5, 10, 20)
PEERS: Final = (1, 5, 10, 20)
PROCESSES: Final = (0, 1_000, 10_000, 50_000)
LENGTHS: Final = (10, 100, 1_000, 10_000, 90_000)

_CURVES: Final = (
    *(Case(f"size_{n}", "sizes", "µs", f"a message of {n:,} bytes and back, `def`") for n in SIZES),
    *(Case(f"senders_{n}", "senders", "per s", f"{n} `def` processes send to one") for n in SENDERS),
    *(Case(f"peers_{n}", "peers", "µs", f"`rpc_shell_def` with {n} peers connected") for n in PEERS),
    *(
        Case(f"processes_{n}", "population", "µs", f"`rpc_shell_def` beside {n:,} processes")
        for n in PROCESSES
    ),
    *(Case(f"mailbox_{n}", "mailbox", "µs", f"`receive` by a pattern, {n:,} looked at") for n in LENGTHS),
)

CASES: Final = {case.name: case for case in (*_BETWEEN, *_INSIDE, *_STARTS, *_CURVES)}


class NoSuchCase(Exception):
    """A word of `--cases` names neither a case nor a group."""


def chosen(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The cases that *words* name, by group in the order of `GROUPS`, with the Erlang cases they need.

    Args:
        words: names of cases and groups, also several in one word with commas between; none: all of them.

    Raises:
        NoSuchCase: with the names that there are.
    """
    names = [name for word in words for name in word.split(",") if name]
    groups = [group.name for group in GROUPS]
    if unknown := [name for name in names if name not in groups and name not in CASES]:
        raise NoSuchCase(
            f"no case or group is called {', '.join(unknown)}\n"
            f"groups: {', '.join(groups)}\ncases: {', '.join(CASES)}"
        )
    wanted = {case.name for case in CASES.values() if not names or case.name in names or case.group in names}
    wanted |= {CASES[name].baseline for name in wanted}
    by_group = {group: tuple(name for name in CASES if CASES[name].group == group) for group in groups}
    picked = {group: tuple(n for n in members if n in wanted) for group, members in by_group.items()}
    return {group: members for group, members in picked.items() if members}


def group_named(name: str) -> Group:
    """Returns the group of that name."""
    return next(group for group in GROUPS if group.name == name)


assert all(case.baseline in CASES for case in CASES.values())
assert {pin for group in GROUPS for pin in group.rounds} <= set(WAYS)
