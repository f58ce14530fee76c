"""The verbs of this project: `nox -s tests lint`, and `nox --list` for all of them.

All run in one environment, `.venv`, which is made by hand once:

    python3 -m venv .venv && .venv/bin/pip install --quiet --editable '.[dev]' && .venv/bin/nox

Words after `--` go to the tool: `nox -s tests -- tests/wire -x`, `nox -s long -- load fuzz`.  `.ci/run` runs
the README's test command, and then the verbs that `nox` alone runs after `tests`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

import nox
from nox.command import CommandFailed

ROOT: Final = Path(__file__).parent
BIN: Final = (ROOT / ".venv" if (ROOT / ".venv").is_dir() else Path(sys.prefix)) / "bin"
PYTHON: Final = f"{BIN}/python"
CHECK: Final = ("lint", "types", "layers", "general", "scenarios", "docs")

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests", *CHECK]

PROOFS: Final = {
    "simulator": ("tests/simulation/test_simulation.py", {"PYX_SEEDS": "0..1999"}),
    "threads": ("tests/simulation/test_threads.py", {"PYX_ROUNDS": "20000"}),
    "fuzz": ("tests/wire/test_fuzz.py", {"PYX_MUTATIONS": "500000"}),
    "examples": ("tests", {"PYX_EXAMPLES": "5000"}),
    "terms": ("tests/wire/beam/test_term_codec.py", {"PYX_MUTATIONS": "1000000"}),
    "codec": ("tests/beam/test_real_codec.py", {"PYX_TERMS": "5000"}),
    "kills": ("tests/execution/test_kill_retry.py", {"PYX_KILLS": "5000"}),
    "storm": ("tests/execution/test_kill_storm.py", {"PYX_STORM": "2000"}),
    "load": ("tests/load", {"PYX_LOAD_SECONDS": "300"}),
    "erlang": ("tests/load/test_erlang_nodes.py", {"PYX_ERLANG_SECONDS": "60"}),
    "restarts": ("tests/otp/test_restart_leaks.py", {"PYX_RESTARTS": "10000"}),
    "histories": ("tests/otp/test_restarts_in_erlang.py", {"PYX_WORLDS": "20000"}),
    "nodeups": ("tests/core/test_broadcasts.py", {"PYX_NODEUPS": "10000"}),
    "topics": ("tests/pubsub/test_topics.py", {"PYX_NODEUPS": "2000"}),
    "mesh": ("tests/mesh", {"PYX_MESH": "50"}),
    "connections": ("tests/net/test_slow_connections.py", {"PYX_SLOW_CONNECTIONS": "2000"}),
}
"""The long forms of tests that `tests` runs too, with a tenth of these numbers or less: file and settings."""

SPREAD: Final = frozenset({"simulator", "fuzz", "examples", "terms"})
"""Proofs of many independent tests, which use all processors; the others load the machine by themselves."""

GENERAL: Final = (
    *("tests/wire", "tests/core", "tests/net", "tests/execution", "tests/runtime", "tests/simulation"),
    *("tests/test_rpc.py", "tests/test_aio.py", "tests/test_nodes.py", "tests/test_process.py"),
    *("tests/test_primitives.py", "tests/test_budgets.py"),
)
"""The tests that also run with `PYX_FAST_PATHS=0`: a fast path means what the general path means."""

PATIENT: Final = {"PYX_TIMEOUT_SCALE": os.environ.get("PYX_TIMEOUT_SCALE", "10")}
"""Time-outs of replays guard against a hang alone: on a busy host a start may take more than five seconds."""

FEW: Final = {
    "PYX_SEEDS": "40",
    "PYX_ROUNDS": "20",
    "PYX_MUTATIONS": "5000",
    "PYX_TERMS": "50",
    "PYX_KILLS": "30",
    "PYX_STORM": "10",
    "PYX_LOAD_SECONDS": "3",
    "PYX_RESTARTS": "100",
    "PYX_WORLDS": "50",
}
"""Repetitions run no other lines: what is measured for coverage has few of them."""


@nox.session
def tests(session: nox.Session) -> None:
    """Runs the tests (about seven minutes on two processors), or those named after `--`."""
    session.run(PYTHON, "-m", "pytest", *(session.posargs or ("--numprocesses", "2")))


@nox.session
def lint(session: nox.Session) -> None:
    """Checks style and format by ruff; `-- --fix` mends what it can."""
    session.run(BIN / "ruff", "check", ".", *session.posargs)
    session.run(BIN / "ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")


@nox.session
def types(session: nox.Session) -> None:
    """Checks the types of pyx, its tests and this file by mypy, strictly."""
    session.run(BIN / "mypy")
    session.run(BIN / "mypy", "noxfile.py")


@nox.session
def layers(session: nox.Session) -> None:
    """Checks by import-linter which package may import which."""
    session.run(BIN / "lint-imports")


@nox.session
def general(session: nox.Session) -> None:
    """Runs the tests of the hot paths without fast paths (about two minutes), or those named after `--`."""
    command = [PYTHON, "-m", "pytest", "--quiet", "--numprocesses", "auto", *(session.posargs or GENERAL)]
    session.run(*command, env={"PYX_FAST_PATHS": "0", "PYX_SEEDS": "100"})


@nox.session
def scenarios(session: nox.Session) -> None:
    """Replays all scenarios, or those named after `--`, with real nodes."""
    session.run(BIN / "pyx", "replay", *(session.posargs or ["scenarios", "--jobs", "2"]), env=PATIENT)


@nox.session
def docs(session: nox.Session) -> None:
    """Replays the sessions in the pages, and checks links, tables and names in them."""
    pages = [page for page in _pages() if "\n```pyx\n" in (ROOT / page).read_text()]
    session.run(BIN / "pyx", "replay", *pages, "--jobs", "2", env=PATIENT)
    session.run(PYTHON, "-m", "pytest", "--quiet", "tests/test_pages.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Feeds 500,000 damaged inputs to all that reads bytes of the wire."""
    _prove(session, ["fuzz"])


@nox.session
def long(session: nox.Session) -> None:
    """Runs every long proof (about half an hour), or those named after `--`: see PROOFS."""
    _prove(session, session.posargs or list(PROOFS))


@nox.session
def bench(session: nox.Session) -> None:
    """Measures pyx, Erlang and others in turns: `-- --cases latency --compare HEAD~5`, `-- --help`."""
    session.run(PYTHON, "-m", "tests.bench", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measures branch coverage, child processes included: a row for each file of pyx, with its test file."""
    session.run(PYTHON, "-m", "coverage", "erase")
    options = ["--quiet", "--numprocesses", "auto", "--ignore", "tests/runtime/test_stress.py"]
    # A test may fail for the tracer alone (one that counts objects, say): the table is shown all the same.
    run = [PYTHON, "-m", "coverage", "run", "-m", "pytest", *options, *session.posargs]
    session.run(*run, env=FEW, success_codes=[0, 1])
    session.run(PYTHON, "-m", "coverage", "combine", "--quiet")
    session.run(PYTHON, "-m", "coverage", "json", "--quiet", "-o", "build/coverage.json")
    session.run(PYTHON, "-m", "tests.coverage_table", "build/coverage.json")


def _prove(session: nox.Session, names: list[str]) -> None:
    """Runs these long proofs one after the other, each to its end, and fails if any of them failed."""
    if unknown := [name for name in names if name not in PROOFS]:
        session.error(f"no proof is called {', '.join(unknown)}; there are {', '.join(PROOFS)}")
    failed = []
    for number, name in enumerate(names, 1):
        path, settings = PROOFS[name]
        shown = " ".join(f"{key}={value}" for key, value in settings.items())
        session.log(f"proof {number} of {len(names)}, {name}: {shown}")
        spread = ["--numprocesses", "auto", "--dist", "worksteal"] if name in SPREAD else ["-s"]
        marked = ["-m", "hypothesis"] if name == "examples" else []
        command = [PYTHON, "-m", "pytest", "--quiet", "--timeout", "3600", *spread, *marked, path]
        began = time.monotonic()
        try:
            session.run(*command, env=settings)
        except CommandFailed:
            failed.append(name)
        session.log(
            f"{name} {'failed' if name in failed else 'passed'} after {time.monotonic() - began:.0f} s"
        )
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def _pages() -> list[str]:
    folders = ("", "docs/", "pyx/", "scenarios/", "tests/")
    return sorted(
        path.relative_to(ROOT).as_posix() for folder in folders for path in ROOT.glob(f"{folder}*.md")
    )
