"""Programs with two ends that are not pyx: `PROGRAM serve DIRECTORY` is asked, `PROGRAM measure ...` asks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.programs.sampling import end_with_the_parent, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Pair(NamedTuple):
    """What a case measures with."""

    address: str
    """The path that the server named."""
    secs: float
    server_cores: frozenset[int]
    pids: tuple[int, ...]
    """The OS processes whose costs count."""


def main(
    serve: Callable[[str], None] | None, cases: Callable[[Pair], Mapping[str, Callable[[], Any]]]
) -> None:
    """Runs one end.

    Args:
        serve: serves at a new path in a directory, and calls `ready` with it; None: the asking end starts it.
        cases: makes the cases.
    """
    end_with_the_parent()
    match sys.argv[1:]:
        case ["serve", directory]:
            assert serve is not None
            serve(directory)
        case ["measure", secs, wanted, address, server, cores]:
            pids = (os.getpid(), int(server)) if server else (os.getpid(),)
            pair = Pair(address, float(secs), frozenset(map(int, filter(None, cores.split("+")))), pids)
            run(cases(pair), wanted.split(","))
            os._exit(0)  # threads of libraries may still run
        case words:
            raise SystemExit(f"unknown words: {words}")


def ready(address: str) -> None:
    """Tells the parent that the server listens."""
    print("READY", os.getpid(), address, flush=True)
