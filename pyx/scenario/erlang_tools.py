"""What a session with Elixir nodes needs of its host: `iex`, a name of this host, and an EPMD of its own."""

from __future__ import annotations

import contextlib
import ipaddress
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Final

from pyx.scenario.steps import Start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyx.scenario.sandbox import Sandbox
    from pyx.scenario.steps import TranscriptSession

_TOOLS: Final = ("iex", "erl", "epmd")
_START_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.01


def why_not_here(session: TranscriptSession) -> str:
    """Returns why a session cannot be played on this host; "" if it can, as each without Elixir nodes."""
    elixir = [step for step in session.steps if isinstance(step, Start) and step.shell == "iex"]
    if not elixir:
        return ""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{missing[0]} is not installed"
    for step in elixir:
        host = step.node.partition("@")[2]
        if not _is_loopback(host):
            return f"{host} is not a name of this host's loopback address, as Erlang nodes need it"
    return ""


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(OSError, UnicodeError):
        return ipaddress.ip_address(socket.gethostbyname(host)).is_loopback
    return False


def iex_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables of an iex: it listens on loopback alone, and leaves no file behind in a crash."""
    return {
        **environment,
        "ERL_AFLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_CRASH_DUMP_SECONDS": "0",
    }


class SandboxEpmd:
    """An EPMD of one session, on a port of its own: its nodes do not meet others of this host.

    Where Erlang is not installed, the first node of pyx starts its own one on that port.

    Args:
        sandbox: its nodes are told the port.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        sandbox.epmd_port = port
        self._process: subprocess.Popen[bytes] | None = None
        if (epmd := shutil.which("epmd")) is None:
            return
        self._process = subprocess.Popen(  # noqa: S603 - as installed
            [epmd, "-port", str(port), "-address", "127.0.0.1"],
            cwd=sandbox.work,
            env=sandbox.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), _START_SECONDS).close()
                return
            time.sleep(_RETRY_SECONDS)

    def close(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
