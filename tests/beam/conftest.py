"""One EPMD, one `iex` and a pyx node that knows both, for the tests of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.beam.real_nodes import cookie_file, forget, real_nodes
from tests.local_nodes import LocalNodes, start_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import IexNode, RealNodes


@pytest.fixture(scope="module")
def real() -> Iterator[RealNodes]:
    with real_nodes() as real:
        yield real


@pytest.fixture(scope="module")
def a(real: RealNodes) -> IexNode:
    return real.iex("a")


@pytest.fixture
def gus(
    real: RealNodes, a: IexNode, nodes: LocalNodes, home: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalNode]:
    """A pyx node that speaks with Erlang nodes; iex knows its name as `gus`."""
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    assert home
    node = nodes.make()
    host = a.name.partition("@")[2]
    start_node(node, f"gus@{host}", beam="hidden", beam_cookie_file=cookie_file(real))
    assert a.ask("Process.flag(:trap_exit, false)") in {"true", "false"}
    a.ask(f"gus = :{node.kernel.tables.name!r}".replace("'", '"'))
    assert a.ask("Node.ping(gus)") == ":pong"
    yield node
    forget(a)
