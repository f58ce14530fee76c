"""The router of "Distributed tasks", a chapter of Elixir's guide: each bucket belongs to the node of its first letter."""

from pyx import Node, Task, rpc

TABLE = [("a-m", "foo@vm"), ("n-z", "bar@vm")]


def node_of(bucket):
    """The node that the first letter of a bucket's name leads to."""
    for letters, node in TABLE:
        first, last = letters.split("-")
        if first <= bucket[:1] <= last:
            return node
    raise LookupError(f"could not find entry for {bucket!r} in table {TABLE}")


def route(bucket, module, function, args):
    """Runs the function where the bucket belongs: at home, or as a task under that node's supervisor."""
    node = node_of(bucket)
    if node == Node.self():
        return rpc.call(node, module, function, args)
    return Task.await_(
        Task.Supervisor.async_(("router_tasks", node), "kv_router", "route", [bucket, module, function, args])
    )


def route_by_rpc(bucket, module, function, args):
    """The same without a supervisor, as the guide's later editions have it."""
    return rpc.call(node_of(bucket), module, function, args)
