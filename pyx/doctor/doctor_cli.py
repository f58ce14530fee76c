"""The command `pyx doctor`: reads the facts of each part within a time limit, and prints the findings."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING, Final

import pyx
from pyx.cli_parser import CommandParser
from pyx.doctor import diagnosis
from pyx.doctor.finding import Finding
from pyx.errors import PyxError
from pyx.options import parse_port
from pyx.wire.handshake.hello import PROTOCOL_VERSION

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

_SECONDS: Final = 8.0
"""The time limit of all parts together, which are read at once."""

_NODE_SECONDS: Final = 25.0
"""That of one node: each step has a limit of its own."""


def doctor_parser() -> CommandParser:
    """Returns the parser of the words behind `pyx doctor`."""
    words = CommandParser(
        prog="pyx doctor",
        usage="pyx doctor [--json] [-S DIR] [--cookie-file F] | pyx doctor NODE [--port N] [--cookie-file F]",
        description="Look at what a node and its prompt need on this host, or at the way to NODE. Each line "
        "says ok, warning or failed, and how to mend it. Nothing is changed.",
        epilog="exit codes: 0 nothing would fail, 1 something would, 2 usage",
        allow_abbrev=False,
    )
    words.add_argument("node", metavar="NODE", nargs="?", help="a node, as `pyx --remsh` takes it")
    words.add_argument("--json", action="store_true", help="print the findings as JSON")
    words.add_argument("-S", dest="directory", metavar="DIR", default=".", help="the project (default: .)")
    words.add_argument("--cookie-file", metavar="F", help="the cookie file that nodes are started with")
    words.add_argument(
        "--port", metavar="N", type=parse_port, default=0, help="the --port of all long-named nodes"
    )
    return words


def examined(words: Sequence[str]) -> tuple[str, int]:
    """Returns the report that *words* ask for, and the exit code.

    Raises:
        NodeNameInvalid: NODE is not a node name.
        SystemExit: the words have no meaning (2), or ask for help (0).
    """
    asked = doctor_parser().parse_words(words)
    found = of_node(asked) if asked.node is not None else of_host(asked)
    return report(found, as_json=asked.json), 1 if any(one.level == "failed" for one in found) else 0


def report(found: Sequence[Finding], *, as_json: bool) -> str:
    """Returns the findings as text: a line each, or a list of JSON."""
    if as_json:
        return json.dumps([finding._asdict() for finding in found], indent=2) + "\n"
    return "".join(f"{finding.line()}\n" for finding in found)


def of_host(asked: argparse.Namespace) -> list[Finding]:
    """Returns the findings about this host and this user."""
    from pyx.doctor import host_nodes, local_facts

    file, uid = asked.cookie_file, os.geteuid()
    short = host_nodes.own_short_host()
    parts: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("python", lambda: diagnosis.of_python(local_facts.python_facts())),
        ("names", lambda: diagnosis.of_host(local_facts.host_facts(), short)),
        ("directory", lambda: diagnosis.of_runtime(local_facts.runtime_facts(), uid)),
        ("cookie", lambda: diagnosis.of_cookie(local_facts.cookie_facts(file))),
        ("nodes", lambda: diagnosis.of_nodes(host_nodes.running_nodes(), PROTOCOL_VERSION)),
        ("epmd", lambda: diagnosis.of_epmd(host_nodes.epmd_facts())),
        ("beam", lambda: diagnosis.of_erlang(local_facts.erlang_facts(file))),
        ("terminal", lambda: diagnosis.of_terminal(local_facts.terminal_facts())),
        ("history", lambda: diagnosis.of_history(local_facts.history_facts(), uid)),
        ("project", lambda: diagnosis.of_project(local_facts.project_facts(asked.directory))),
        ("limits", lambda: diagnosis.of_limits(local_facts.limit_facts())),
        ("clock", lambda: diagnosis.of_clock(local_facts.clock_facts())),
    ]
    looks = [_Look(check, look) for check, look in parts]
    give_up = time.monotonic() + _SECONDS
    return [finding for look in looks for finding in look.found(give_up)]


def of_node(asked: argparse.Namespace) -> list[Finding]:
    """Returns the findings about the way to one node; raises NodeNameInvalid."""
    from pyx.doctor import host_nodes, node_diagnosis, node_inquiry
    from pyx.terms import full_name

    full_name(asked.node, host_nodes.own_short_host())

    def look() -> list[Finding]:
        facts = node_inquiry.node_facts(asked.node, cookie_file=asked.cookie_file, port=asked.port)
        return node_diagnosis.of_node(facts, pyx.__version__)

    return _Look("node", look).found(time.monotonic() + _NODE_SECONDS)


class _Look:
    """One part of the report, which begins at once on a thread of its own.

    The thread is a daemon: one that hangs in a dead file server does not keep the command.
    """

    def __init__(self, check: str, look: Callable[[], list[Finding]]) -> None:
        self._check = check
        self._look = look
        self._found: list[Finding] | None = None
        self._thread = threading.Thread(target=self._run, name=f"doctor-{check}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._look()
        except PyxError as error:
            self._found = [Finding(self._check, "failed", str(error), error.hint or "")]
        except Exception as error:  # one part must not cost the others
            text = f"it cannot be looked at: {type(error).__name__}: {error}"
            self._found = [Finding(self._check, "failed", text)]

    def found(self, give_up: float) -> list[Finding]:
        """Waits for the findings until *give_up*, in monotonic seconds."""
        self._thread.join(max(0.0, give_up - time.monotonic()))
        if self._found is None:
            text = "it cannot be looked at in time: a file server or a resolver does not answer"
            return [Finding(self._check, "failed", text)]
        return self._found
