"""The program of the measuring pyx node: `pyx --sname client -S DIR FILE GROUP SECS SERVER CASE,CASE...`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import pyx
from pyx import rpc
from tests.bench.programs import pyx_growth, pyx_latency, pyx_local, pyx_one_way, pyx_processes, pyx_topics
from tests.bench.programs.pyx_session import Session
from tests.bench.programs.sampling import end_with_the_parent, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GROUPS: Final[Mapping[str, Callable[[Session], Mapping[str, Any]]]] = {
    "latency": pyx_latency.cases,
    "sizes": pyx_latency.sizes,
    "oneway": pyx_one_way.one_way,
    "senders": pyx_one_way.senders,
    "payload": pyx_one_way.payloads,
    "local": pyx_local.cases,
    "mailbox": pyx_local.mailbox_lengths,
    "processes": pyx_processes.cases,
    "peers": pyx_growth.peers,
    "population": pyx_growth.processes,
    "disturbed": pyx_growth.disturbed,
    "topics": pyx_topics.cases,
    "nodes": pyx_topics.to_nodes,
    "fan_out": pyx_topics.beside_a_fan_out,
}


def main(group: str, secs: str, server: str, cases: str) -> None:
    end_with_the_parent()
    print("USES", pyx.__file__, flush=True)
    pids = (os.getpid(), rpc.call(server, "os", "getpid"))
    run(GROUPS[group](Session(server, float(secs), pids)), cases.split(","))


main(*sys.argv[1:])
